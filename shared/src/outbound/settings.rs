//! What the operator decides about sending.

use std::time::Duration;

use super::TURN_TIME;
use crate::config::{self, ConfigError};
use crate::db::outbound::Pace;
use crate::domain::send::Patience;

/// The operator's settings.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long what is owed may take.
    pub patience: Patience,
    /// How fast a number may send.
    pub pace: Pace,
}

impl Settings {
    /// Reads `SEND_RETRY_SECONDS` (default 3600), `SEND_HOLD_SECONDS` (86400), `SEND_CONFIRMATION_SECONDS` (900) and
    /// `SEND_MESSAGES_PER_SECOND` (80).
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        let retry = Duration::from_secs(config::parsed("SEND_RETRY_SECONDS", 3600)?);
        let hold = Duration::from_secs(config::parsed("SEND_HOLD_SECONDS", 86_400)?);
        let confirmation = Duration::from_secs(config::parsed("SEND_CONFIRMATION_SECONDS", 900)?);
        if confirmation < TURN_TIME {
            let least = TURN_TIME.as_secs();
            return Err(ConfigError::new(
                "SEND_CONFIRMATION_SECONDS",
                format!("must be at least {least}"),
            ));
        }
        let messages_per_second = config::parsed("SEND_MESSAGES_PER_SECOND", 80)?;
        if !(1..=1000).contains(&messages_per_second) {
            return Err(ConfigError::new("SEND_MESSAGES_PER_SECOND", "must be from 1 to 1000"));
        }
        Ok(Self {
            patience: Patience {
                retry,
                hold,
                confirmation,
            },
            pace: Pace { messages_per_second },
        })
    }
}
