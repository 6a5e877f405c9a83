//! What is measured, as lines of JSON on stdout beside the logs, of which CloudWatch makes metrics (embedded metric format).
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//!
//! All that can be told stands in the one list below. Beside the stack a metric has at most one dimension, and its values are words of this
//! file or the function's name: no tenant, number or id can become one. `template.yaml` makes alarms and a dashboard of it.

use std::io::Write;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "WabaLiveChat";
/// How many values one line may have for a metric.
const MOST_VALUES: usize = 100;

/// The words of a dimension.
macro_rules! words {
    ($(#[$doc:meta])* $words:ident by $dimension:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $words {
            $($(#[$word_doc])* $word,)*
        }

        impl $words {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$word,)*];

            fn dimension(self) -> Dimension {
                Dimension::$dimension(match self {
                    $(Self::$word => $text,)*
                })
            }
        }
    };
}

/// The list of metrics: name, words, unit, and whether they are told by function.
macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident $(($word:ident: $words:ident))? in $unit:ident $(by $function:ident)?,)*) => {
        /// What is measured.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Metric {
            $($(#[$doc])* $name $(($words))?,)*
        }

        impl Metric {
            /// All that can be told, with every word.
            #[must_use]
            pub fn all() -> Vec<Self> {
                let mut all = Vec::new();
                $(metrics!(@all all $name $($words)?);)*
                all
            }

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name $(($word))? => { $(let _ = $word;)? stringify!($name) })*
                }
            }

            fn unit(self) -> &'static str {
                match self {
                    $(Self::$name $(($word))? => { $(let _ = $word;)? stringify!($unit) })*
                }
            }

            /// Its dimension beside the stack.
            #[must_use]
            pub fn dimension(self) -> Option<Dimension> {
                match self {
                    $(Self::$name $(($word))? => metrics!(@dimension $($word)? $($function)?),)*
                }
            }
        }
    };
    (@all $all:ident $name:ident) => { $all.push(Metric::$name) };
    (@all $all:ident $name:ident $words:ident) => { $all.extend($words::ALL.iter().copied().map(Metric::$name)) };
    (@dimension) => { None };
    (@dimension Function) => { Some(Dimension::Function) };
    (@dimension $word:ident) => { Some($word.dimension()) };
}

/// What a metric is told by, beside the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// The function.
    Function,
    /// How something ended.
    Outcome(&'static str),
    /// Of what kind it is.
    Kind(&'static str),
}

impl Dimension {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "Function",
            Self::Outcome(_) => "Outcome",
            Self::Kind(_) => "Kind",
        }
    }
}

metrics! {
    /// From the webhook to the commit, of each record.
    EventAge in Milliseconds,
    /// Records of a batch.
    BatchSize in Count,
    /// Items that could not be applied and are kept raw.
    Quarantined in Count,
    /// How long the oldest that is due has been; of what waits for something, how long it has waited. Told each minute, also where it is 0:
    /// a figure that is missing means that a clock does not run.
    OldestOwed(work: Work) in Seconds,
    /// How many of them there are; 10,000 stands for more.
    Owed(work: Work) in Count,
    /// What came of attempts to send.
    Sends(outcome: SendOutcome) in Count,
    /// How long Graph took to answer, or not to.
    GraphLatency in Milliseconds,
    /// Frames to open pages.
    RealtimePosts(outcome: PostOutcome) in Count,
    /// Notifications.
    Pushes(outcome: PushOutcome) in Count,
    /// Tries to fetch a file.
    MediaFetches(outcome: FetchOutcome) in Count,
    /// Accounts that WhatsApp lets send again only once they are connected again.
    AccountsToReconnect in Count,
    /// Phone numbers that had messages on each of seven days, and then no webhook for one.
    SilentNumbers in Count,
    /// HTTP answers from 500 on.
    ServerErrors in Count by Function,
    /// From the start of the process until it takes its first event.
    ColdStart in Milliseconds by Function,
}

