//! Applies a [`Plan`] in one transaction, in a handful of statements whatever its size. Insert-only rows with unique keys, then folds over
//! them: the same plan twice changes nothing, and plans may come in any order and on several connections at once.
//!
//! Locks are taken in one order: portfolios, wamids, the rows of ids, conversations by id.

mod batch;
mod conversations;
mod fold;
mod identity;
mod insert;
mod replay;

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::{Client, Transaction};

pub use insert::OwedFile;
pub use replay::{Replayed, replay_quarantined, replay_registered};

use super::accounts::{self, Number};
use super::{DbError, events, facts, outbound, push, quarantine};
use crate::domain::customer::{Customer, Identity};
use crate::domain::ingest::{Fact, MessageEvent, NewMessage, Origin, Plan, Quarantined, StatusEvent, Subject};
use batch::{Known, Placed, ReadPositions, is_unread};
use events::Told;
use fold::Touched;
use identity::{Customers, Needs, Sighting};
use insert::Inserted;

/// What a batch changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Messages that are new.
    pub inserted_messages: usize,
    /// Items kept raw, among them those that were there already.
    pub quarantined: usize,
    /// Those of them that were not applied.
    pub unapplied: usize,
    /// The conversations that show something new.
    pub conversations: Vec<i64>,
    /// The files to be fetched.
    pub files: Vec<OwedFile>,
    /// The conversations whose agents are owed a notification.
    pub pushes: Vec<OwedPush>,
}

/// A conversation whose agent is owed a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedPush {
    /// The conversation.
    pub conversation_id: i64,
    /// The business phone number that was written to.
    pub phone_number_id: String,
    /// One of the messages that are news there.
    pub wa_message_id: String,
}

/// Applies the plan.
///
/// # Errors
/// Nothing was applied then.
pub async fn apply(client: &mut Client, plan: &Plan, now: Timestamp) -> Result<Applied, DbError> {
    let transaction = client.transaction().await?;
    let applied = apply_within(&transaction, plan, now).await?;
    transaction.commit().await?;
    Ok(applied)
}

