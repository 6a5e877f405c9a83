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
    /// The emulator hands `!Ref` of such a parameter on as text, and its queue poller stops at a `MaximumConcurrency` of text. An
    /// environment variable has to be text, for which it stops otherwise.
    ///
    /// # Errors
    /// When a function has no `CodeUri` of the form `functions/<name>`.
    pub(crate) fn for_emulator(&self, bucket: &str, given: &[(&str, &str)]) -> Result<Value> {
        let parameters = self.0["Parameters"].as_object().into_iter().flatten();
        let number_of = |name: &str, parameter: &Value| {
            let given = given.iter().find(|(given, _)| *given == name);
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
            properties["CodeUri"] = json!(format!("s3://{bucket}/{}.zip", function.name));
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
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;
    use std::time::Duration;

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
    fn the_described_api_is_the_deployed_one() {
        let deployed: BTreeSet<_> = Template::read(root())
            .unwrap()
            .routes()
            .unwrap()
            .into_iter()
            .map(|route| route.key)
            .collect();
        let text = std::fs::read_to_string(root().join("openapi.yaml")).unwrap();
        let document: Value = yaml_serde::from_str(&text).unwrap();
        let mut described = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            described.extend(
                methods
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(|method| format!("{} {path}", method.to_uppercase())),
            );
        }
        assert_eq!(described, deployed);
    }

    /// All Rust sources below a folder.
    fn sources(folder: &Path) -> String {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let texts = entries.map(|path| match path.extension().and_then(|ending| ending.to_str()) {
            _ if path.is_dir() => sources(&path),
            Some("rs") => std::fs::read_to_string(&path).unwrap(),
            _ => String::new(),
        });
        texts.collect()
    }

    #[test]
    fn functions_read_the_variables_that_they_are_given() {
        /// Read where they are set; the template leaves them at their defaults.
        const OPTIONAL: [&str; 4] = [
            "AUTH_JWKS_URL",
            "DATABASE_POOL_SIZE",
            "DATABASE_URL",
            "SECRETS_TTL_SECONDS",
        ];
        let template = Template::read(root()).unwrap();
        let mut given = BTreeSet::from(["LOG_LEVEL".to_owned()]);
        for function in template.functions().unwrap() {
            let properties = &template.0["Resources"][&function.id]["Properties"];
            given.extend(
                properties["Environment"]["Variables"]
                    .as_object()
                    .unwrap()
                    .keys()
                    .cloned(),
            );
        }
        let mut read = BTreeSet::new();
        for folder in ["shared/src", "functions"] {
            for call in ["required(\"", "optional(\"", "parsed(\""] {
                read.extend(
                    sources(&root().join(folder))
                        .split(call)
                        .skip(1)
                        .filter_map(|rest| rest.split('"').next().map(str::to_owned)),
                );
            }
        }
        let read: BTreeSet<String> = read
            .into_iter()
            .filter(|name| !OPTIONAL.contains(&name.as_str()))
            .collect();
        assert_eq!(read, given);
    }

    #[test]
    fn queues_and_policies_keep_the_rules() {
        let template = Template::read(root()).unwrap();
        let resources = template.0["Resources"].as_object().unwrap();
        let target = |value: &Value| value["Fn::GetAtt"][0].as_str().unwrap_or_default().to_owned();
        for (name, source) in template.resources("AWS::Lambda::EventSourceMapping") {
            let source = &source["Properties"];
            assert_eq!(
                source["FunctionResponseTypes"],
                json!(["ReportBatchItemFailures"]),
                "{name}"
            );
            let queue = &resources[&target(&source["EventSourceArn"])]["Properties"];
            let function = &resources[source["FunctionName"]["Ref"].as_str().unwrap()]["Properties"];
            assert!(
                queue["VisibilityTimeout"].as_u64() >= function["Timeout"].as_u64().map(|timeout| 6 * timeout),
                "{name}"
            );
            assert!(queue["MessageRetentionPeriod"].as_u64() >= Some(4 * 86_400), "{name}");
            assert!(queue["RedrivePolicy"]["maxReceiveCount"].as_u64() >= Some(50), "{name}");
            let dead_letter_queue = target(&queue["RedrivePolicy"]["deadLetterTargetArn"]);
            assert_eq!(
                resources[&dead_letter_queue]["Properties"]["MessageRetentionPeriod"],
                14 * 86_400,
                "{name}"
            );
            let alarms = template
                .resources("AWS::CloudWatch::Alarm")
                .filter(|(_, alarm)| target(&alarm["Properties"]["Dimensions"][0]["Value"]) == dead_letter_queue);
            assert_eq!(alarms.count(), 1, "{name}");
        }
        for (name, function) in template.resources("AWS::Serverless::Function") {
            let policies = function["Properties"]["Policies"].to_string();
            // The objects of one bucket, and the connections of one API, have no other name.
            let objects = [
                "${MediaBucket.Arn}/*",
                "${MediaBucket.Arn}/outbound/*",
                "${WebSocketApi}/live/POST/@connections/*",
            ];
            let policies = objects
                .iter()
                .fold(policies, |policies, name| policies.replace(name, ""));
            assert!(!policies.contains('*'), "{name} {policies}");
            assert!(
                function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"].is_string(),
                "{name}"
            );
        }
    }

    #[test]
    fn work_that_is_owed_has_a_clock_and_time_to_end() {
        let template = Template::read(root()).unwrap();
        let timeout = |function: &str| {
            let properties = &template.0["Resources"][function]["Properties"];
            Duration::from_secs(properties["Timeout"].as_u64().unwrap())
        };
        assert!(media::LEASE > timeout("MediaFunction"), "two could fetch one file");
        assert!(
            media::FETCH_TIME * 3 / 2 < timeout("MediaFunction"),
            "no file would ever be begun"
        );
        assert!(outbox::LEASE > timeout("OutboxFunction"), "two could send one message");
        assert!(send::LEASE > timeout("SendFunction"), "two could send one message");
        for function in [
            "ConsumerFunction",
            "MediaFunction",
            "OutboxFunction",
            "RealtimeFunction",
        ] {
            let clocks = template
                .resources("AWS::Scheduler::Schedule")
                .filter(|(_, clock)| clock["Properties"]["Target"]["Arn"] == json!({"Fn::GetAtt": [function, "Arn"]}));
            assert_eq!(clocks.count(), 1, "{function}");
        }
        for (name, clock) in template.resources("AWS::Scheduler::Schedule") {
            assert_eq!(clock["Properties"]["ScheduleExpression"], "rate(1 minute)", "{name}");
        }
        // Roles of our own are held to what policies of functions are.
        for (name, role) in template.resources("AWS::IAM::Role") {
            let policies = role["Properties"]["Policies"].to_string();
            assert!(!policies.contains('*'), "{name} {policies}");
        }
    }

    #[test]
    fn the_bucket_is_private_and_outlives_the_stack() {
        let template = Template::read(root()).unwrap();
        let buckets: Vec<_> = template.resources("AWS::S3::Bucket").collect();
        assert!(!buckets.is_empty());
        for (name, bucket) in buckets {
            for property in [
                "BlockPublicAcls",
                "BlockPublicPolicy",
                "IgnorePublicAcls",
                "RestrictPublicBuckets",
            ] {
                let block = &bucket["Properties"]["PublicAccessBlockConfiguration"];
                assert_eq!(block[property], true, "{name} {property}");
            }
            assert!(bucket["Properties"]["BucketEncryption"].is_object(), "{name}");
            assert_eq!(bucket["DeletionPolicy"], "Retain", "{name}");
            assert_eq!(bucket["UpdateReplacePolicy"], "Retain", "{name}");
        }
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
        let copy = Template::read(root())
            .unwrap()
            .for_emulator("bucket", &[("OutboxMaximumConcurrency", "3")])
            .unwrap();
        assert_eq!(
            copy["Resources"]["WebhookFunction"]["Properties"]["CodeUri"],
            "s3://bucket/webhook.zip"
        );
        assert_eq!(
            copy["Resources"]["ConsumerEvents"]["Properties"]["ScalingConfig"]["MaximumConcurrency"],
            10
        );
        let environment = &copy["Resources"]["OutboxFunction"]["Properties"]["Environment"]["Variables"];
        assert_eq!(environment["SEND_RETRY_SECONDS"], "3600");
        assert_eq!(
            copy["Resources"]["OutboxEvents"]["Properties"]["ScalingConfig"]["MaximumConcurrency"],
            3
        );
    }
}
