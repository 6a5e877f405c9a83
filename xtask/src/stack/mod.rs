//! The local stack: PostgreSQL, the AWS emulator with `template.yaml` deployed to it, the simulated Meta, and demo data.
//!
//! | module | what |
//! |---|---|
//! | `emulator` | the emulator's process and the AWS calls of a deployment |
//! | `deploy` | `template.yaml` by CloudFormation, then routes and CORS |
//! | `page` | the server of the page in `web/` |
//! | `demo` | the demo account and its first conversations |
//! | `state` | secrets that are kept, and `stack.json` |
//! | `wait` | waits for a condition with a deadline |

mod demo;
mod deploy;
mod emulator;
mod page;
mod state;
mod wait;

use std::collections::HashMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;
use shared::tokens::KeyRing;
use tokio::process::Child;
use tokio::task::JoinHandle;

use crate::janitor::{Chore, Janitor};
use crate::postgres::Server;
use crate::template::{Function, Template};
use crate::{functions, python};
pub(crate) use emulator::{Emulator, REGION};
pub(crate) use page::Page;
use state::Secrets;
pub(crate) use state::{Socket, StackFile};

const DATABASE: &str = "waba";
pub(crate) const GRAPH_VERSION: &str = "v26.0";

/// The key pair of an example in RFC 8291: the same everywhere, so that browsers stay subscribed, and worth nothing elsewhere.
pub(crate) const PUSH_KEYS: &str = r#"{"private_key": "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", "public_key": "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8", "subject": "mailto:agent@example.com"}"#;

/// How a stack is started.
pub(crate) struct Options {
    /// A fresh database that is deleted at the end.
    pub(crate) ephemeral: bool,
    /// Where `stack.json`, logs and, unless ephemeral, the database go.
    pub(crate) state_folder: PathBuf,
    /// Another Graph API than the simulator.
    pub(crate) graph_url: Option<String>,
    /// What the functions log.
    pub(crate) log_level: String,
    /// 0 takes any free port.
    pub(crate) ports: Ports,
    /// Which page is served.
    pub(crate) page: Page,
    /// What `sam build` made, instead of what cargo builds now.
    pub(crate) artifacts: Option<PathBuf>,
}

impl Options {
    /// One of its own, without a page.
    pub(crate) fn ephemeral(state_folder: PathBuf) -> Self {
        Self {
            ephemeral: true,
            state_folder,
            graph_url: None,
            log_level: "info".to_owned(),
            ports: Ports::default(),
            page: Page::None,
            artifacts: None,
        }
    }
}

/// The ports of a stack.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ports {
    pub(crate) aws: u16,
    pub(crate) postgres: u16,
    pub(crate) simulator: u16,
    pub(crate) web: u16,
}

/// A running stack. Its processes are the janitor's to stop.
pub(crate) struct Stack {
    pub(crate) file: StackFile,
    emulator: Child,
    simulator: JoinHandle<Result<()>>,
    page: Option<page::Server>,
    /// Keeps a second stack out of the state folder.
    _lock: File,
}