async fn apply_within(transaction: &Transaction<'_>, plan: &Plan, now: Timestamp) -> Result<Applied, DbError> {
    let mut quarantined = plan.quarantined.clone();
    let ids: HashSet<&str> = plan.origins().map(|origin| origin.phone_number_id.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let numbers = accounts::find_numbers(transaction, &ids).await?;
    let number_of = |origin: &Origin| -> Option<&Number> {
        let candidates = numbers.get(&origin.phone_number_id)?;
        let named = candidates
            .iter()
            .find(|number| Some(&number.waba_id) == origin.waba_id.as_ref());
        named.or(candidates.first())
    };
    let mut sorted = Sorted::new(plan, number_of, &mut quarantined);

    let portfolios = sorted.portfolios();
    let customers = identity::resolve(transaction, &sorted.sightings(), &portfolios, &mut quarantined).await?;
    sorted.give_customers(&customers);
    events::lock_wamids(transaction, sorted.wamids()).await?;
    let told = sorted.told();
    let involved = sorted.customers();
    let mut others = events::insert(transaction, &told, &mut quarantined).await?;
    let statuses: Vec<&StatusEvent> = sorted.statuses.iter().map(|known| known.item).collect();
    others.extend(events::find_failed_reactions(transaction, &statuses).await?);
    if !customers.united.customers.is_empty() {
        others.extend(events::find_targets(transaction, &customers.united.customers).await?);
        others.extend(customers.united.rivals.iter().cloned());
    }
    let others: Vec<(&str, &str)> = others
        .iter()
        .map(|(number, wamid)| (number.as_str(), wamid.as_str()))
        .collect();
    // Their messages may be on their way in another transaction. Rare enough for a deadlock to be the way out of a bad order.
    events::lock_wamids(transaction, others.iter().copied()).await?;
    let mut targets = sorted.targets();
    targets.extend(others);
    let positions = conversations::lock(transaction, &involved, &targets, &sorted.message_ids()).await?;

    let placed = sorted.place(&customers)?;
    let inserted = insert::insert_messages(transaction, &placed, &positions, &mut quarantined).await?;
    events::insert_statuses(transaction, &statuses).await?;
    events::fail_reactions(transaction, &statuses).await?;
    let reacted = events::bind_unanswered(transaction, &statuses).await?;
    let known = sorted.statuses.iter().map(|known| (known.number, known.item));
    outbound::hold_by_statuses(transaction, known, now).await?;
    targets.extend(reacted.iter().map(|(number, wamid)| (number.as_str(), wamid.as_str())));
    let rows = inserted.new.iter().chain(&inserted.corrected);
    targets.extend(rows.map(|index| wamid_of(placed[*index].message)));
    let changed = events::fold(transaction, &targets).await?;
    facts::put(transaction, &sorted.facts).await?;
    let touched = Touched {
        changed: &changed,
        united: &customers.united,
        customers: &involved,
    };
    let mut conversations = fold::fold_conversations(transaction, &placed, &positions, &inserted, &touched).await?;
    conversations.sort_unstable();
    let pushes = owe_pushes(transaction, &placed, &positions, &inserted, now).await?;

    quarantine::insert(transaction, &quarantined, "consumer").await?;
    let known: Vec<&str> = ids.into_iter().filter(|id| numbers.contains_key(*id)).collect();
    if !known.is_empty() {
        accounts::touch_numbers(transaction, &known, now).await?;
    }
    Ok(Applied {
        inserted_messages: inserted.new.len(),
        quarantined: quarantined.len(),
        unapplied: quarantined
            .iter()
            .filter(|item| !item.reason.starts_with("applied:"))
            .count(),
        conversations,
        files: inserted.files,
        pushes,
    })
}

/// What is older is no news: it came late, or again.
const NEWS: SignedDuration = SignedDuration::from_hours(1);

/// Owes the agents' browsers what customers wrote just now and the agents have not read.
async fn owe_pushes(
    transaction: &Transaction<'_>,
    placed: &[Placed<'_>],
    positions: &ReadPositions,
    inserted: &Inserted,
    now: Timestamp,
) -> Result<Vec<OwedPush>, DbError> {
    let rows = inserted.new.iter().map(|index| &placed[*index]);
    let news =
        rows.filter(|row| row.message.is_inbound() && row.message.timestamp > now - NEWS && is_unread(row, positions));
    let messages: BTreeMap<i64, (&str, &str)> = news.map(|row| (row.conversation, wamid_of(row.message))).collect();
    let conversations: Vec<i64> = messages.keys().copied().collect();
    let owed = push::owe(transaction, &conversations).await?;
    Ok(owed
        .into_iter()
        .filter_map(|conversation_id| {
            let (phone_number_id, wa_message_id) = messages.get(&conversation_id)?;
            Some(OwedPush {
                conversation_id,
                phone_number_id: (*phone_number_id).to_owned(),
                wa_message_id: (*wa_message_id).to_owned(),
            })
        })
        .collect())
}

/// Learns who a customer is, be it from Graph's answer: WhatsApp may know them under another number than the one we wrote to, and the
/// answer's is theirs. For a transaction that holds no other lock yet; it gets those of `wamids` too.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn identify(
    transaction: &Transaction<'_>,
    number: &Number,
    identity: &Identity,
    seen: (Timestamp, &str),
    wamids: &[(&str, &str)],
) -> Result<(), DbError> {
    learn(transaction, number, identity, Some(seen), wamids, &[])
        .await
        .map(drop)
}

/// The conversation with a customer, which is made where there is none. For a transaction that holds no other lock yet.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn open_conversation(
    transaction: &Transaction<'_>,
    number: &Number,
    identity: &Identity,
) -> Result<i64, DbError> {
    let conversation = learn(transaction, number, identity, None, &[], &[]).await?;
    conversation.ok_or_else(|| DbError::Row("a conversation vanished".to_owned()))
}

/// Remembers that a customer wants no marketing messages, as Graph says when it refuses one. For a transaction that holds no other lock yet.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn opt_out(
    transaction: &Transaction<'_>,
    (waba_id, phone_number_id): (&str, &str),
    customer: &Customer,
    now: Timestamp,
) -> Result<(), DbError> {
    let Some(number) = accounts::find_number(transaction, waba_id, phone_number_id).await? else {
        return Ok(());
    };
    let fact = Fact::opt_out(phone_number_id, customer, now);
    let identity = Identity::from(customer.clone());
    learn(transaction, &number, &identity, None, &[], &[&fact])
        .await
        .map(drop)
}

