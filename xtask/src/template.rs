//! Reads `template.yaml`: the functions, their routes, and a copy of it that the emulator understands.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use yaml_serde::Value as Yaml;

/// Seconds that a custom resource may take on the emulator.
const LOCAL_SERVICE_TIMEOUT: u32 = 60;

/// The template as JSON, short intrinsics (`!Ref X`) in their long form.
pub(crate) struct Template(Value);

/// A function of the template.
pub(crate) struct Function {
    /// Its logical id, `WebhookFunction`.
    pub(crate) id: String,
    /// The name of its package and binary, `webhook`.
    pub(crate) name: String,
}

/// A route of the HTTP API.
pub(crate) struct Route {
    /// Logical id of the function behind it.
    pub(crate) function: String,
    /// As API Gateway wants it: `GET /api/live-chat/conversations/{id}`.
    pub(crate) key: String,
}

impl Template {
    /// Reads the template of the checkout.
    ///
    /// # Errors
    /// When it is missing or is no YAML.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let path = root.join("template.yaml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let document: Yaml = yaml_serde::from_str(&text).context("template.yaml is no YAML")?;
        Ok(Self(to_json(document)?))
    }

    /// Every function, in the order of the template.
    ///
    /// # Errors
    /// When one has no `CodeUri` of the form `functions/<name>`.
    pub(crate) fn functions(&self) -> Result<Vec<Function>> {
        self.resources("AWS::Serverless::Function")
            .map(|(id, resource)| {
                let code = resource["Properties"]["CodeUri"]
                    .as_str()
                    .and_then(|uri| uri.strip_prefix("functions/"));
                let name = code.with_context(|| format!("CodeUri of {id} is not functions/<name>"))?;
                Ok(Function {
                    id: id.clone(),
                    name: name.to_owned(),
                })
            })
            .collect()
    }

    /// Every HTTP route.
    ///
    /// # Errors
    /// When an event has no method or path.
    pub(crate) fn routes(&self) -> Result<Vec<Route>> {
        let mut routes = Vec::new();
        for (id, resource) in self.resources("AWS::Serverless::Function") {
            let events = resource["Properties"]["Events"].as_object().into_iter().flatten();
            for (name, event) in events.filter(|(_, event)| event["Type"] == "HttpApi") {
                let properties = &event["Properties"];
                let (Some(method), Some(path)) = (properties["Method"].as_str(), properties["Path"].as_str()) else {
                    bail!("the event {name} of {id} has no Method or no Path");
                };
                routes.push(Route {
                    function: id.clone(),
                    key: format!("{method} {path}"),
                });
            }
        }
        Ok(routes)
    }

    /// The CORS settings of the HTTP API in the form of API Gateway's own calls, parameters at their defaults.
    pub(crate) fn cors(&self) -> Value {
        let Some((_, api)) = self.resources("AWS::Serverless::HttpApi").next() else {
            return Value::Null;
        };
        let settings = api["Properties"]["CorsConfiguration"].as_object().into_iter().flatten();
        settings
            .map(|(name, value)| {
                let name = name[..1].to_lowercase() + &name[1..];
                (name, self.resolve_list(value))
            })
            .collect::<Map<_, _>>()
            .into()
    }

    /// A copy for the emulator: code comes from `bucket`, parameters of type Number are numbers, and a custom resource whose
    /// function crashed is given up soon.
    ///
    /// The emulator hands `!Ref` of such a parameter on as text, and its queue poller stops at a `MaximumConcurrency` of text.
    ///
    /// # Errors
    /// When a function has no `CodeUri` of the form `functions/<name>`.
    pub(crate) fn for_emulator(&self, bucket: &str) -> Result<Value> {
        let parameters = self.0["Parameters"].as_object().into_iter().flatten();
        let numbers: HashMap<&str, &Value> = parameters
            .filter(|(_, parameter)| parameter["Type"] == "Number")
            .map(|(name, parameter)| (name.as_str(), &parameter["Default"]))
            .collect();
        let mut copy = self.0.clone();
        replace_references(&mut copy, &numbers);
        for function in self.functions()? {
            copy["Resources"][&function.id]["Properties"]["CodeUri"] =
                json!(format!("s3://{bucket}/{}.zip", function.name));
        }
        for (_, resource) in copy["Resources"].as_object_mut().into_iter().flatten() {
            if resource["Type"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("Custom::"))
            {
                resource["Properties"]["ServiceTimeout"] = json!(LOCAL_SERVICE_TIMEOUT);
            }
        }
        Ok(copy)
    }

    fn resources(&self, kind: &str) -> impl Iterator<Item = (&String, &Value)> {
        let all = self.0["Resources"].as_object().into_iter().flatten();
        all.filter(move |(_, resource)| resource["Type"] == kind)
    }

    fn resolve_list(&self, value: &Value) -> Value {
        let Some(parameter) = value["Ref"].as_str() else {
            return value.clone();
        };
        let default = self.0["Parameters"][parameter]["Default"].as_str().unwrap_or_default();
        default.split(',').map(Value::from).collect()
    }
}

