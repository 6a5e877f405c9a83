//! A TCP proxy before a server, which can freeze and cut what goes through it: how a database looks that hangs or is gone, or goes in the
//! moment in which it commits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What happens to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    /// Open, and nothing comes through any more.
    Freeze,
    Cut,
}

/// The statement of a commit, and its tag in the server's answer.
const COMMIT: &[u8] = b"COMMIT\0";

/// The proxy; its port closes with it.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    mode: watch::Sender<Mode>,
    accepted: Arc<AtomicUsize>,
    loses_commit: Arc<AtomicBool>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port and passes everything on to `upstream` (host:port).
    pub async fn start(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let mode = watch::Sender::new(Mode::Pass);
        let accepted = Arc::new(AtomicUsize::new(0));
        let loses_commit = Arc::new(AtomicBool::new(false));
        let (changes, count, loses) = (mode.clone(), accepted.clone(), loses_commit.clone());
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let loses_commit = loses.swap(false, Ordering::SeqCst);
                tokio::spawn(pass(stream, upstream.clone(), changes.subscribe(), loses_commit));
            }
        });
        Self {
            address,
            mode,
            accepted,
            loses_commit,
            listening,
        }
    }

    /// A database URL that leads through a new proxy.
    pub async fn before(url: &str) -> (Self, String) {
        let config: tokio_postgres::Config = url.parse().expect("the URL is well-formed");
        let [tokio_postgres::config::Host::Tcp(host)] = config.get_hosts() else {
            panic!("the tests need TEST_DATABASE_URL to name one host");
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let proxy = Self::start(format!("{host}:{port}")).await;
        let (scheme, rest) = url.split_once("://").expect("it is a URL");
        let (authority, path) = rest.split_once('/').expect("it names a database");
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        let url = format!("{scheme}://{user}@{}/{path}", proxy.address);
        (proxy, url)
    }

    /// From now on nothing comes through; connections stay open, and new ones are accepted and never served.
    pub fn freeze(&self) {
        self.mode.send_replace(Mode::Freeze);
    }

    /// Serves new connections again. Those that were frozen stay so.
    pub fn thaw(&self) {
        self.mode.send_replace(Mode::Pass);
    }

    /// Closes everything and refuses new connections.
    pub async fn cut(&mut self) {
        self.mode.send_replace(Mode::Cut);
        self.listening.abort();
        // The port is closed once the task is gone.
        let _ = (&mut self.listening).await;
    }

    /// The next new connection is cut between its first commit and the server's answer to it: the transaction stands, and whoever made it
    /// does not hear of it. PostgreSQL without TLS only.
    pub fn lose_next_commit(&self) {
        self.loses_commit.store(true, Ordering::SeqCst);
    }

    /// How many connections were made so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn pass(mut client: TcpStream, upstream: String, mut mode: watch::Receiver<Mode>, loses_commit: bool) {
    let copy = async {
        let mut server = TcpStream::connect(upstream).await?;
        if loses_commit {
            return pass_until_commit(&mut client, &mut server).await;
        }
        copy_bidirectional(&mut client, &mut server).await?;
        std::io::Result::Ok(())
    };
    tokio::select! {
        biased;
        _ = mode.wait_for(|mode| *mode != Mode::Pass) => {}
        _ = copy => return,
    }
    // Held open; a thaw changes nothing for it.
    let _ = mode.wait_for(|mode| *mode == Mode::Cut).await;
}

/// Passes everything on until the server has answered a commit; the answer stays here.
async fn pass_until_commit(client: &mut TcpStream, server: &mut TcpStream) -> std::io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            length = client.read(&mut asked) => {
                let asked = &asked[..length?];
                server.write_all(asked).await?;
                if asked.is_empty() {
                    return Ok(());
                }
                if holds(asked, COMMIT) {
                    break;
                }
            }
            length = server.read(&mut answered) => {
                let answered = &answered[..length?];
                client.write_all(answered).await?;
                if answered.is_empty() {
                    return Ok(());
                }
            }
        }
    }
    let mut answer = Vec::new();
    while !holds(&answer, COMMIT) && server.read_buf(&mut answer).await? > 0 {}
    Ok(())
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
