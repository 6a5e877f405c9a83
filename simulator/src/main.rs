//! The simulator as a program of its own: its configuration comes from flags or the environment.

use anyhow::Context;
use clap::Parser;
use simulator::{Config, Delays, Limits, Number};
use tokio::net::TcpListener;

/// A stand-in for Meta's side of the Cloud API.
#[derive(Parser)]
#[command(version)]
struct Flags {
    /// Where to listen
    #[arg(long, env = "SIMULATOR_LISTEN", default_value = "127.0.0.1:4400")]
    listen: String,
    /// Where webhooks are posted
    #[arg(long, env = "SIMULATOR_WEBHOOK_URL")]
    webhook_url: String,
    /// The app secret that signs webhooks
    #[arg(long, env = "SIMULATOR_APP_SECRET", hide_env_values = true)]
    app_secret: String,
    /// The Graph version that is served
    #[arg(long, env = "SIMULATOR_GRAPH_VERSION", default_value = "v26.0")]
    graph_version: String,
    /// The numbers: a JSON array of objects with `phone_number_id`, `waba_id`, `display_phone_number`, `verified_name`, `access_token`
    #[arg(long, env = "SIMULATOR_NUMBERS", hide_env_values = true)]
    numbers: String,
    /// Milliseconds from accepting a message to `sent`
    #[arg(long, env = "SIMULATOR_SENT_MS", default_value_t = Delays::default().sent_ms)]
    sent_ms: u64,
    /// Milliseconds from accepting a message to `delivered`
    #[arg(long, env = "SIMULATOR_DELIVERED_MS", default_value_t = Delays::default().delivered_ms)]
    delivered_ms: u64,
    /// Milliseconds from accepting a message to `read`
    #[arg(long, env = "SIMULATOR_READ_MS", default_value_t = Delays::default().read_ms)]
    read_ms: u64,
    /// Messages a second that one number may send
    #[arg(long, env = "SIMULATOR_MESSAGES_PER_SECOND", default_value_t = Limits::default().messages_per_second)]
    messages_per_second: u32,
    /// Messages that one number may send to one customer at once
    #[arg(long, env = "SIMULATOR_PAIR_BURST", default_value_t = Limits::default().pair_burst)]
    pair_burst: u32,
    /// Milliseconds until one more message to the same customer is allowed
    #[arg(long, env = "SIMULATOR_PAIR_INTERVAL_MS", default_value_t = Limits::default().pair_interval_ms)]
    pair_interval_ms: u64,
    /// Refuse what depends on messages that the simulator has not seen itself, as Meta would
    #[arg(long, env = "SIMULATOR_DISTRUST_UNSEEN")]
    distrust_unseen: bool,
    /// Seconds that a media link works
    #[arg(long, env = "SIMULATOR_MEDIA_URL_SECONDS", default_value_t = 300)]
    media_url_seconds: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let flags = Flags::parse();
    let numbers: Vec<Number> =
        serde_json::from_str(&flags.numbers).context("--numbers is not a JSON array of numbers")?;
    let config = Config {
        webhook_url: flags.webhook_url,
        app_secret: flags.app_secret,
        graph_version: flags.graph_version,
        numbers,
        delays: Delays {
            sent_ms: flags.sent_ms,
            delivered_ms: flags.delivered_ms,
            read_ms: flags.read_ms,
        },
        limits: Limits {
            messages_per_second: flags.messages_per_second,
            pair_burst: flags.pair_burst,
            pair_interval_ms: flags.pair_interval_ms,
        },
        trust_unseen: !flags.distrust_unseen,
        media_url_seconds: flags.media_url_seconds,
    };
    let listener = TcpListener::bind(&flags.listen)
        .await
        .with_context(|| format!("cannot listen on {}", flags.listen))?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    tokio::select! {
        served = simulator::serve(listener, config) => served,
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}
