//! What changed, as a page is told: over its socket while it is open, by `GET /api/live-chat/changes` after it was cut off.
//!
//! A cursor is a snapshot of PostgreSQL: the transactions that its reader has seen. What is new to it is what they have not written, in
//! whatever order they commit; nothing is waited for and nothing can fall between two cursors.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::conversation::{Conversation, PhoneNumber};
use super::message::Message;

/// What a frame may hold (bytes): API Gateway sends no larger one.
pub const FRAME_SIZE: usize = 32 * 1024;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ChangeType {
    /// A message is new.
    #[serde(rename = "message.created")]
    MessageCreated,
    /// A message shows something else: its status, reactions, text, file, or the conversation that it belongs to.
    #[serde(rename = "message.updated")]
    MessageUpdated,
    /// A message is gone; `id` names it.
    #[serde(rename = "message.deleted")]
    MessageDeleted,
    /// A conversation is new or shows something else.
    #[serde(rename = "conversation.updated")]
    ConversationUpdated,
    /// A conversation is gone, with the messages that did not move to another: its customer proved to be another conversation's.
    #[serde(rename = "conversation.deleted")]
    ConversationDeleted,
    /// A business phone number shows something else; its unread total, for one.
    #[serde(rename = "phone_number.updated")]
    PhoneNumberUpdated,
    /// On the socket alone: another page of the agent shows this customer that an answer is being written.
    #[serde(rename = "typing")]
    Typing,
    /// On the socket alone: more changed than is worth sending. Ask for the changes.
    #[serde(rename = "resync")]
    Resync,
    /// On the socket alone: the answer to a ping.
    #[serde(rename = "pong")]
    Pong,
}

/// One change: an entry of `changes`, and a frame of the socket. It shows what changed as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: ChangeType,
    /// Of two changes of one thing the one with the larger version is the newer, in whatever order they arrive. A reply to a request is at
    /// least as new as every change that arrived before it was sent. A deletion's is the version from which it is gone.
    pub version: Option<i64>,
    /// To go on from: `changes?after=`. A frame's lies two minutes behind it, for clients that keep none of their own.
    pub cursor: Option<String>,
    /// The conversation.
    pub conversation_id: Option<i64>,
    /// The row's id of the message.
    pub id: Option<i64>,
    /// The message's `message_id`.
    pub message_id: Option<String>,
    /// The business phone number's id.
    pub phone_number_id: Option<String>,
    /// Of `message.created` and `message.updated`.
    pub message: Option<Message>,
    /// Of `conversation.updated`.
    pub conversation: Option<Conversation>,
    /// Of `phone_number.updated`.
    pub phone_number: Option<PhoneNumber>,
    /// Of a frame: the object was left out, because it is larger than a frame. Ask for the changes.
    pub truncated: bool,
}

impl Change {
    /// A change that says no more than that it happened.
    #[must_use]
    pub fn of(kind: ChangeType) -> Self {
        Self {
            kind,
            version: None,
            cursor: None,
            conversation_id: None,
            id: None,
            message_id: None,
            phone_number_id: None,
            message: None,
            conversation: None,
            phone_number: None,
            truncated: false,
        }
    }

    /// A message as it is.
    #[must_use]
    pub fn message(kind: ChangeType, message: Message) -> Self {
        Self {
            version: Some(message.version),
            conversation_id: Some(message.conversation_id),
            id: Some(message.id),
            message_id: message.message_id.clone(),
            message: Some(message),
            ..Self::of(kind)
        }
    }

    /// A conversation as it is.
    #[must_use]
    pub fn conversation(conversation: Conversation) -> Self {
        Self {
            version: Some(conversation.version),
            conversation_id: Some(conversation.id),
            phone_number_id: conversation.phone_number_id.clone(),
            conversation: Some(conversation),
            ..Self::of(ChangeType::ConversationUpdated)
        }
    }

    /// A phone number as it is.
    #[must_use]
    pub fn phone_number(number: PhoneNumber) -> Self {
        Self {
            version: Some(number.version),
            phone_number_id: Some(number.phone_number_id.clone()),
            phone_number: Some(number),
            ..Self::of(ChangeType::PhoneNumberUpdated)
        }
    }

    /// The frame that tells it: at most [`FRAME_SIZE`], if need be the ids alone.
    #[must_use]
    pub fn to_frame(&self) -> String {
        let frame = serde_json::to_string(self).unwrap_or_default();
        if frame.len() <= FRAME_SIZE {
            return frame;
        }
        let ids = Self {
            message: None,
            conversation: None,
            phone_number: None,
            truncated: true,
            ..self.clone()
        };
        serde_json::to_string(&ids).unwrap_or_default()
    }
}

/// Which transactions a reader sees: those before `next`, but for the running ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// The first transaction that had not begun.
    pub next: u64,
    /// Those that were running.
    pub running: Vec<u64>,
}

impl Snapshot {
    /// Grows with every transaction that ends: of two snapshots the one with the larger version sees more.
    #[must_use]
    pub fn version(&self) -> i64 {
        let running = u64::try_from(self.running.len()).unwrap_or_default();
        i64::try_from(self.next.saturating_sub(running)).unwrap_or(i64::MAX)
    }

    /// The running ones as distances, which are short.
    fn to_numbers(&self) -> Vec<u64> {
        let distances = self.running.iter().map(|xid| self.next.saturating_sub(*xid));
        std::iter::once(self.next).chain(distances).collect()
    }

