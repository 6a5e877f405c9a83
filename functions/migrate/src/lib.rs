//! Applies the migrations as a step of a deployment: a custom resource of CloudFormation, which waits for the answer at `ResponseURL`;
//! or by a plain invocation with `{}`, whose answer is the report.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html>.

use lambda_runtime::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::db::migrations::{self, MigrationError, Report};
use shared::db::settings::Settings;

/// CloudFormation shows this many bytes of a reason at the most; its whole answer may have 4 KB.
const REASON_LENGTH: usize = 1000;

/// What CloudFormation sends.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CustomResource {
    request_type: String,
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    physical_resource_id: Option<String>,
    #[serde(default)]
    resource_properties: Value,
    #[serde(default)]
    old_resource_properties: Value,
}

impl CustomResource {
    /// Whether a failed deployment goes back to the function's version before. What runs there has its schema, and a newer one bears it; were it
    /// migrated again, whatever made the deployment fail could make the way back fail too, and leave the stack in `UPDATE_ROLLBACK_FAILED`.
    fn goes_back(&self) -> bool {
        // An ARN with the number at its end.
        let version = |properties: &Value| {
            let arn = properties["FunctionVersion"].as_str()?;
            arn.rsplit(':').next()?.parse::<u64>().ok()
        };
        version(&self.resource_properties)
            .zip(version(&self.old_resource_properties))
            .is_some_and(|(wanted, now)| wanted < now)
    }
}

/// Takes an event. `settings` is what reading them came to, so that a wrong one is reported too: CloudFormation waits for an hour
/// otherwise.
///
/// # Errors
/// Of a plain invocation: why the schema is not up to date. Of a custom resource: that CloudFormation could not be told.
pub async fn handle(settings: &Result<Settings, String>, event: Value) -> Result<Value, Error> {
    if event.get("ResponseURL").is_none() {
        return Ok(summary(&migrate(settings).await?));
    }
    let request: CustomResource =
        serde_json::from_value(event).map_err(|error| format!("the custom resource's event is malformed: {error}"))?;
    // The schema outlives the stack: the data is not ours to delete.
    let result = if request.request_type == "Delete" || request.goes_back() {
        Ok(json!({}))
    } else {
        migrate(settings).await.map(|report| summary(&report))
    };
    if let Err(error) = &result {
        tracing::error!(error, "migration failed");
    }
    respond(&request, &result).await?;
    Ok(json!({"status": if result.is_ok() { "SUCCESS" } else { "FAILED" }}))
}

async fn migrate(settings: &Result<Settings, String>) -> Result<Report, String> {
    let settings = settings.as_ref().map_err(Clone::clone)?;
    let report = migrations::run(settings)
        .await
        .map_err(|error: MigrationError| error.to_string())?;
    tracing::info!(applied = report.applied.join(", "), "schema is up to date");
    if !report.exposed_tables.is_empty() {
        tracing::warn!(
            tables = report.exposed_tables.join(", "),
            "browsers can reach tables through Supabase's roles; enable row level security on them"
        );
    }
    Ok(report)
}

fn summary(report: &Report) -> Value {
    json!({"applied": report.applied, "exposed_tables": report.exposed_tables})
}

async fn respond(request: &CustomResource, result: &Result<Value, String>) -> Result<(), Error> {
    let id = request.physical_resource_id.as_deref().unwrap_or("schema");
    let mut answer = json!({
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_resource_id,
        "PhysicalResourceId": id,
    });
    match result {
        Ok(_) => answer["Status"] = "SUCCESS".into(),
        Err(error) => {
            answer["Status"] = "FAILED".into();
            let reason: String = error.chars().take(REASON_LENGTH).collect();
            answer["Reason"] = reason.into();
        }
    }
    // The URL is signed for a request without a content type.
    reqwest::Client::new()
        .put(&request.response_url)
        .body(answer.to_string())
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(|error| format!("CloudFormation could not be told: {}", error.without_url()))?;
    Ok(())
}