words! {
    /// What is owed. All but the last two is due when it is counted.
    Work by Kind {
        /// Messages to WhatsApp.
        Sends = "sends",
        /// Files from Meta.
        Media = "media",
        /// Notifications.
        Pushes = "pushes",
        /// Changes that open pages were not told of.
        Unpublished = "unpublished",
        /// Items that wait for their phone number to be registered.
        UnknownNumbers = "unknown_numbers",
        /// Statuses, reactions and the like that wait for their message.
        ParkedEvents = "parked_events",
    }
}

words! {
    /// What came of an attempt to send.
    SendOutcome by Outcome {
        /// WhatsApp took it.
        Sent = "sent",
        /// It is tried again.
        Retried = "retried",
        /// It waits for its account or number.
        Held = "held",
        /// It failed for good.
        Failed = "failed",
        /// A status has to tell what became of it.
        Unanswered = "unanswered",
    }
}

words! {
    /// What came of a frame.
    PostOutcome by Outcome {
        /// API Gateway took it.
        Posted = "posted",
        /// The page was gone.
        Gone = "gone",
        /// API Gateway did not take it.
        Failed = "failed",
        /// The time was over while it was under way.
        Late = "late",
    }
}

words! {
    /// What came of a notification.
    PushOutcome by Outcome {
        /// The push service took it.
        Delivered = "delivered",
        /// It is tried again.
        Retried = "retried",
        /// The push service refused it.
        Refused = "refused",
        /// The browser is subscribed no longer.
        Gone = "gone",
    }
}

words! {
    /// What came of a try to fetch a file.
    FetchOutcome by Outcome {
        /// It is in the bucket.
        Stored = "stored",
        /// It is tried again.
        Retried = "retried",
        /// It failed for good.
        Failed = "failed",
        /// Nobody has a use for it, or Meta does not have it any more.
        Expired = "expired",
    }
}

/// Who tells.
struct Origin {
    stack: String,
    function: &'static str,
    begun: Instant,
}

static ORIGIN: OnceLock<Origin> = OnceLock::new();

/// Lets this process tell its metrics, as this function of the stack `STACK_NAME`; without it, as in commands, nothing is told.
pub fn init(function: &'static str) {
    let stack = crate::config::optional("STACK_NAME").unwrap_or_else(|| "none".to_owned());
    let begun = Instant::now();
    // A second call, in tests, finds it done.
    let _ = ORIGIN.set(Origin { stack, function, begun });
}

/// Tells that the function is ready for its first event.
pub fn tell_cold_start() {
    if let Some(origin) = ORIGIN.get() {
        tell(Metric::ColdStart, origin.begun.elapsed().as_millis());
    }
}

/// Tells one value.
pub fn tell(metric: Metric, value: impl TryInto<i64>) {
    tell_all(metric, &[value.try_into().unwrap_or(i64::MAX)]);
}

/// Tells a count where there is something to count.
pub fn tell_some(metric: Metric, count: impl TryInto<i64>) {
    let count = count.try_into().unwrap_or(i64::MAX);
    if count != 0 {
        tell_all(metric, &[count]);
    }
}

/// Tells several values.
pub fn tell_all(metric: Metric, values: &[i64]) {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    for values in values.chunks(MOST_VALUES) {
        #[cfg(any(test, feature = "testing"))]
        if crate::metrics::recording::take(metric, values) {
            continue;
        }
        if let Some(origin) = ORIGIN.get() {
            let mut line = line(&origin.stack, origin.function, metric, values, at.as_millis()).to_string();
            line.push('\n');
            // In one piece, as the logs' lines are, so that none is in the midst of another.
            let _ = std::io::stdout().write_all(line.as_bytes());
        }
    }
}