fn replace_references(value: &mut Value, by: &HashMap<&str, &Value>) {
    match value {
        Value::Object(map) => {
            if let Some(literal) = map.get("Ref").and_then(Value::as_str).and_then(|name| by.get(name)) {
                *value = (*literal).clone();
            } else {
                map.values_mut().for_each(|inner| replace_references(inner, by));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| replace_references(inner, by)),
        _ => {}
    }
}

/// The document as JSON; tags become intrinsic functions in their long form.
fn to_json(node: Yaml) -> Result<Value> {
    Ok(match node {
        Yaml::Sequence(items) => items.into_iter().map(to_json).collect::<Result<Vec<_>>>()?.into(),
        Yaml::Mapping(entries) => {
            let entry = |(key, value): (Yaml, Yaml)| {
                let key = key.as_str().context("a key of template.yaml is no text")?.to_owned();
                Ok((key, to_json(value)?))
            };
            entries.into_iter().map(entry).collect::<Result<Map<_, _>>>()?.into()
        }
        Yaml::Tagged(tagged) => intrinsic(tagged.tag.to_string().trim_start_matches('!'), &to_json(tagged.value)?),
        scalar => serde_json::to_value(scalar)?,
    })
}

/// `!Ref X` → `{"Ref": "X"}`, `!GetAtt A.B` → `{"Fn::GetAtt": ["A", "B"]}`, and all others alike.
fn intrinsic(name: &str, argument: &Value) -> Value {
    match (name, argument.as_str().and_then(|text| text.split_once('.'))) {
        ("Ref" | "Condition", _) => json!({ name: argument }),
        ("GetAtt", Some((resource, attribute))) => json!({ "Fn::GetAtt": [resource, attribute] }),
        _ => json!({ format!("Fn::{name}"): argument }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;

    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn cargo_lambda_watch_serves_the_routes_of_the_template() {
        let template = Template::read(root()).unwrap();
        let name = |id: &str| {
            template
                .functions()
                .unwrap()
                .into_iter()
                .find(|function| function.id == id)
                .unwrap()
                .name
        };
        let routes = template.routes().unwrap();
        let deployed: BTreeSet<_> = routes
            .iter()
            .map(|route| (route.key.clone(), name(&route.function)))
            .collect();

        let metadata = Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .unwrap();
        let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
        let mut watched = BTreeSet::new();
        for (path, routes) in metadata["metadata"]["lambda"]["watch"]["router"].as_object().unwrap() {
            for route in routes.as_array().unwrap() {
                let key = format!("{} {path}", route["method"].as_str().unwrap());
                watched.insert((key, route["function"].as_str().unwrap().to_owned()));
            }
        }

        assert_eq!(watched, deployed);
    }

    #[test]
    fn intrinsics_take_their_long_form() {
        let yaml = "{a: !Ref X, b: !GetAtt Q.Arn, c: !If [C, !Ref X, 1], d: !Sub 'x${Y}.z'}";
        assert_eq!(
            to_json(yaml_serde::from_str(yaml).unwrap()).unwrap(),
            json!({
                "a": {"Ref": "X"}, "b": {"Fn::GetAtt": ["Q", "Arn"]},
                "c": {"Fn::If": ["C", {"Ref": "X"}, 1]}, "d": {"Fn::Sub": "x${Y}.z"},
            })
        );
    }

    #[test]
    fn the_emulator_gets_packages_and_numbers() {
        let copy = Template::read(root()).unwrap().for_emulator("bucket").unwrap();
        assert_eq!(
            copy["Resources"]["WebhookFunction"]["Properties"]["CodeUri"],
            "s3://bucket/webhook.zip"
        );
        assert_eq!(
            copy["Resources"]["ConsumerEvents"]["Properties"]["ScalingConfig"]["MaximumConcurrency"],
            10
        );
    }
}
