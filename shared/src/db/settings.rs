//! Where the database is and how its certificate is verified.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::CONNECT_DEADLINE;
use crate::config::{self, ConfigError};
use crate::edge::secrets::{SecretError, Secrets};

/// Options of other programs' connection strings, which Supabase and others put into theirs.
const FOREIGN_OPTIONS: [&str; 5] = ["pgbouncer", "connection_limit", "pool_timeout", "sslrootcert", "schema"];

/// How to connect.
#[derive(Clone)]
pub struct Settings {
    source: Source,
    tls: Arc<ClientConfig>,
}

#[derive(Clone)]
enum Source {
    Fixed(Box<Config>),
    // Read for each new connection (from a cache), so that a rotated password needs no deployment.
    Secret { secrets: Secrets, arn: String },
}

/// How the way to the database is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// By TLS, with a certificate that was verified.
    Verified,
    /// It does not leave this machine.
    ThisMachine,
    /// Not at all.
    None,
}

/// Why there is no connection. Never the URL, which holds the password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The secret could not be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The secret or the URL is malformed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server refused or did not answer.
    #[error("{0}")]
    Server(String),
}

impl Settings {
    /// Reads `DATABASE_URL`, else `DATABASE_SECRET_ARN`; and `DATABASE_CA`.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong.
    pub fn from_env(secrets: &Secrets) -> Result<Self, ConfigError> {
        let source = match (
            config::optional("DATABASE_URL"),
            config::optional("DATABASE_SECRET_ARN"),
        ) {
            (Some(url), _) => Source::Fixed(Box::new(parse_url("DATABASE_URL", &url)?)),
            (None, Some(arn)) => Source::Secret {
                secrets: secrets.clone(),
                arn,
            },
            (None, None) => {
                return Err(ConfigError::new("DATABASE_SECRET_ARN", "is required and not set"));
            }
        };
        Ok(Self {
            source,
            tls: tls(config::optional("DATABASE_CA").as_deref())?,
        })
    }

    /// The database at `url`, verified as `DATABASE_CA` says.
    ///
    /// # Errors
    /// When the URL or `DATABASE_CA` is malformed.
    pub fn from_url(url: &str) -> Result<Self, ConfigError> {
        Self::new(url, config::optional("DATABASE_CA").as_deref())
    }

    /// The database at `url`, verified by `ca`, which has the forms of `DATABASE_CA`.
    ///
    /// # Errors
    /// When one of them is malformed.
    pub fn new(url: &str, ca: Option<&str>) -> Result<Self, ConfigError> {
        Ok(Self {
            source: Source::Fixed(Box::new(parse_url("DATABASE_URL", url)?)),
            tls: tls(ca)?,
        })
    }

    /// How the way to the database is protected.
    ///
    /// # Errors
    /// When the secret cannot be read or is malformed.
    pub async fn protection(&self) -> Result<Protection, ConnectError> {
        let config = match &self.source {
            Source::Fixed(config) => config.as_ref().clone(),
            Source::Secret { secrets, arn } => parse_secret(&secrets.get(arn).await?)?,
        };
        let is_here = config.get_hosts().iter().all(is_this_machine);
        Ok(match config.get_ssl_mode() {
            SslMode::Disable if is_here => Protection::ThisMachine,
            SslMode::Disable => Protection::None,
            _ => Protection::Verified,
        })
    }