    fn from_numbers(numbers: &[u64]) -> Option<Self> {
        let (next, distances) = numbers.split_first()?;
        // PostgreSQL's numbers begin with 3; the largest fit 63 bits, which is what SQL takes them as.
        if *next < 3 || i64::try_from(*next).is_err() {
            return None;
        }
        let running = distances
            .iter()
            .map(|distance| next.checked_sub(*distance).filter(|xid| *distance > 0 && *xid >= 3));
        Some(Self {
            next: *next,
            running: running.collect::<Option<_>>()?,
        })
    }
}

/// How far a reader has come within what its snapshot had not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What the last page is going to have read.
    pub until: Snapshot,
    /// The last row that was read: its transaction and its id.
    pub row: (u64, i64),
}

/// What the phone numbers of an agent were when a cursor was made, as digests: a change of theirs is found by comparing, since they come
/// from tables that are not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// Of the numbers' ids: with other numbers, other conversations are the agent's.
    pub ids: u64,
    /// Of all that is shown of them.
    pub state: u64,
}

/// Where a reader of changes stands. Opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Of the log; another one has other transactions.
    pub generation: Uuid,
    /// What its reader has seen.
    pub seen: Snapshot,
    /// When, in seconds since 1970: changes are not kept for ever.
    pub seconds: i64,
    /// Within a catch-up of several pages.
    pub progress: Option<Progress>,
    /// A frame's cursor does not know.
    pub numbers: Option<Numbers>,
}

/// A cursor as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    g: Uuid,
    t: i64,
    s: Vec<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<(Vec<u64>, u64, i64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<(u64, u64)>,
}

impl Cursor {
    /// As a client gets it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let written = Written {
            g: self.generation,
            t: self.seconds,
            s: self.seen.to_numbers(),
            p: self
                .progress
                .as_ref()
                .map(|progress| (progress.until.to_numbers(), progress.row.0, progress.row.1)),
            n: self.numbers.map(|numbers| (numbers.ids, numbers.state)),
        };
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&written).unwrap_or_default())
    }

    /// Reads it; `None` where it is none of ours.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let written: Written = serde_json::from_slice(&bytes).ok()?;
        let progress = match written.p {
            None => None,
            Some((until, xid, id)) => Some(Progress {
                until: Snapshot::from_numbers(&until)?,
                row: (i64::try_from(xid).is_ok().then_some(xid)?, id),
            }),
        };
        Some(Self {
            generation: written.g,
            seconds: written.t,
            seen: Snapshot::from_numbers(&written.s)?,
            progress,
            numbers: written.n.map(|(ids, state)| Numbers { ids, state }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(next: u64, running: &[u64]) -> Snapshot {
        Snapshot {
            next,
            running: running.to_vec(),
        }
    }

    fn cursor() -> Cursor {
        Cursor {
            generation: Uuid::from_u128(7),
            seconds: 1_795_000_000,
            seen: snapshot(100, &[90, 97]),
            progress: None,
            numbers: None,
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let paging = Cursor {
            progress: Some(Progress {
                until: snapshot(120, &[]),
                row: (97, -3),
            }),
            numbers: Some(Numbers {
                ids: u64::MAX,
                state: 0,
            }),
            ..cursor()
        };
        for cursor in [cursor(), paging] {
            assert_eq!(Cursor::from_text(&cursor.to_text()), Some(cursor));
        }
    }

    #[test]
    fn a_forged_cursor_is_none() {
        let written = |s: &str| {
            let text = format!(r#"{{"g":"00000000-0000-0000-0000-000000000007","t":1795000000,"s":{s}}}"#);
            Cursor::from_text(&BASE64_URL_SAFE_NO_PAD.encode(text))
        };
        assert!(written("[100,10]").is_some());
        for forged in [
            "[]",
            "[2]",
            "[100,0]",
            "[100,98]",
            "[100,101]",
            "[-1]",
            "[9223372036854775808]",
            r#""100""#,
            "[1e3]",
        ] {
            assert_eq!(written(forged), None, "{forged}");
        }
        for forged in ["", "x", "bm90IGpzb24", "é"] {
            assert_eq!(Cursor::from_text(forged), None, "{forged}");
        }
    }

    #[test]
    fn a_snapshot_that_sees_more_has_the_larger_version() {
        let versions = [
            snapshot(100, &[90, 97]),
            snapshot(100, &[90]),
            // Two more began, and one of them ended.
            snapshot(102, &[90, 100]),
            snapshot(102, &[]),
        ]
        .map(|snapshot| snapshot.version());
        assert!(versions.is_sorted_by(|one, next| one < next), "{versions:?}");
    }

    #[test]
    fn what_is_larger_than_a_frame_is_told_by_its_ids() {
        let mut change = Change {
            conversation_id: Some(1),
            id: Some(2),
            phone_number: None,
            ..Change::of(ChangeType::MessageDeleted)
        };
        assert!(change.to_frame().contains(r#""type":"message.deleted""#));
        let number = serde_json::json!({
            "phone_number_id": "7", "waba_id": "9", "display_phone_number": null, "verified_name": "x".repeat(FRAME_SIZE),
            "is_registered": true, "unread_count": 0, "quality_rating": null, "messaging_limit": null, "account_status": "active",
            "read_receipts": "never", "last_webhook_at": null
        });
        change.phone_number = Some(serde_json::from_value(number).unwrap());
        let frame = change.to_frame();
        assert!(frame.len() < 1_000);
        let told: Change = serde_json::from_str(&frame).unwrap();
        assert!(told.truncated && told.phone_number.is_none());
        assert_eq!((told.conversation_id, told.id), (Some(1), Some(2)));
    }
}