/// Returns the conversation.
async fn learn(
    transaction: &Transaction<'_>,
    number: &Number,
    identity: &Identity,
    seen: Option<(Timestamp, &str)>,
    wamids: &[(&str, &str)],
    news: &[&Fact],
) -> Result<Option<i64>, DbError> {
    let sighting = Sighting {
        number,
        identity,
        seen,
        needs: Needs::Conversation,
    };
    let mut quarantined = Vec::new();
    let customers = identity::resolve(transaction, &[sighting], &[], &mut quarantined).await?;
    events::lock_wamids(transaction, wamids.iter().copied()).await?;
    let involved: Vec<i64> = customers.of.iter().copied().flatten().collect();
    let positions = conversations::lock(transaction, &involved, &[], &[]).await?;
    facts::put(transaction, news).await?;
    let touched = Touched {
        changed: &[],
        united: &customers.united,
        customers: &involved,
    };
    fold::fold_conversations(transaction, &[], &positions, &Inserted::default(), &touched).await?;
    quarantine::insert(transaction, &quarantined, "send").await?;
    let conversation = involved.first().and_then(|customer| {
        let key = (number.waba_id.clone(), number.phone_number_id.clone(), *customer);
        customers.conversations.get(&key).copied()
    });
    Ok(conversation)
}

fn wamid_of(message: &NewMessage) -> (&str, &str) {
    (&message.origin.phone_number_id, &message.wa_message_id)
}

/// The items of a plan whose phone numbers are ours, and what they say of customers.
struct Sorted<'a> {
    messages: Vec<Known<'a, NewMessage>>,
    statuses: Vec<Known<'a, StatusEvent>>,
    events: Vec<Known<'a, MessageEvent>>,
    contacts: Vec<Known<'a, Fact>>,
    facts: Vec<&'a Fact>,
}

impl<'a> Sorted<'a> {
    fn new(
        plan: &'a Plan,
        number_of: impl Fn(&'a Origin) -> Option<&'a Number>,
        quarantined: &mut Vec<Quarantined>,
    ) -> Self {
        let mut sorted = Self {
            messages: Vec::new(),
            statuses: Vec::new(),
            events: Vec::new(),
            contacts: Vec::new(),
            facts: Vec::new(),
        };
        let mut unknown = |origin: &Origin| quarantined.push(Quarantined::item(origin, UNKNOWN_NUMBER));
        sort(
            &plan.messages,
            |it| &it.origin,
            &number_of,
            &mut sorted.messages,
            &mut unknown,
        );
        sort(
            &plan.statuses,
            |it| &it.origin,
            &number_of,
            &mut sorted.statuses,
            &mut unknown,
        );
        sort(
            &plan.events,
            |it| &it.origin,
            &number_of,
            &mut sorted.events,
            &mut unknown,
        );
        for fact in &plan.facts {
            let Some(origin) = &fact.origin else {
                sorted.facts.push(fact);
                continue;
            };
            match number_of(origin) {
                None => unknown(origin),
                Some(number) => {
                    sorted.facts.push(fact);
                    sorted.contacts.push(Known {
                        item: fact,
                        number,
                        customer: None,
                    });
                }
            }
        }
        for known in &sorted.contacts {
            // What a status says of its customer is kept with the status.
            if let Some(origin) = known.item.origin.as_ref().filter(|_| !known.item.is_of_status) {
                let field = origin.field.as_deref().unwrap_or_default();
                quarantined.push(Quarantined::item(origin, &format!("applied:{field}")));
            }
        }
        sorted
    }

    /// Of every item its number, and the customer whom it names.
    fn all(&self) -> impl Iterator<Item = (&'a Number, Option<i64>)> {
        let messages = self.messages.iter().map(|known| (known.number, known.customer));
        let statuses = self.statuses.iter().map(|known| (known.number, known.customer));
        let events = self.events.iter().map(|known| (known.number, known.customer));
        let contacts = self.contacts.iter().map(|known| (known.number, known.customer));
        messages.chain(statuses).chain(events).chain(contacts)
    }

    /// The portfolios of all numbers.
    fn portfolios(&self) -> Vec<&'a str> {
        self.all().map(|(number, _)| number.portfolio.as_str()).collect()
    }

