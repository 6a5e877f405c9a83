//! A TCP proxy before a server, which can freeze and cut what goes through it: how a database looks that hangs or is gone, or goes in the
//! moment in which it commits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

/// The server is ready for another statement: a message of this type and length.
const READY: &[u8] = b"Z\0\0\0\x05";

/// The proxy; its port closes with it.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    mode: watch::Sender<Mode>,
    accepted: Arc<AtomicUsize>,
    loses_commit: Arc<AtomicBool>,
    round_trips: Arc<AtomicUsize>,
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
        let round_trips = Arc::new(AtomicUsize::new(0));
        let (changes, count, loses) = (mode.clone(), accepted.clone(), loses_commit.clone());
        let answers = round_trips.clone();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let loses_commit = loses.swap(false, Ordering::SeqCst);
                let way = Way {
                    upstream: upstream.clone(),
                    loses_commit,
                    answers: answers.clone(),
                };
                tokio::spawn(pass(stream, way, changes.subscribe()));
            }
        });
        Self {
            address,
            mode,
            accepted,
            loses_commit,
            round_trips,
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

    /// How often the server was ready for another statement so far. PostgreSQL without TLS only.
    #[must_use]
    pub fn round_trips(&self) -> usize {
        self.round_trips.load(Ordering::SeqCst)
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

/// What a connection leads to, and what is to be seen of it.
struct Way {
    upstream: String,
    loses_commit: bool,
    answers: Arc<AtomicUsize>,
}

async fn pass(mut client: TcpStream, way: Way, mut mode: watch::Receiver<Mode>) {
    let copy = async {
        let mut server = TcpStream::connect(&way.upstream).await?;
        relay(&mut client, &mut server, &way).await
    };
    tokio::select! {
        biased;
        _ = mode.wait_for(|mode| *mode != Mode::Pass) => {}
        _ = copy => return,
    }
    // Held open; a thaw changes nothing for it.
    let _ = mode.wait_for(|mode| *mode == Mode::Cut).await;
}

/// Passes everything on, and counts the server's answers; where a commit is to be lost, until the server has answered one: the answer
/// stays here.
async fn relay(client: &mut TcpStream, server: &mut TcpStream, way: &Way) -> std::io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    // The end of what came before: a message may come in two pieces.
    let mut tail = Vec::new();
    loop {
        tokio::select! {
            length = client.read(&mut asked) => {
                let asked = &asked[..length?];
                server.write_all(asked).await?;
                if asked.is_empty() {
                    return Ok(());
                }
                if way.loses_commit && holds(asked, COMMIT) {
                    break;
                }
            }
            length = server.read(&mut answered) => {
                let answered = &answered[..length?];
                client.write_all(answered).await?;
                if answered.is_empty() {
                    return Ok(());
                }
                tail.extend_from_slice(answered);
                let ready = tail.windows(READY.len()).filter(|window| *window == READY).count();
                way.answers.fetch_add(ready, Ordering::SeqCst);
                tail.drain(..tail.len().saturating_sub(READY.len() - 1));
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