fn line(stack: &str, function: &str, metric: Metric, values: &[i64], at: u128) -> Value {
    let mut line = Map::new();
    let mut dimensions = vec!["Stack"];
    line.insert("Stack".to_owned(), stack.into());
    if let Some(dimension) = metric.dimension() {
        let value = match dimension {
            Dimension::Function => function,
            Dimension::Outcome(word) | Dimension::Kind(word) => word,
        };
        dimensions.push(dimension.name());
        line.insert(dimension.name().to_owned(), value.into());
    }
    let value = match values {
        [value] => json!(value),
        values => json!(values),
    };
    line.insert(metric.name().to_owned(), value);
    let declared = json!({"Namespace": NAMESPACE, "Dimensions": [dimensions],
                          "Metrics": [{"Name": metric.name(), "Unit": metric.unit()}]});
    let at = u64::try_from(at).unwrap_or_default();
    line.insert(
        "_aws".to_owned(),
        json!({"Timestamp": at, "CloudWatchMetrics": [declared]}),
    );
    line.into()
}

/// What a test's thread tells, for the test to look at.
#[cfg(any(test, feature = "testing"))]
pub mod recording {
    use std::cell::RefCell;

    use super::Metric;

    type Told = Vec<(Metric, Vec<i64>)>;

    thread_local! {
        static TOLD: RefCell<Option<Told>> = const { RefCell::new(None) };
    }

    pub(super) fn take(metric: Metric, values: &[i64]) -> bool {
        TOLD.with_borrow_mut(|told| {
            let told = told.as_mut();
            told.map(|told| told.push((metric, values.to_vec()))).is_some()
        })
    }

    /// Keeps what this thread tells from now on.
    pub fn start() {
        TOLD.set(Some(Vec::new()));
    }

    /// The values of a metric since [`start`], or since they were last asked for.
    #[must_use]
    pub fn told(metric: Metric) -> Vec<i64> {
        TOLD.with_borrow_mut(|told| {
            let taken = told
                .as_mut()
                .expect("start was called")
                .extract_if(.., |(of, _)| *of == metric);
            taken.flat_map(|(_, values)| values).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_cloudwatch_reads() {
        let declared = |dimensions: &[&str], name: &str, unit: &str| {
            json!({"Timestamp": 1_782_907_200_123_u64, "CloudWatchMetrics": [{"Namespace": "WabaLiveChat", "Dimensions": [dimensions],
                   "Metrics": [{"Name": name, "Unit": unit}]}]})
        };
        let line = |metric, values: &[i64]| line("waba", "outbox", metric, values, 1_782_907_200_123);
        assert_eq!(
            line(Metric::EventAge, &[12, 7]),
            json!({"_aws": declared(&["Stack"], "EventAge", "Milliseconds"), "Stack": "waba", "EventAge": [12, 7]})
        );
        assert_eq!(
            line(Metric::Sends(SendOutcome::Failed), &[1]),
            json!({"_aws": declared(&["Stack", "Outcome"], "Sends", "Count"), "Stack": "waba", "Outcome": "failed", "Sends": 1})
        );
        assert_eq!(
            line(Metric::ColdStart, &[80]),
            json!({"_aws": declared(&["Stack", "Function"], "ColdStart", "Milliseconds"), "Stack": "waba", "Function": "outbox", "ColdStart": 80})
        );
    }

    #[test]
    fn the_list_has_every_metric_with_every_word_once() {
        let all = Metric::all();
        let mut told: Vec<_> = all.iter().map(|metric| (metric.name(), metric.dimension())).collect();
        let count = told.len();
        told.dedup();
        assert_eq!(told.len(), count);
        let owed = all.iter().filter(|metric| metric.name() == "Owed").count();
        assert_eq!(owed, Work::ALL.len());
        assert!(all.contains(&Metric::ColdStart) && all.contains(&Metric::Owed(Work::ParkedEvents)));
    }

    #[test]
    fn a_line_takes_a_hundred_values() {
        recording::start();
        tell_all(Metric::EventAge, &[1; 250]);
        tell_some(Metric::Quarantined, 0);
        tell(Metric::BatchSize, usize::MAX);
        assert_eq!(recording::told(Metric::EventAge).len(), 250);
        assert!(recording::told(Metric::Quarantined).is_empty());
        assert_eq!(recording::told(Metric::BatchSize), [i64::MAX]);
    }
}