impl Stack {
    /// Starts everything and waits until the demo conversations have gone the whole way.
    ///
    /// # Errors
    /// When a tool is missing, a port is in use, the build fails or a part does not come up.
    pub(crate) async fn start(root: &Path, options: &Options, janitor: &mut Janitor) -> Result<Self> {
        let folder = &options.state_folder;
        fs::create_dir_all(folder.join("logs")).with_context(|| format!("cannot create {}", folder.display()))?;
        let folder = &folder.canonicalize()?;
        let lock = claim(folder)?;
        let stack_file = folder.join("stack.json");
        let _ = fs::remove_file(&stack_file);
        janitor.entrust(&Chore::Remove(stack_file.clone()))?;
        let ports = Ports {
            aws: available_port(options.ports.aws, "AWS emulator", "--aws-port")?,
            postgres: available_port(options.ports.postgres, "PostgreSQL", "--postgres-port")?,
            simulator: available_port(options.ports.simulator, "simulator", "--simulator-port")?,
            web: match options.page {
                Page::None => 0,
                _ => available_port(options.ports.web, "web page", "--web-port")?,
            },
        };

        let artifacts = options.artifacts.as_deref().map(Path::canonicalize).transpose();
        let artifacts = artifacts.context("--artifacts names no folder")?;
        let template = Template::read(artifacts.as_deref().unwrap_or(root))?;
        let python = python::environment(python::STACK).await?;
        let run_folder = std::env::temp_dir().join(format!("waba-live-chat-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&run_folder)?;
        janitor.entrust(&Chore::Remove(run_folder.clone()))?;
        let data = if options.ephemeral {
            open_folder(&run_folder)?.join("postgres")
        } else {
            folder.join("postgres")
        };
        let postgres = Server::prepare(&data, ports.postgres, options.ephemeral).await?;

        let binaries = release(root, artifacts.as_deref(), &template, &run_folder).await?;

        println!("Starting PostgreSQL and the AWS emulator");
        janitor.entrust(&Chore::StopPostgres(postgres.clone()))?;
        postgres.start()?;
        create_database(&postgres).await?;
        let logs = folder.join("logs");
        let (emulator, emulator_process) = Emulator::start(&python, ports.aws, &run_folder, &logs, janitor).await?;

        println!("Deploying template.yaml");
        let secrets = Secrets::read_or_create(folder)?;
        let token_keys = json!({ "active": "k1", "k1": secrets.token_key });
        let database_url = postgres.url(DATABASE);
        let simulator_url = format!("http://127.0.0.1:{}", ports.simulator);
        // The keys that it publishes sign nothing: the stack's tokens are signed by the legacy secret.
        let issuer = format!("{simulator_url}/auth/v1");
        let graph_url = options.graph_url.clone().unwrap_or_else(|| simulator_url.clone());
        let database_secret = emulator.create_secret("database", &database_url).await?;
        let auth_secret = emulator
            .create_secret("auth", &json!({ "jwt_secret": secrets.jwt_secret }).to_string())
            .await?;
        let gateway = format!("127.0.0.1:{}/_aws/execute-api", ports.aws);
        let parameters = [
            ("DatabaseSecretArn", database_secret.as_str()),
            ("AuthIssuer", &issuer),
            ("AuthSecretArn", &auth_secret),
            ("GraphUrl", &graph_url),
            ("GraphVersion", GRAPH_VERSION),
            ("EmulatedGateway", &gateway),
            // On a desk nobody waits a quarter of an hour.
            ("ConfirmationSeconds", "60"),
            ("PushHostOverride", &simulator_url),
            ("LogLevel", &options.log_level),
            (
                "Architecture",
                if cfg!(target_arch = "aarch64") {
                    "arm64"
                } else {
                    "x86_64"
                },
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let deployment = deploy::create(&emulator, &template, &binaries, &parameters).await?;
        let webhook_secret = json!({ "app_secrets": [secrets.app_secret], "verify_token": secrets.verify_token });
        let webhook_secret_arn = deployment.output("WebhookSecretArn")?;
        emulator
            .put_secret(webhook_secret_arn, &webhook_secret.to_string())
            .await?;
        let token_keys_secret_arn = deployment.output("TokenKeysSecretArn")?;
        emulator
            .put_secret(token_keys_secret_arn, &token_keys.to_string())
            .await?;

        let push_keys_secret_arn = deployment.output("PushKeysSecretArn")?;
        emulator.put_secret(push_keys_secret_arn, PUSH_KEYS).await?;

        println!("Filling in the demo data");
        let api_url = format!("{}/_aws/execute-api/{}", emulator.url, deployment.output("ApiId")?);
        let webhook_url = format!("{api_url}/api/webhooks/whatsapp");
        let database = connect(&database_url).await?;
        let encrypted = KeyRing::parse(&token_keys.to_string())?.encrypt(demo::WABA_ID, &secrets.access_token)?;
        demo::insert_account(&database, &encrypted).await?;
        let simulator = serve_simulator(ports.simulator, &webhook_url, &secrets).await?;
        demo::post_conversations(&database, &simulator_url).await?;

        let mut file = StackFile {
            agent_token: agent_token(&issuer, &secrets.jwt_secret)?,
            webhook_url,
            websocket_url: format!("ws://{gateway}/{}/live", deployment.output("WebSocketApiId")?),
            web_url: None,
            graph_url,
            simulator_log_url: format!("{simulator_url}/_simulator/requests"),
            simulator_url,
            aws_endpoint_url: emulator.url.clone(),
            events_queue_url: deployment.output("EventsQueueUrl")?.to_owned(),
            dead_letter_queue_url: deployment.output("EventsDeadLetterQueueUrl")?.to_owned(),
            media_queue_url: deployment.output("MediaQueueUrl")?.to_owned(),
            media_dead_letter_queue_url: deployment.output("MediaDeadLetterQueueUrl")?.to_owned(),
            outbox_queue_url: deployment.output("OutboxQueueUrl")?.to_owned(),
            outbox_dead_letter_queue_url: deployment.output("OutboxDeadLetterQueueUrl")?.to_owned(),
            media_bucket: deployment.output("MediaBucket")?.to_owned(),
            database_url,
            verify_token: secrets.verify_token,
            app_secret: secrets.app_secret,
            jwt_secret: secrets.jwt_secret,
            jwt_issuer: issuer,
            token_keys,
            token_keys_secret_arn: token_keys_secret_arn.to_owned(),
            push_keys_secret_arn: push_keys_secret_arn.to_owned(),
            webhook_secret_arn: webhook_secret_arn.to_owned(),
            user_id: demo::USER_ID.to_owned(),
            waba_id: demo::WABA_ID.to_owned(),
            phone_number_id: demo::PHONE_NUMBER_ID.to_owned(),
            logs: logs.display().to_string(),
            functions: run_folder.clone(),
            artifacts,
            api_url,
        };
        let page = page::serve(root, options.page, ports.web, &file, &run_folder, janitor).await?;
        file.web_url = page.as_ref().map(|page| page.url.clone());
        let environment = watch_environment(&emulator, &template, &deployment, &file).await?;
        state::write_private(&folder.join("lambda.env"), &environment)?;
        state::write_private(&folder.join("postgres.json"), &serde_json::to_string(&postgres)?)?;
        state::write_private(&stack_file, &serde_json::to_string_pretty(&file)?)?;
        Ok(Self {
            file,
            emulator: emulator_process,
            simulator,
            page,
            _lock: lock,
        })
    }

    /// Comes back only when a part of the stack ends by itself, with the reason. (PostgreSQL may be stopped and started.)
    pub(crate) async fn failure(&mut self) -> anyhow::Error {
        tokio::select! {
            status = self.emulator.wait() => anyhow::anyhow!("the AWS emulator ended: {status:?}, see {}/ministack.log", self.file.logs),
            ended = page::end(self.page.as_mut()) => anyhow::anyhow!("the page's server ended ({ended}): see {}/web.log", self.file.logs),
            ended = &mut self.simulator => anyhow::anyhow!("the simulator ended: {ended:?}"),
        }
    }
}

/// Whether no stack uses this state folder now.
pub(crate) fn is_free(folder: &Path) -> bool {
    !folder.exists() || claim(folder).is_ok()
}

/// Refuses a state folder that another stack uses.
fn claim(folder: &Path) -> Result<File> {
    let lock = File::create(folder.join("lock"))?;
    if lock.try_lock().is_err() {
        bail!(
            "a stack is running already in {} (`--ephemeral` starts another beside it)",
            folder.display()
        );
    }
    Ok(lock)
}

/// `wanted`, or any free port for 0.
fn available_port(wanted: u16, what: &str, option: &str) -> Result<u16> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, wanted))).with_context(|| {
        format!("port {wanted} of the {what} is in use: stop what uses it, or choose another with {option}")
    })?;
    Ok(listener.local_addr()?.port())
}

