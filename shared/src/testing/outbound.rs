//! What sends, as the tests of several functions want it.

use std::time::Duration;

use crate::db::Database;
use crate::db::outbound::Pace;
use crate::domain::send::Patience;
use crate::edge::graph::Graph;
use crate::edge::queue::Queue;
use crate::edge::secrets::Secrets;
use crate::edge::storage::Storage;
use crate::outbound::{Outbound, Settings};
use crate::tokens::Tokens;

/// Sends by the Graph at `graph_url`, with the settings that the template gives.
///
/// # Panics
/// When the URL is malformed.
#[must_use]
pub fn outbound(
    database: Database,
    aws: &aws_config::SdkConfig,
    ring_arn: String,
    graph_url: &str,
    bucket: &str,
    queue: Queue,
) -> Outbound {
    Outbound {
        database,
        tokens: Tokens::new(Secrets::new(aws, Duration::from_mins(5)), ring_arn),
        graph: Graph::new(graph_url, "v26.0").expect("the URL is well-formed"),
        storage: Storage::new(aws, bucket.to_owned()),
        queue,
        settings: Settings {
            patience: Patience {
                retry: Duration::from_hours(1),
                hold: Duration::from_hours(24),
                confirmation: Duration::from_mins(15),
            },
            pace: Pace {
                messages_per_second: 80,
            },
        },
        lease: Duration::from_secs(130),
    }
}
