//! Template, code and documents agree.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use super::*;

pub(crate) fn root() -> &'static Path {
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
pub(crate) fn sources(folder: &Path) -> String {
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
    let all = &template.globals()["Environment"]["Variables"];
    let mut given: BTreeSet<_> = all.as_object().unwrap().keys().cloned().collect();
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
}

#[test]
fn policies_name_what_they_allow() {
    let template = Template::read(root()).unwrap();
    // The objects of one bucket, and the connections of one API, have no other name.
    let objects = [
        "${MediaBucket.Arn}/*",
        "${MediaBucket.Arn}/outbound/*",
        "${WebSocketApi}/live/POST/@connections/*",
    ];
    for (name, resource) in template.0["Resources"].as_object().unwrap() {
        let properties = &resource["Properties"];
        let mut statements = Vec::new();
        for policy in [&properties["PolicyDocument"]["Statement"], &properties["Policies"]] {
            collect_allowed(policy, &mut statements);
        }
        for statement in statements {
            let allowed = objects
                .iter()
                .fold(statement.to_string(), |statement, name| statement.replace(name, ""));
            assert!(!allowed.contains('*'), "{name} {allowed}");
        }
    }
}

/// Every statement that allows something, however deep.
fn collect_allowed<'a>(value: &'a Value, statements: &mut Vec<&'a Value>) {
    match value {
        Value::Object(map) if map.get("Effect").is_some_and(|effect| effect == "Allow") => statements.push(value),
        Value::Object(map) => map.values().for_each(|inner| collect_allowed(inner, statements)),
        Value::Array(items) => items.iter().for_each(|inner| collect_allowed(inner, statements)),
        _ => {}
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
        let policies = template
            .resources("AWS::S3::BucketPolicy")
            .filter(|(_, policy)| policy["Properties"]["Bucket"]["Ref"] == **name);
        let denied: Vec<_> = policies
            .map(|(_, policy)| &policy["Properties"]["PolicyDocument"]["Statement"][0])
            .collect();
        assert_eq!(denied[0]["Effect"], "Deny", "{name}");
        assert_eq!(
            denied[0]["Condition"],
            json!({"Bool": {"aws:SecureTransport": "false"}}),
            "{name}"
        );
    }
}

#[test]
fn every_package_of_a_function_is_deployed() {
    let template = Template::read(root()).unwrap();
    let mut deployed = BTreeSet::new();
    for function in template.functions().unwrap() {
        let resource = &template.0["Resources"][&function.id];
        assert_eq!(
            resource["Properties"]["CodeUri"],
            format!("functions/{}", function.name)
        );
        assert_eq!(
            resource["Metadata"]["BuildMethod"], "rust-cargolambda",
            "{}",
            function.id
        );
        deployed.insert(function.name);
    }
    let packages = std::fs::read_dir(root().join("functions")).unwrap();
    let packages: BTreeSet<_> = packages
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(packages, deployed);
}

#[test]
fn every_parameter_is_described_and_asked_for_in_one_group() {
    let template = Template::read(root()).unwrap();
    let groups = &template.0["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"];
    let mut grouped: Vec<_> = groups
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["Parameters"].as_array().unwrap())
        .map(|name| name.as_str().unwrap())
        .collect();
    grouped.sort_unstable();
    let parameters = template.0["Parameters"].as_object().unwrap();
    let mut names: Vec<_> = parameters.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(grouped, names);
    for (name, parameter) in parameters {
        assert!(parameter["Description"].is_string(), "{name}");
    }
}

#[test]
fn an_answer_comes_before_api_gateway_gives_up() {
    let template = Template::read(root()).unwrap();
    let default = &template.0["Globals"]["Function"]["Timeout"];
    let mut answering: BTreeSet<String> = template
        .routes()
        .unwrap()
        .into_iter()
        .map(|route| route.function)
        .collect();
    // Behind the WebSocket API too.
    assert!(!answering.insert("RealtimeFunction".to_owned()));
    for function in answering {
        let timeout = &template.0["Resources"][&function]["Properties"]["Timeout"];
        let timeout = timeout.as_u64().or(default.as_u64()).unwrap();
        assert!(timeout <= 29, "{function} {timeout}");
    }
}