/// Lets every user pass: PostgreSQL runs as another one where we are root.
fn open_folder(folder: &Path) -> Result<&Path> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// Deploys again over the running stack what cargo builds now, or the artefacts from which the stack was started.
///
/// # Errors
/// When the build or the deployment fails; of the latter everything is as it was before.
pub(crate) async fn redeploy(root: &Path, state_folder: &Path, parameters: &[(String, String)]) -> Result<()> {
    let file = StackFile::read(state_folder)?;
    let artifacts = file.artifacts.as_deref();
    let template = Template::read(artifacts.unwrap_or(root))?;
    let binaries = release(root, artifacts, &template, &file.functions).await?;
    println!("Deploying template.yaml");
    let emulator = Emulator::at(file.aws_endpoint_url);
    deploy::update(&emulator, &template, &binaries, parameters)
        .await
        .map(drop)
}

/// The functions' binaries under names of their own, so that a later build does not change what runs.
async fn release(
    root: &Path,
    artifacts: Option<&Path>,
    template: &Template,
    kept: &Path,
) -> Result<HashMap<String, PathBuf>> {
    let functions = template.functions()?;
    let built = if let Some(folder) = artifacts {
        let binary = |function: Function| (function.name, folder.join(function.id).join("bootstrap"));
        functions.into_iter().map(binary).collect()
    } else {
        println!("Building the functions");
        let names: Vec<_> = functions.iter().map(|function| function.name.as_str()).collect();
        functions::build(root, &names).await?
    };
    let kept = kept.join(uuid::Uuid::new_v4().simple().to_string());
    fs::create_dir(&kept)?;
    let keep = |(name, path): (String, PathBuf)| {
        let kept = kept.join(&name);
        if fs::hard_link(&path, &kept).is_err() {
            fs::copy(&path, &kept).with_context(|| format!("cannot copy {}", path.display()))?;
        }
        Ok((name, kept))
    };
    built.into_iter().map(keep).collect()
}

