//! The log of what Graph was asked, and what it answered: how tests count and people look.
//! Tokens are not in it, only the account they belong to.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// Older entries are dropped: a desk may run for weeks.
const KEPT: usize = 20_000;

/// One Graph call.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LoggedRequest {
    pub(crate) time: Timestamp,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    /// `waba:<id>` for each account of the token, `unknown`, or null where there was none.
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
    /// Null when the connection was closed without an answer.
    pub(crate) response: Option<LoggedResponse>,
}

/// What was answered.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LoggedResponse {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// The newest calls.
#[derive(Default)]
pub(crate) struct RequestLog(Mutex<VecDeque<LoggedRequest>>);

impl RequestLog {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<LoggedRequest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, request: LoggedRequest) {
        let mut log = self.lock();
        if log.len() == KEPT {
            log.pop_front();
        }
        log.push_back(request);
    }

    /// Oldest first; only those to a number and with that callback data, where they are given.
    pub(crate) fn list(&self, phone_number_id: Option<&str>, callback_data: Option<&str>) -> Vec<LoggedRequest> {
        self.lock()
            .iter()
            .filter(|request| {
                phone_number_id.is_none_or(|id| request.path.split('/').any(|part| part == id))
                    && callback_data.is_none_or(|data| request.body["biz_opaque_callback_data"] == data)
            })
            .cloned()
            .collect()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }
}