    /// A new connection.
    ///
    /// # Errors
    /// Says what failed, without any secret.
    pub async fn connect(&self) -> Result<Client, ConnectError> {
        let config = match &self.source {
            Source::Fixed(config) => config.as_ref().clone(),
            Source::Secret { secrets, arn } => parse_secret(&secrets.get(arn).await?)?,
        };
        let error = match self.connect_to(&config).await {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        // A password may have been rotated since the secret was read.
        if let Source::Secret { secrets, arn } = &self.source
            && error.code().is_some_and(|code| code.code().starts_with("28"))
        {
            let config = parse_secret(&secrets.refresh(arn).await?)?;
            return self.connect_to(&config).await.map_err(|error| server_error(&error));
        }
        Err(server_error(&error))
    }

    /// Boxed, because the type of a TLS handshake within a pool within a handler is too deep for the compiler.
    fn connect_to<'a>(&'a self, config: &'a Config) -> BoxFuture<'a, Result<Client, tokio_postgres::Error>> {
        Box::pin(async move {
            if config.get_ssl_mode() == SslMode::Disable {
                let (client, connection) = config.connect(NoTls).await?;
                drive(connection);
                return Ok(client);
            }
            let tls = MakeRustlsConnect::new(self.tls.as_ref().clone());
            let (client, connection) = config.connect(tls).await?;
            drive(connection);
            Ok(client)
        })
    }
}

/// A connection's socket is served by a task of its own; when it ends, the client says `is_closed`.
fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static) {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = server_error(&error).to_string(), "connection ended");
        }
    });
}

fn server_error(error: &tokio_postgres::Error) -> ConnectError {
    use std::error::Error;
    ConnectError::Server(match (error.as_db_error(), error.source()) {
        (Some(refusal), _) => format!("refused with SQLSTATE {}", refusal.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    })
}

/// A secret's text: a URL, `{"url": …}`, or what RDS writes.
fn parse_secret(text: &str) -> Result<Config, ConfigError> {
    #[derive(Deserialize)]
    struct Secret {
        url: Option<String>,
        username: Option<String>,
        password: Option<String>,
        host: Option<String>,
        port: Option<u16>,
        dbname: Option<String>,
    }
    const NAME: &str = "DATABASE_SECRET_ARN";
    if !text.trim_start().starts_with('{') {
        return parse_url(NAME, text.trim());
    }
    let malformed = || {
        ConfigError::new(
            NAME,
            "the secret is no URL and has neither url nor host, username and password",
        )
    };
    let secret: Secret = serde_json::from_str(text).map_err(|_| malformed())?;
    if let Some(url) = secret.url {
        return parse_url(NAME, &url);
    }
    let (Some(host), Some(user), Some(password)) = (secret.host, secret.username, secret.password) else {
        return Err(malformed());
    };
    let mut config = Config::new();
    config
        .host(host)
        .port(secret.port.unwrap_or(5432))
        .user(user)
        .password(password)
        .dbname(secret.dbname.unwrap_or_else(|| "postgres".to_owned()))
        .ssl_mode(SslMode::Require)
        .connect_timeout(CONNECT_DEADLINE);
    Ok(config)
}

/// Reads a URL. Every `sslmode` but `disable` means TLS with verification; without one, only a server on this machine goes without.
fn parse_url(variable: &str, url: &str) -> Result<Config, ConfigError> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut ssl_mode = None;
    let options: Vec<&str> = query
        .split('&')
        .filter(|option| {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            if name == "sslmode" {
                ssl_mode = Some(value);
            }
            !option.is_empty() && name != "sslmode" && !FOREIGN_OPTIONS.contains(&name)
        })
        .collect();
    let mut config: Config = format!("{base}?{}", options.join("&")).parse().map_err(|_| {
        ConfigError::new(
            variable,
            "is not a PostgreSQL URL (postgres://user:password@host:5432/database)",
        )
    })?;
    if config.get_hosts().is_empty() {
        return Err(ConfigError::new(variable, "names no host"));
    }
    config.ssl_mode(match ssl_mode {
        Some("disable") => SslMode::Disable,
        None if config.get_hosts().iter().all(is_this_machine) => SslMode::Disable,
        None | Some("require" | "verify-ca" | "verify-full" | "prefer" | "allow") => SslMode::Require,
        Some(_) => {
            return Err(ConfigError::new(
                variable,
                "sslmode must be disable, require, verify-ca or verify-full",
            ));
        }
    });
    config.connect_timeout(CONNECT_DEADLINE);
    config.keepalives_idle(Duration::from_mins(1));
    Ok(config)
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        Host::Unix(_) => true,
    }
}

