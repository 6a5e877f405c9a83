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
    /// Reads the template of a folder: the checkout, or what `sam build` made of it.
    ///
    /// # Errors
    /// When it is missing or is no YAML.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("template.yaml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let document: Yaml = yaml_serde::from_str(&text).context("template.yaml is no YAML")?;
        Ok(Self(to_json(document)?))
    }

    /// Every function, in the order of the template.
    ///
    /// # Errors
    /// When the id of one does not end in `Function`.
    pub(crate) fn functions(&self) -> Result<Vec<Function>> {
        self.resources("AWS::Serverless::Function")
            .map(|(id, _)| {
                let name = id.strip_suffix("Function").map(str::to_lowercase);
                let name = name.with_context(|| format!("{id} is not <Name>Function"))?;
                Ok(Function { id: id.clone(), name })
            })
            .collect()
    }

    /// How long the function of this folder may run, in seconds.
    pub(crate) fn timeout(&self, name: &str) -> Option<u64> {
        let function = self
            .functions()
            .ok()?
            .into_iter()
            .find(|function| function.name == name)?;
        let own = &self.0["Resources"][&function.id]["Properties"]["Timeout"];
        own.as_u64()
            .or_else(|| self.0["Globals"]["Function"]["Timeout"].as_u64())
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

    /// A copy for the emulator: code comes from `packages` (URIs by the function's name), parameters of type Number are numbers, and a custom resource whose
    /// function crashed is given up soon.
    ///
    /// The emulator hands `!Ref` of such a parameter on as text, and its queue poller stops at a `MaximumConcurrency` of text. An
    /// environment variable has to be text, for which it stops otherwise.
    ///
    /// # Errors
    /// When a function has no package.
    pub(crate) fn for_emulator(&self, packages: &HashMap<String, String>, given: &[(String, String)]) -> Result<Value> {
        let parameters = self.0["Parameters"].as_object().into_iter().flatten();
        let number_of = |name: &str, parameter: &Value| {
            let given = given.iter().find(|(given, _)| given == name);
            given
                .and_then(|(_, value)| value.parse::<i64>().ok())
                .map_or_else(|| parameter["Default"].clone(), Value::from)
        };
        let numbers: HashMap<&str, Value> = parameters
            .filter(|(_, parameter)| parameter["Type"] == "Number")
            .map(|(name, parameter)| (name.as_str(), number_of(name, parameter)))
            .collect();
        let mut copy = self.0.clone();
        replace_references(&mut copy, &numbers);
        for function in self.functions()? {
            let properties = &mut copy["Resources"][&function.id]["Properties"];
            let package = packages.get(&function.name);
            properties["CodeUri"] = json!(package.with_context(|| format!("{} was not built", function.name))?);
            let variables = properties["Environment"]["Variables"].as_object_mut();
            for (_, value) in variables.into_iter().flatten().filter(|(_, value)| value.is_number()) {
                *value = value.to_string().into();
            }
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

    /// What all functions have in common.
    #[cfg(test)]
    pub(crate) fn globals(&self) -> &Value {
        &self.0["Globals"]["Function"]
    }

    /// Every resource of a type, by its logical id.
    pub(crate) fn resources(&self, kind: &str) -> impl Iterator<Item = (&String, &Value)> {
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

fn replace_references(value: &mut Value, by: &HashMap<&str, Value>) {
    match value {
        Value::Object(map) => {
            if let Some(literal) = map.get("Ref").and_then(Value::as_str).and_then(|name| by.get(name)) {
                *value = literal.clone();
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
pub(crate) mod tests;
