//! Deploys `template.yaml` to the emulator by CloudFormation, and adds what the emulator leaves out of it.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use super::emulator::Emulator;
use super::wait;
use crate::cache;
use crate::template::Template;

const STACK: &str = "waba";
const BUCKET: &str = "functions";

/// What the template is called in there.
const TEMPLATE: &str = "template.json";

/// What came of a deployment.
pub(super) struct Deployment {
    /// The template's outputs.
    pub(super) outputs: HashMap<String, String>,
    /// Physical ids by logical id.
    resources: HashMap<String, String>,
}

impl Deployment {
    /// One of the template's outputs.
    pub(super) fn output(&self, name: &str) -> Result<&str> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("template.yaml has no output {name}"))
    }

    fn physical_id(&self, logical: &str) -> Result<&str> {
        self.resources
            .get(logical)
            .map(String::as_str)
            .with_context(|| format!("{logical} was not deployed"))
    }
}

/// Values of the template's parameters, by name.
pub(super) type Parameters = Vec<(String, String)>;

/// Deploys the template with `binaries` behind its functions, and waits until all of it stands, migrations included.
pub(super) async fn create(
    emulator: &Emulator,
    template: &Template,
    binaries: &HashMap<String, PathBuf>,
    parameters: &[(String, String)],
) -> Result<Deployment> {
    emulator.create_bucket(BUCKET).await?;
    let deployment = apply(emulator, "CreateStack", template, binaries, parameters).await?;
    add_routes(emulator, template, &deployment).await?;
    Ok(deployment)
}

/// Deploys again over what is there; parameters that are not given stay as they are.
pub(super) async fn update(
    emulator: &Emulator,
    template: &Template,
    binaries: &HashMap<String, PathBuf>,
    given: &[(String, String)],
) -> Result<Deployment> {
    let description = emulator
        .call_cloudformation("DescribeStacks", &[("StackName", STACK)])
        .await?;
    let mut parameters: Parameters = texts(&description, "ParameterKey")
        .zip(texts(&description, "ParameterValue"))
        .filter(|(name, _)| given.iter().all(|(given, _)| given != name))
        .collect();
    parameters.extend_from_slice(given);
    let deployment = apply(emulator, "UpdateStack", template, binaries, &parameters).await?;
    // The routes that were added outlive an update, the CORS settings do not.
    set_cors(emulator, template, &deployment).await?;
    Ok(deployment)
}

async fn apply(
    emulator: &Emulator,
    action: &str,
    template: &Template,
    binaries: &HashMap<String, PathBuf>,
    parameters: &[(String, String)],
) -> Result<Deployment> {
    let mut packages = HashMap::new();
    for (name, binary) in binaries {
        let package = package(binary)?;
        // As by SAM, code that differs has another key: by that CloudFormation sees what changed.
        let key = format!("{name}-{}.zip", cache::short_hash(&binary.to_string_lossy()));
        emulator.put_object(BUCKET, &key, package).await?;
        packages.insert(name.clone(), format!("s3://{BUCKET}/{key}"));
    }
    // By way of S3, as SAM does: CloudFormation takes no more than 50 KB in the request itself.
    let body = template.for_emulator(&packages, parameters)?.to_string();
    emulator.put_object(BUCKET, TEMPLATE, body.into_bytes()).await?;
    let mut form = vec![
        ("StackName".to_owned(), STACK.to_owned()),
        ("TemplateURL".to_owned(), emulator.object_url(BUCKET, TEMPLATE)),
    ];
    for (number, capability) in ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"].iter().enumerate() {
        form.push((format!("Capabilities.member.{}", number + 1), (*capability).to_owned()));
    }
    for (number, (name, value)) in parameters.iter().enumerate() {
        let member = format!("Parameters.member.{}", number + 1);
        form.push((format!("{member}.ParameterKey"), name.clone()));
        form.push((format!("{member}.ParameterValue"), value.clone()));
    }
    let form: Vec<_> = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    emulator.call_cloudformation(action, &form).await?;
    let description = wait::until("the deployment", Duration::from_mins(3), async || {
        let description = emulator
            .call_cloudformation("DescribeStacks", &[("StackName", STACK)])
            .await?;
        let status = texts(&description, "StackStatus").next().unwrap_or_default();
        Ok(match status.as_str() {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" => Some(description),
            // Of a failure wait for the end: the events that explain it are complete only then.
            _ if status.ends_with("_IN_PROGRESS") => None,
            _ => bail!("template.yaml does not deploy ({status}): {}", failure(emulator).await?),
        })
    })
    .await?;
    let resources = emulator
        .call_cloudformation("DescribeStackResources", &[("StackName", STACK)])
        .await?;
    Ok(Deployment {
        outputs: texts(&description, "OutputKey")
            .zip(texts(&description, "OutputValue"))
            .collect(),
        resources: texts(&resources, "LogicalResourceId")
            .zip(texts(&resources, "PhysicalResourceId"))
            .collect(),
    })
}

