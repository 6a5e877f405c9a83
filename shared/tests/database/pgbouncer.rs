//! A `PgBouncer` of the test's own, before the server of the tests.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::getuid;
use shared::testing::TestDatabase;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio_postgres::config::Host;
use uuid::Uuid;

/// A running `PgBouncer`; it ends with its value.
pub(crate) struct PgBouncer {
    pub(crate) port: u16,
    directory: PathBuf,
    _process: Child,
}

/// What it shows to its clients.
pub(crate) struct Certificate {
    pub(crate) pem: String,
    pub(crate) key_pem: String,
}

impl PgBouncer {
    /// In transaction mode, with two connections to the server.
    pub(crate) async fn before(test: &TestDatabase) -> Self {
        Self::start(test, None).await
    }

    /// The same, and it takes clients by TLS only.
    pub(crate) async fn with_tls(test: &TestDatabase, certificate: &Certificate) -> Self {
        Self::start(test, Some(certificate)).await
    }

    async fn start(test: &TestDatabase, certificate: Option<&Certificate>) -> Self {
        let directory = std::env::temp_dir().join(format!("pgbouncer-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&directory).unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let port = free_port().await;
        let tls = certificate.map_or_else(String::new, |certificate| {
            format!(
                "client_tls_sslmode = require\nclient_tls_cert_file = {}\nclient_tls_key_file = {}\n",
                write("server.pem", &certificate.pem),
                write("server.key", &certificate.key_pem)
            )
        });
        let config = format!(
            "[databases]\n* = {}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 100\n{tls}",
            server_of(&test.url)
        );
        let config_file = write("pgbouncer.ini", &config);
        let log = std::fs::File::create(directory.join("log")).unwrap();
        let mut command = Command::new("pgbouncer");
        if getuid().is_root() {
            // It refuses to be root.
            command.args(["-u", "nobody"]);
        }
        let mut process = command
            .arg(config_file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("pgbouncer cannot be started, install it (apt-get install pgbouncer): {error}")
            });
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let ended = process.try_wait().unwrap();
            if ended.is_some() || Instant::now() > deadline {
                let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
                panic!("pgbouncer does not serve ({ended:?}): {log}");
            }
            tokio::task::yield_now().await;
        }
        Self {
            port,
            directory,
            _process: process,
        }
    }

    /// The test's database through this, under another name of this machine.
    pub(crate) fn url(&self, test: &TestDatabase, host: &str, options: &str) -> String {
        let config: tokio_postgres::Config = test.url.parse().unwrap();
        let database = config.get_dbname().unwrap();
        format!("postgres://agent:hunter2@{host}:{}/{database}?{options}", self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// How it reaches the server of the tests.
fn server_of(url: &str) -> String {
    let config: tokio_postgres::Config = url.parse().unwrap();
    let [Host::Tcp(host)] = config.get_hosts() else {
        panic!("the tests need TEST_DATABASE_URL to name one host");
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let user = config.get_user().unwrap_or("postgres");
    let password = config
        .get_password()
        .map(|password| format!(" password='{}'", String::from_utf8_lossy(password)))
        .unwrap_or_default();
    format!("host={host} port={port} user={user}{password}")
}
