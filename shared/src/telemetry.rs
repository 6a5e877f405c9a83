//! Logs: JSON lines that read alone. Never bodies, phone numbers, tokens or query strings. What follows from one request, in whichever
//! function, has its `correlation_id` in `span`.

use tracing::{Instrument, Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt};

/// The crates whose lines are written with these rules in mind.
const OWN_CRATES: [&str; 10] = [
    "consumer",
    "conversations",
    "media",
    "messages",
    "migrate",
    "outbox",
    "realtime",
    "send",
    "shared",
    "webhook",
];

/// Starts logging at the level of `LOG_LEVEL` (a tracing filter; default `info`). Other crates are never heard below `info`, whatever it says:
/// there they tell headers, parameters and bodies.
pub fn init() {
    let filter = crate::config::optional("LOG_LEVEL").unwrap_or_else(|| "info".to_owned());
    // A second call, in tests, finds logging started.
    let _ = logger(&filter, std::io::stdout).try_init();
}

tokio::task_local! {
    static CORRELATION: String;
}

/// Does `work` as what follows from the request with this id: its lines carry it, and so do the messages that it sends to queues.
pub async fn correlated<F: Future>(id: Option<String>, work: F) -> F::Output {
    let Some(id) = id else {
        return work.await;
    };
    // Of the level of errors, so that no filter that lets a line through leaves the span out.
    let span = tracing::error_span!("request", correlation_id = id);
    CORRELATION.scope(id, work).instrument(span).await
}

/// The id of the request from which what is done now follows.
#[must_use]
pub fn correlation_id() -> Option<String> {
    CORRELATION.try_with(Clone::clone).ok()
}

/// What [`init`] starts, writing to anywhere.
pub fn logger<W>(filter: &str, writer: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        // Lambda's own span, with its id of the call and X-Ray's.
        .with_span_list(true)
        .with_writer(writer);
    Registry::default()
        .with(EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info")))
        .with(filter_fn(may_be_heard))
        .with(lines)
}

fn may_be_heard(metadata: &Metadata<'_>) -> bool {
    let origin = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || OWN_CRATES.contains(&origin)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, say: impl FnOnce()) -> String {
        let lines = Lines::default();
        let written = lines.clone();
        tracing::subscriber::with_default(logger(filter, move || lines.clone()), say);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn no_setting_makes_other_crates_tell_what_they_carry() {
        for filter in ["trace", "hyper=trace,shared=trace", "hyper::proto=debug,trace"] {
            let heard = logged(filter, || {
                tracing::trace!(target: "shared::outbound", "own trace");
                tracing::info!(target: "hyper::proto", "foreign information");
                tracing::debug!(target: "hyper::proto", "foreign secret");
                tracing::trace!(target: "sharedother", "foreign secret");
                tracing::debug!(target: "log", "foreign secret");
            });
            assert!(
                heard.contains("own trace") && heard.contains("foreign information"),
                "{heard}"
            );
            assert!(!heard.contains("secret"), "{heard}");
        }
    }

    #[tokio::test]
    async fn what_follows_from_a_request_carries_its_id_at_any_level() {
        for filter in ["trace", "error"] {
            let lines = Lines::default();
            let written = lines.clone();
            let guard = tracing::subscriber::set_default(logger(filter, move || lines.clone()));
            let work = async {
                tokio::task::yield_now().await;
                tracing::error!(target: "shared::outbound", "something");
                correlation_id()
            };
            assert_eq!(correlated(Some("id-1".to_owned()), work).await.as_deref(), Some("id-1"));
            assert_eq!(correlation_id(), None);
            drop(guard);
            let line: serde_json::Value = serde_json::from_slice(&written.0.lock().unwrap()).unwrap();
            assert_eq!(line["span"]["correlation_id"], "id-1", "{line}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_info() {
        let heard = logged("shared=loud", || {
            tracing::info!(target: "shared::outbound", "information");
            tracing::debug!(target: "shared::outbound", "details");
        });
        assert!(heard.contains("information") && !heard.contains("details"), "{heard}");
    }

    #[test]
    fn every_function_is_among_the_own_crates() {
        let functions = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../functions")).unwrap();
        let names = functions.map(|folder| folder.unwrap().file_name().into_string().unwrap());
        for name in names {
            assert!(OWN_CRATES.contains(&name.as_str()), "{name} is not");
        }
    }
}