/// The first thing that failed in the last deployment, and why.
async fn failure(emulator: &Emulator) -> Result<String> {
    let events = emulator
        .call_cloudformation("DescribeStackEvents", &[("StackName", STACK)])
        .await?;
    let text = |event: &str, tag| texts(event, tag).next().unwrap_or_default();
    // Newest first; each deployment begins with an event about the stack itself.
    let begins = |event: &str| {
        let status = text(event, "ResourceStatus");
        text(event, "LogicalResourceId") == STACK && ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"].contains(&&*status)
    };
    let failed = texts(&events, "member")
        .take_while(|event| !begins(event))
        .filter(|event| event.contains("CREATE_FAILED") || event.contains("UPDATE_FAILED"))
        .last()
        .unwrap_or_default();
    Ok(format!(
        "{}: {}",
        text(&failed, "LogicalResourceId"),
        text(&failed, "ResourceStatusReason")
    ))
}

async fn set_cors(emulator: &Emulator, template: &Template, deployment: &Deployment) -> Result<()> {
    let api = format!("/v2/apis/{}", deployment.output("ApiId")?);
    let cors = json!({ "corsConfiguration": template.cors() });
    emulator
        .call_rest("apigateway", Method::PATCH, &api, Some(&cors))
        .await
        .map(drop)
}

/// Sets the HTTP API's CORS and gives every route its function.
///
/// The emulator drops the OpenAPI body in which SAM puts both.
async fn add_routes(emulator: &Emulator, template: &Template, deployment: &Deployment) -> Result<()> {
    set_cors(emulator, template, deployment).await?;
    let api = format!("/v2/apis/{}", deployment.output("ApiId")?);
    let mut integrations: HashMap<String, String> = HashMap::new();
    for route in template.routes()? {
        if !integrations.contains_key(&route.function) {
            let configuration = function_configuration(emulator, deployment, &route.function).await?;
            let integration = json!({
                "integrationType": "AWS_PROXY",
                "integrationMethod": "POST",
                "integrationUri": configuration["FunctionArn"],
                "payloadFormatVersion": "2.0",
            });
            let made = emulator
                .call_rest(
                    "apigateway",
                    Method::POST,
                    &format!("{api}/integrations"),
                    Some(&integration),
                )
                .await?;
            let id = made["integrationId"]
                .as_str()
                .context("CreateIntegration answered without an id")?;
            integrations.insert(route.function.clone(), format!("integrations/{id}"));
        }
        let body = json!({ "routeKey": route.key, "target": integrations[&route.function] });
        emulator
            .call_rest("apigateway", Method::POST, &format!("{api}/routes"), Some(&body))
            .await?;
    }
    Ok(())
}

/// The environment of all functions together, as they were deployed.
pub(super) async fn function_environment(
    emulator: &Emulator,
    template: &Template,
    deployment: &Deployment,
) -> Result<BTreeMap<String, String>> {
    let mut environment = BTreeMap::new();
    for function in template.functions()? {
        let configuration = function_configuration(emulator, deployment, &function.id).await?;
        let variables = configuration["Environment"]["Variables"]
            .as_object()
            .into_iter()
            .flatten();
        environment.extend(variables.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))));
    }
    Ok(environment)
}

async fn function_configuration(emulator: &Emulator, deployment: &Deployment, logical: &str) -> Result<Value> {
    let path = format!(
        "/2015-03-31/functions/{}/configuration",
        deployment.physical_id(logical)?
    );
    emulator.call_rest("lambda", Method::GET, &path, None).await
}

/// A deployment package whose `bootstrap` runs the binary where it lies: nothing of 100 MB is packed and unpacked.
fn package(binary: &Path) -> Result<Vec<u8>> {
    let path = binary.to_string_lossy().replace('\'', r"'\''");
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .unix_permissions(0o755);
    archive.start_file("bootstrap", options)?;
    writeln!(archive, "#!/bin/sh\nexec '{path}'")?;
    Ok(archive.finish()?.into_inner())
}

/// The content of every `<tag>` of an XML answer, in order. The emulator writes them without attributes.
fn texts(xml: &str, tag: &str) -> impl Iterator<Item = String> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let pieces: Vec<_> = xml
        .split(&open)
        .skip(1)
        .filter_map(|piece| piece.split_once(&close))
        .map(|(content, _)| {
            content
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&amp;", "&")
        })
        .collect();
    pieces.into_iter()
}