/// The roots that sign RDS in the public regions, from AWS's global bundle.
/// Source: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html>.
const RDS_AUTHORITIES: &str = include_str!("authorities/rds.pem");

/// `DATABASE_CA`: `system` (the default), `rds`, or PEM text with any number of certificates.
fn tls(ca: Option<&str>) -> Result<Arc<ClientConfig>, ConfigError> {
    let variable = "DATABASE_CA";
    let mut roots = RootCertStore::empty();
    match ca {
        None | Some("system") => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(pem) if pem == "rds" || pem.contains("-----BEGIN CERTIFICATE-----") => {
            // Settings that pass through JSON or a shell often hold \n for a line's end.
            let pem = if pem == "rds" {
                RDS_AUTHORITIES.to_owned()
            } else {
                pem.replace("\\n", "\n")
            };
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                certificate
                    .ok()
                    .and_then(|certificate| roots.add(certificate).ok())
                    .ok_or_else(|| ConfigError::new(variable, "holds a certificate that cannot be read"))?;
            }
        }
        Some(_) => {
            return Err(ConfigError::new(
                variable,
                "must be system, rds or the text of PEM certificates",
            ));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::new(variable, error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        parse_url("DATABASE_URL", url).unwrap().get_ssl_mode()
    }

    #[test]
    fn tls_is_the_default_wherever_the_server_is_on_another_machine() {
        assert_eq!(mode("postgres://u:p@db.example.com/x"), SslMode::Require);
        assert_eq!(
            mode("postgres://u:p@db.example.com/x?sslmode=verify-full&pgbouncer=true"),
            SslMode::Require
        );
        assert_eq!(
            mode("postgres://u:p@127.0.0.1:5432/x?sslmode=require"),
            SslMode::Require
        );
        assert_eq!(mode("postgres://u:p@127.0.0.1:5432/x"), SslMode::Disable);
        assert_eq!(mode("postgres://u:p@[::1]/x"), SslMode::Disable);
        assert_eq!(
            mode("postgres://u:p@db.example.com/x?sslmode=disable"),
            SslMode::Disable
        );
    }

    #[test]
    fn the_authorities_of_rds_can_be_read() {
        assert!(tls(Some("rds")).is_ok());
        let regions = RDS_AUTHORITIES.matches("RSA2048 G1").count();
        assert_eq!(RDS_AUTHORITIES.matches("BEGIN CERTIFICATE").count(), 3 * regions);
    }

    #[test]
    fn a_malformed_url_is_named_and_never_shown() {
        for url in [
            "hunter2",
            "postgres://u:hunter2@h:port/x",
            "postgres://u:hunter2@h/x?sslmode=maybe",
            "postgres:///x",
        ] {
            let message = parse_url("DATABASE_URL", url).unwrap_err().to_string();
            assert!(message.starts_with("DATABASE_URL: "), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn a_secret_may_be_a_url_or_what_rds_writes() {
        let rds = r#"{"username":"u","password":"p","engine":"postgres","host":"h","port":6432,"dbname":"d"}"#;
        let config = parse_secret(rds).unwrap();
        assert_eq!(
            (config.get_ports(), config.get_dbname(), config.get_ssl_mode()),
            (&[6432][..], Some("d"), SslMode::Require)
        );
        assert_eq!(
            parse_secret(r#"{"url":"postgres://u:p@h/d"}"#).unwrap().get_dbname(),
            Some("d")
        );
        assert_eq!(parse_secret("postgres://u:p@h/d\n").unwrap().get_dbname(), Some("d"));
        assert!(parse_secret(r#"{"host":"h"}"#).is_err());
    }
}
