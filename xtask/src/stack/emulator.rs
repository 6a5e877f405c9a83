//! The AWS emulator (ministack): its process, and the few calls of AWS that a deployment takes.
//!
//! It checks no signature: a header that names the service is enough, so plain HTTP stands in for one SDK a service.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::wait;
use crate::janitor::{Chore, Janitor};

pub(crate) const REGION: &str = "us-east-1";

/// A running emulator.
pub(crate) struct Emulator {
    pub(crate) url: String,
    http: reqwest::Client,
}

impl Emulator {
    /// One that runs already.
    pub(super) fn at(url: String) -> Self {
        let http = reqwest::Client::new();
        Self { url, http }
    }

    /// Starts the emulator and waits until it answers. It ends with its process.
    pub(crate) async fn start(
        python: &Path,
        port: u16,
        run_folder: &Path,
        logs: &Path,
        janitor: &mut Janitor,
    ) -> Result<(Self, Child)> {
        let url = format!("http://127.0.0.1:{port}");
        let temporary = run_folder.join("tmp");
        std::fs::create_dir_all(&temporary)?;
        let log_path = logs.join("ministack.log");
        let log = File::create(&log_path)?;
        let mut process = Command::new(python.join("python"))
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python/emulator.py"))
            // Functions inherit the emulator's environment: nothing of the developer's shell may reach them.
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("TMPDIR", &temporary)
            .env("PYTHONUNBUFFERED", "1")
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("MINISTACK_REGION", REGION)
            .env("GATEWAY_PORT", port.to_string())
            .env("AWS_ENDPOINT_URL", &url)
            .env("DOCKER_HOST", "unix:///nonexistent")
            .env("FUNCTION_LOGS", logs)
            // A day: an idle function stays warm.
            .env("LAMBDA_WARM_TTL_SECONDS", "86400")
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Its functions are in this group too, so they all go at once.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("the AWS emulator cannot be started")?;
        janitor.entrust(&Chore::KillGroup(
            process.id().context("the AWS emulator ended at once")?,
        ))?;
        let emulator = Self::at(url);
        let ready = format!("{}/_ministack/ready", emulator.url);
        wait::until("the AWS emulator", Duration::from_mins(1), async || {
            if let Some(status) = process.try_wait()? {
                bail!("the AWS emulator ended ({status}): see {}", log_path.display());
            }
            let answer = emulator.http.get(&ready).send().await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        })
        .await?;
        Ok((emulator, process))
    }

    /// Makes a bucket.
    pub(super) async fn create_bucket(&self, bucket: &str) -> Result<()> {
        self.send(self.request("s3", Method::PUT, &format!("/{bucket}")))
            .await
            .map(drop)
    }

    /// Stores an object.
    pub(super) async fn put_object(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<()> {
        self.send(self.request("s3", Method::PUT, &format!("/{bucket}/{key}")).body(body))
            .await
            .map(drop)
    }

    /// Where an object is.
    pub(super) fn object_url(&self, bucket: &str, key: &str) -> String {
        format!("{}/{bucket}/{key}", self.url)
    }

    /// Makes a secret and gives its ARN.
    pub(super) async fn create_secret(&self, name: &str, value: &str) -> Result<String> {
        let made = self
            .call_secrets("CreateSecret", &json!({ "Name": name, "SecretString": value }))
            .await?;
        made["ARN"]
            .as_str()
            .map(str::to_owned)
            .context("CreateSecret answered without an ARN")
    }

    /// Gives a secret another value.
    pub(super) async fn put_secret(&self, id: &str, value: &str) -> Result<()> {
        self.call_secrets("PutSecretValue", &json!({ "SecretId": id, "SecretString": value }))
            .await
            .map(drop)
    }

    async fn call_secrets(&self, action: &str, body: &Value) -> Result<Value> {
        let request = self
            .request("secretsmanager", Method::POST, "/")
            .header("X-Amz-Target", format!("secretsmanager.{action}"))
            .header("Content-Type", "application/x-amz-json-1.1")
            .body(body.to_string());
        serde_json::from_str(&self.send(request).await?).with_context(|| format!("{action} answered no JSON"))
    }

    /// A CloudFormation action; the answer is XML.
    pub(super) async fn call_cloudformation(&self, action: &str, parameters: &[(&str, &str)]) -> Result<String> {
        let mut form = vec![("Action", action), ("Version", "2010-05-15")];
        form.extend_from_slice(parameters);
        self.send(self.request("cloudformation", Method::POST, "/").form(&form))
            .await
    }

    /// A call of one of the services that speak REST and JSON (API Gateway, Lambda).
    pub(super) async fn call_rest(
        &self,
        service: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let mut request = self.request(service, method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        serde_json::from_str(&self.send(request).await?).with_context(|| format!("{path} answered no JSON"))
    }

    fn request(&self, service: &str, method: Method, path: &str) -> RequestBuilder {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        self.http
            .request(method, format!("{}{path}", self.url))
            .header("Authorization", scope)
    }

    async fn send(&self, request: RequestBuilder) -> Result<String> {
        let answer = request.send().await.context("the AWS emulator does not answer")?;
        let (status, url) = (answer.status(), answer.url().path().to_owned());
        let body = answer.text().await?;
        if !status.is_success() {
            // Of an XML answer only the sentence.
            let message = body
                .split_once("<Message>")
                .and_then(|(_, rest)| rest.split_once("</Message>"));
            bail!(
                "the AWS emulator refused {url} ({status}): {}",
                message.map_or(body.as_str(), |(message, _)| message)
            );
        }
        Ok(body)
    }
}