#[test]
fn only_what_reads_the_database_joins_the_vpc_and_its_connections_are_counted() {
    let template = Template::read(root()).unwrap();
    let (mut terms, mut unconditional) = (BTreeSet::new(), 0);
    let mut http = 0;
    for (name, function) in template.resources("AWS::Serverless::Function") {
        let properties = &function["Properties"];
        let reads_database = properties["Environment"]["Variables"]["DATABASE_SECRET_ARN"].is_object();
        assert_eq!(
            properties["VpcConfig"]["Fn::If"][0] == "HasVpc",
            reads_database,
            "{name}"
        );
        assert_eq!(reads_database, name != "WebhookFunction", "{name}");
        // Only while deploying.
        if !reads_database || name == "MigrateFunction" {
            continue;
        }
        let mut sources = template
            .resources("AWS::Lambda::EventSourceMapping")
            .filter(|(_, source)| source["Properties"]["FunctionName"]["Ref"] == **name);
        let reserved = &properties["ReservedConcurrentExecutions"]["Fn::If"];
        if let Some((_, source)) = sources.next() {
            let most = source["Properties"]["ScalingConfig"]["MaximumConcurrency"]["Ref"].as_str();
            terms.insert(format!("`{}`", most.unwrap()));
            // The clock calls beside the queue.
            unconditional += 1;
        } else {
            assert_eq!(reserved[0], "HasHttpConcurrency", "{name}");
            assert_eq!(reserved[1]["Ref"], "HttpConcurrency", "{name}");
            http += 1;
        }
        assert!(sources.next().is_none(), "{name}");
    }
    let terms: Vec<_> = terms.into_iter().collect();
    let sum = format!("{http} × `HttpConcurrency` + {} + {unconditional}", terms.join(" + "));
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&sum), "README.md does not say {sum}");
}

#[test]
fn what_is_stored_takes_the_key_of_the_installation() {
    let template = Template::read(root()).unwrap();
    let key = json!({"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]});
    for (kind, property) in [
        ("AWS::SQS::Queue", "/KmsMasterKeyId"),
        ("AWS::SecretsManager::Secret", "/KmsKeyId"),
        ("AWS::Logs::LogGroup", "/KmsKeyId"),
        (
            "AWS::S3::Bucket",
            "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/KMSMasterKeyID",
        ),
    ] {
        let resources: Vec<_> = template.resources(kind).collect();
        assert!(!resources.is_empty(), "{kind}");
        for (name, resource) in resources {
            assert_eq!(resource["Properties"].pointer(property), Some(&key), "{name}");
        }
    }
    for (name, function) in template.resources("AWS::Serverless::Function") {
        assert_eq!(function["Properties"]["Policies"][0]["Ref"], "FunctionPolicy", "{name}");
        assert!(
            function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"].is_string(),
            "{name}"
        );
    }
}

#[test]
fn access_logs_tell_neither_who_nor_what() {
    let template = Template::read(root()).unwrap();
    let stages = [
        &template.0["Resources"]["Api"]["Properties"]["AccessLogSettings"],
        &template.0["Resources"]["WebSocketStage"]["Properties"]["AccessLogSettings"]["Fn::If"][1],
    ];
    for settings in stages {
        let format: Value = serde_json::from_str(settings["Format"].as_str().unwrap()).unwrap();
        let variables: BTreeSet<_> = format
            .as_object()
            .unwrap()
            .values()
            .map(|value| value.as_str().unwrap())
            .collect();
        for needed in [
            "$context.requestId",
            "$context.routeKey",
            "$context.status",
            "$context.integrationErrorMessage",
        ] {
            assert!(variables.contains(needed), "{needed}");
        }
        for private in ["identity", "path", "request.", "authorizer", "queryString"] {
            assert!(
                !variables.iter().any(|variable| variable.contains(private)),
                "{private}"
            );
        }
    }
}

#[test]
fn the_webhook_has_a_limit_of_its_own() {
    let template = Template::read(root()).unwrap();
    let limits = template.0["Resources"]["Api"]["Properties"]["RouteSettings"]
        .as_object()
        .unwrap();
    let routes = template.routes().unwrap();
    for (route, limit) in limits {
        assert!(routes.iter().any(|deployed| deployed.key == *route), "{route}");
        assert_eq!(limit["ThrottlingRateLimit"]["Ref"], "WebhookRequestsPerSecond");
    }
    let parameter = |name: &str| template.0["Parameters"][name]["Default"].as_u64().unwrap();
    assert!(parameter("WebhookRequestsPerSecond") > parameter("RequestsPerSecond"));
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
    let template = Template::read(root()).unwrap();
    let names = template.functions().unwrap().into_iter().map(|function| function.name);
    let packages = names
        .map(|name| (name.clone(), format!("s3://bucket/{name}.zip")))
        .collect();
    let given = [("OutboxMaximumConcurrency".to_owned(), "3".to_owned())];
    let copy = template.for_emulator(&packages, &given).unwrap();
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