async fn create_database(postgres: &Server) -> Result<()> {
    let maintenance = connect(&postgres.url("postgres")).await?;
    let exists = maintenance
        .query_opt("select 1 from pg_database where datname = $1", &[&DATABASE])
        .await?
        .is_some();
    if !exists {
        maintenance
            .batch_execute(&format!("create database {DATABASE}"))
            .await?;
    }
    Ok(())
}

/// A connection to a local database.
pub(crate) async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .context("cannot connect to PostgreSQL")?;
    tokio::spawn(connection);
    Ok(client)
}

async fn serve_simulator(port: u16, webhook_url: &str, secrets: &Secrets) -> Result<JoinHandle<Result<()>>> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .context("the simulator's port was taken meanwhile")?;
    let config = simulator::Config {
        webhook_url: webhook_url.to_owned(),
        app_secret: secrets.app_secret.clone(),
        graph_version: GRAPH_VERSION.to_owned(),
        numbers: demo::numbers(&secrets.access_token),
        ..simulator::Config::default()
    };
    Ok(tokio::spawn(simulator::serve(listener, config)))
}

/// An access token of the demo agent as Supabase would sign it, good for ten years.
fn agent_token(issuer: &str, jwt_secret: &str) -> Result<String> {
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({
        "sub": demo::USER_ID, "role": "authenticated", "aud": "authenticated", "iss": issuer,
        "iat": now, "exp": now + 10 * 365 * 24 * 60 * 60, "email": "agent@example.com",
    });
    let key = jsonwebtoken::EncodingKey::from_secret(jwt_secret.as_bytes());
    Ok(jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key)?)
}

/// What `cargo lambda watch --env-file` gives functions, so that they talk to this stack. It wants values quoted.
async fn watch_environment(
    emulator: &Emulator,
    template: &Template,
    deployment: &deploy::Deployment,
    file: &StackFile,
) -> Result<String> {
    let mut environment = deploy::function_environment(emulator, template, deployment).await?;
    for (name, value) in [
        ("AWS_ENDPOINT_URL", file.aws_endpoint_url.as_str()),
        ("AWS_REGION", emulator::REGION),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("DATABASE_URL", &file.database_url),
    ] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    let lines: Vec<_> = environment
        .iter()
        .map(|(name, value)| format!("{name}='{value}'"))
        .collect();
    Ok(lines.join("\n") + "\n")
}
