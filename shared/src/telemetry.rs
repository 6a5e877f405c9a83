//! Logs: JSON lines that read alone. Never bodies, phone numbers, tokens or query strings.

use tracing_subscriber::EnvFilter;

/// Starts logging at the level of `LOG_LEVEL` (a tracing filter; default `info`).
pub fn init() {
    let filter = crate::config::optional("LOG_LEVEL").unwrap_or_else(|| "info".to_owned());
    // A second call, in tests, finds logging started.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info")))
        .try_init();
}
