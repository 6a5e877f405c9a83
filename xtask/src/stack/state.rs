//! What a stack writes down: secrets that outlive a restart, and the files by which others find it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use aws_config::BehaviorVersion;
use aws_lc_rs::rand;
use aws_sdk_sqs::config::Credentials;
use jiff::Timestamp;
use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::whatsapp::signature;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::REGION;

/// A socket of a page.
pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The secrets of a stack. They are kept beside the database, whose access tokens are encrypted by one of them.
#[derive(Serialize, Deserialize)]
pub(crate) struct Secrets {
    pub(crate) app_secret: String,
    pub(crate) verify_token: String,
    pub(crate) jwt_secret: String,
    /// The AES-256 key of the access tokens, in hexadecimal digits.
    pub(crate) token_key: String,
    /// What the demo account's Graph calls are authorised by.
    pub(crate) access_token: String,
}

impl Secrets {
    /// Reads the secrets of an earlier run, or makes new ones.
    pub(super) fn read_or_create(folder: &Path) -> Result<Self> {
        let path = folder.join("secrets.json");
        if let Ok(text) = fs::read_to_string(&path) {
            return serde_json::from_str(&text).with_context(|| format!("{} is damaged: delete it", path.display()));
        }
        let secrets = Self {
            // The same everywhere, so that the sample events in `events/` are signed right. Everything listens on loopback alone.
            app_secret: "local-app-secret".to_owned(),
            verify_token: "local-verify-token".to_owned(),
            jwt_secret: "local jwt secret, worth nothing elsewhere".to_owned(),
            token_key: random_hex::<32>()?,
            access_token: format!("EAAdemo{}", random_hex::<24>()?),
        };
        write_private(&path, &serde_json::to_string_pretty(&secrets)?)?;
        Ok(secrets)
    }
}

/// `.local/stack.json`: where everything of a running stack is.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StackFile {
    pub(crate) api_url: String,
    pub(crate) websocket_url: String,
    pub(crate) web_url: Option<String>,
    pub(crate) webhook_url: String,
    pub(crate) graph_url: String,
    pub(crate) simulator_url: String,
    pub(crate) simulator_log_url: String,
    pub(crate) aws_endpoint_url: String,
    pub(crate) events_queue_url: String,
    pub(crate) dead_letter_queue_url: String,
    pub(crate) media_queue_url: String,
    pub(crate) media_dead_letter_queue_url: String,
    pub(crate) outbox_queue_url: String,
    pub(crate) outbox_dead_letter_queue_url: String,
    pub(crate) media_bucket: String,
    pub(crate) database_url: String,
    pub(crate) verify_token: String,
    pub(crate) app_secret: String,
    pub(crate) jwt_secret: String,
    pub(crate) jwt_issuer: String,
    /// The key ring as it was when the stack started.
    pub(crate) token_keys: Value,
    /// Where it is now.
    pub(crate) token_keys_secret_arn: String,
    /// Where the key pair for push services is.
    pub(crate) push_keys_secret_arn: String,
    /// Where the app secrets and the verify token are.
    pub(crate) webhook_secret_arn: String,
    pub(crate) user_id: String,
    pub(crate) waba_id: String,
    pub(crate) phone_number_id: String,
    pub(crate) agent_token: String,
    pub(crate) logs: String,
    /// Where the functions' binaries are kept while it runs.
    pub(crate) functions: PathBuf,
    /// What `sam build` made, where that was deployed.
    pub(crate) artifacts: Option<PathBuf>,
}

impl StackFile {
    /// The SDK's settings for the emulated AWS.
    pub(crate) async fn aws(&self) -> aws_config::SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .region(REGION)
            .credentials_provider(Credentials::new("test", "test", None, None, "the local stack"))
            .endpoint_url(&self.aws_endpoint_url)
            .load()
            .await
    }

    /// The running stack of this folder.
    ///
    /// # Errors
    /// When none has run there.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("stack.json");
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "no stack runs in {}: start one with `cargo xtask dev`",
                folder.display()
            )
        })?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Asks a route of the agents' API, as the demo agent.
    ///
    /// # Errors
    /// When it is not answered with success.
    pub(crate) async fn get(&self, http: &Client, route: &str, query: &[(&str, &str)]) -> Result<Value> {
        let url = format!("{}/api/live-chat/{route}", self.api_url);
        let request = http.get(url).query(query).bearer_auth(&self.agent_token);
        let answer = request.send().await.context("the API does not answer")?;
        if !answer.status().is_success() {
            bail!("GET {route} was answered with {}", answer.status());
        }
        Ok(answer.json().await?)
    }

    /// Opens the socket of a page, as the demo agent.
    ///
    /// # Errors
    /// When there is no ticket, or it opens nothing.
    pub(crate) async fn open_socket(&self, http: &Client) -> Result<Socket> {
        let url = format!("{}/api/live-chat/realtime-ticket", self.api_url);
        let asked = http.post(url).bearer_auth(&self.agent_token).send().await?;
        let ticket: Value = asked.error_for_status()?.json().await?;
        let url = ticket["url"].as_str().context("a ticket without a URL")?;
        let (socket, _) = connect_async(url).await.context("no socket opens")?;
        Ok(socket)
    }

    /// The webhook of a text that a customer of the demo account writes now.
    pub(crate) fn customer_text(&self, phone: &str, wamid: &str, text: &str) -> String {
        let message = json!({"from": phone, "id": wamid, "timestamp": Timestamp::now().as_second().to_string(),
            "type": "text", "text": {"body": text}});
        let value = json!({"messaging_product": "whatsapp", "messages": [message],
            "metadata": {"display_phone_number": "15550000000", "phone_number_id": self.phone_number_id},
            "contacts": [{"profile": {"name": "Measured"}, "wa_id": phone}]});
        json!({"object": "whatsapp_business_account",
            "entry": [{"id": self.waba_id, "changes": [{"field": "messages", "value": value}]}]})
        .to_string()
    }

    /// Posts a webhook as Meta does.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn post_webhook(&self, http: &Client, body: String) -> Result<StatusCode> {
        let signature = signature::sign(&self.app_secret, body.as_bytes());
        let request = http
            .post(&self.webhook_url)
            .header(signature::HEADER, signature)
            .header("content-type", "application/json");
        let answer = request.body(body).send().await.context("the webhook does not answer")?;
        Ok(answer.status())
    }
}

/// Writes a file that only its owner can read, all at once.
pub(super) fn write_private(path: &Path, text: &str) -> Result<()> {
    let unfinished = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .with_context(|| format!("cannot write {}", unfinished.display()))?;
    file.write_all(text.as_bytes())?;
    fs::rename(&unfinished, path).with_context(|| format!("cannot write {}", path.display()))
}

fn random_hex<const BYTES: usize>() -> Result<String> {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).ok().context("no random numbers")?;
    Ok(hex::encode(bytes))
}