    /// In the order in which [`Self::give_customers`] reads the answer.
    fn sightings(&self) -> Vec<Sighting<'a>> {
        let messages = self.messages.iter().map(|known| Sighting {
            number: known.number,
            identity: &known.item.identity,
            seen: Some((known.item.timestamp, known.item.wa_message_id.as_str())),
            needs: Needs::Conversation,
        });
        let events = self.events.iter().map(|known| Sighting {
            number: known.number,
            identity: &known.item.identity,
            seen: Some((known.item.occurred_at, known.item.event_wamid.as_str())),
            needs: Needs::Customer,
        });
        let statuses = self.statuses.iter().filter_map(|known| {
            Some(Sighting {
                number: known.number,
                identity: known.item.identity.as_ref()?,
                seen: None,
                needs: Needs::Customer,
            })
        });
        let contacts = self.contacts.iter().filter_map(|known| match &known.item.subject {
            Subject::Contact(identity) => Some(Sighting {
                number: known.number,
                identity,
                seen: None,
                needs: Needs::Nothing,
            }),
            _ => None,
        });
        messages.chain(events).chain(statuses).chain(contacts).collect()
    }

    fn give_customers(&mut self, customers: &Customers) {
        let mut of = customers.of.iter().copied();
        let mut next = || of.next().flatten();
        self.messages.iter_mut().for_each(|known| known.customer = next());
        self.events.iter_mut().for_each(|known| known.customer = next());
        let named = self.statuses.iter_mut().filter(|known| known.item.identity.is_some());
        named.for_each(|known| known.customer = next());
        self.contacts.iter_mut().for_each(|known| known.customer = next());
    }

    /// Everybody whom the batch names.
    fn customers(&self) -> Vec<i64> {
        let all: HashSet<i64> = self.all().filter_map(|(_, customer)| customer).collect();
        all.into_iter().collect()
    }

    /// The (phone number id, wamid) of the messages that events are about.
    fn targets(&self) -> Vec<(&'a str, &'a str)> {
        let statuses = self.statuses.iter().map(|known| known.item);
        let events = self.events.iter().map(|known| known.item);
        statuses
            .map(|status| (status.origin.phone_number_id.as_str(), status.wa_message_id.as_str()))
            .chain(events.map(|event| (event.origin.phone_number_id.as_str(), event.wa_message_id.as_str())))
            .collect()
    }

    /// The (phone number id, our id) that statuses carry.
    fn message_ids(&self) -> Vec<(&'a str, &'a str)> {
        let statuses = self.statuses.iter().map(|known| known.item);
        statuses
            .filter_map(|status| Some((status.origin.phone_number_id.as_str(), status.message_id.as_deref()?)))
            .collect()
    }

    /// Every wamid whose row may be written or looked for.
    fn wamids(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let messages: Vec<_> = self.messages.iter().map(|known| wamid_of(known.item)).collect();
        let own: Vec<_> = self
            .events
            .iter()
            .map(|known| {
                (
                    known.item.origin.phone_number_id.as_str(),
                    known.item.event_wamid.as_str(),
                )
            })
            .collect();
        messages.into_iter().chain(own).chain(self.targets())
    }

    fn told(&self) -> Vec<Told<'a>> {
        self.events
            .iter()
            .filter_map(|known| {
                Some(Told {
                    event: known.item,
                    customer_id: known.customer?,
                })
            })
            .collect()
    }

    /// Finds each message's conversation.
    fn place(&self, customers: &Customers) -> Result<Vec<Placed<'a>>, DbError> {
        self.messages
            .iter()
            .map(|known| {
                let conversation = known.customer.and_then(|customer| {
                    let number = known.number;
                    let key = (number.waba_id.clone(), number.phone_number_id.clone(), customer);
                    customers.conversations.get(&key).copied()
                });
                Ok(Placed {
                    message: known.item,
                    conversation: conversation.ok_or_else(|| DbError::Row("a conversation vanished".to_owned()))?,
                })
            })
            .collect()
    }
}

/// Why an item waits for its phone number to be registered.
const UNKNOWN_NUMBER: &str = "unknown_phone_number";

fn sort<'a, T>(
    items: &'a [T],
    origin_of: impl Fn(&'a T) -> &'a Origin,
    number_of: &impl Fn(&'a Origin) -> Option<&'a Number>,
    known: &mut Vec<Known<'a, T>>,
    unknown: &mut impl FnMut(&Origin),
) {
    for item in items {
        let origin = origin_of(item);
        match number_of(origin) {
            None => unknown(origin),
            Some(number) => known.push(Known {
                item,
                number,
                customer: None,
            }),
        }
    }
}
