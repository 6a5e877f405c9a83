//! A TCP proxy before a server, which can freeze and cut what goes through it: how a database looks that hangs or is gone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
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

/// The proxy; its port closes with it.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    mode: watch::Sender<Mode>,
    accepted: Arc<AtomicUsize>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port and passes everything on to `upstream` (host:port).
    pub async fn start(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let mode = watch::Sender::new(Mode::Pass);
        let accepted = Arc::new(AtomicUsize::new(0));
        let (changes, count) = (mode.clone(), accepted.clone());
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(pass(stream, upstream.clone(), changes.subscribe()));
            }
        });
        Self {
            address,
            mode,
            accepted,
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

async fn pass(mut client: TcpStream, upstream: String, mut mode: watch::Receiver<Mode>) {
    let copy = async {
        let mut server = TcpStream::connect(upstream).await?;
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
