//! Who the customers of a batch are, and which conversations they have.
//!
//! Every item that names a customer by several ids says that these are one person's; customers are what such statements connect,
//! so they come out the same in any order. Where everything that a batch names is known already, it shares the portfolio's lock; where a
//! customer or a conversation is new, or two prove to be one, it holds the lock alone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::conversations::{self, United};
use crate::db::DbError;
use crate::db::accounts::Number;
use crate::db::customers::{self, PortfolioId, SeenId};
use crate::domain::customer::Identity;
use crate::domain::ingest::Quarantined;

/// What an item of the batch says of a customer.
pub(super) struct Sighting<'a> {
    pub(super) number: &'a Number,
    pub(super) identity: &'a Identity,
    /// The (time, wamid) of the message, where one was written under the present ids.
    pub(super) seen: Option<(Timestamp, &'a str)>,
    /// Whether it needs a conversation, or only a customer, or nothing but what there is.
    pub(super) needs: Needs,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Needs {
    Nothing,
    Customer,
    Conversation,
}

impl Sighting<'_> {
    fn ids(&self) -> impl Iterator<Item = PortfolioId> {
        self.identity.ids().map(|id| (self.number.portfolio.clone(), id))
    }
}

/// A conversation by what makes it one: account, number, customer.
pub(super) type ConversationKey = (String, String, i64);

/// The customers of a batch.
pub(super) struct Customers {
    /// By sighting.
    pub(super) of: Vec<Option<i64>>,
    /// Their conversations on the numbers of the batch.
    pub(super) conversations: HashMap<ConversationKey, i64>,
    /// Conversations that are new, took in another one, or got a customer.
    pub(super) united: United,
}

/// Finds the customers, and makes and unites what has to be. `portfolios` are all that the batch touches, be it with items that name
/// nobody: their conversations may be about to be united.
pub(super) async fn resolve(
    transaction: &Transaction<'_>,
    sightings: &[Sighting<'_>],
    portfolios: &[&str],
    quarantined: &mut Vec<Quarantined>,
) -> Result<Customers, DbError> {
    let ids: Vec<PortfolioId> = sightings
        .iter()
        .flat_map(Sighting::ids)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let known = Known::read(transaction, &ids, sightings).await?;
    let mut alone: BTreeMap<&str, bool> = portfolios.iter().map(|portfolio| (*portfolio, false)).collect();
    for sighting in sightings {
        *alone.entry(&sighting.number.portfolio).or_default() |= !known.settles(sighting);
    }
    customers::lock_portfolios(transaction, alone.iter().map(|(portfolio, alone)| (*portfolio, *alone))).await?;
    // Until the lock was ours, customers may have become one.
    let mut known = Known::read(transaction, &ids, sightings).await?;
    let mut united = United::default();
    let open: Vec<&Sighting<'_>> = sightings
        .iter()
        .filter(|sighting| alone[sighting.number.portfolio.as_str()] && !known.settles(sighting))
        .collect();
    if !open.is_empty() {
        let links = Links::gather(transaction, &known, &open).await?;
        let merger = links.connect(transaction).await?;
        united = conversations::unite(transaction, &merger, quarantined).await?;
        known = Known::read(transaction, &ids, sightings).await?;
        let missing = sightings
            .iter()
            .filter(|sighting| sighting.needs == Needs::Conversation && known.conversation_of(sighting).is_none());
        let missing: Vec<(&Number, i64, &Identity)> = missing
            .filter_map(|sighting| Some((sighting.number, known.customer_of(sighting)?, sighting.identity)))
            .collect();
        let new = conversations::insert_missing(transaction, &missing).await?;
        united.conversations.extend(new.iter().map(|(_, id)| *id));
        known.conversations.extend(new);
    }
    let of: Vec<Option<i64>> = sightings.iter().map(|sighting| known.customer_of(sighting)).collect();
    remember_sightings(transaction, sightings, &known).await?;
    Ok(Customers {
        of,
        conversations: known.conversations,
        united,
    })
}

/// What the tables say of the batch's ids.
struct Known {
    customers: HashMap<PortfolioId, i64>,
    conversations: HashMap<ConversationKey, i64>,
}

impl Known {
    async fn read(
        transaction: &Transaction<'_>,
        ids: &[PortfolioId],
        sightings: &[Sighting<'_>],
    ) -> Result<Self, DbError> {
        const CONVERSATIONS: &str = "
            select c.waba_id, c.phone_number_id, c.customer_id, c.id
            from unnest($1, $2, $3) as k(waba_id, phone_number_id, customer_id)
            join chat_conversations c on c.waba_id = k.waba_id and c.phone_number_id = k.phone_number_id and c.customer_id = k.customer_id";
        let mut known = Self {
            customers: customers::find(transaction, ids).await?.into_iter().collect(),
            conversations: HashMap::new(),
        };
        let keys: HashSet<ConversationKey> = sightings.iter().filter_map(|sighting| known.key_of(sighting)).collect();
        if !keys.is_empty() {
            let keys: Vec<&ConversationKey> = keys.iter().collect();
            let rows = transaction
                .query_typed(
                    CONVERSATIONS,
                    &[
                        (
                            &keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>(),
                            Type::TEXT_ARRAY,
                        ),
                        (
                            &keys.iter().map(|key| key.1.as_str()).collect::<Vec<_>>(),
                            Type::TEXT_ARRAY,
                        ),
                        (&keys.iter().map(|key| key.2).collect::<Vec<_>>(), Type::INT8_ARRAY),
                    ],
                )
                .await?;
            for row in rows {
                let key = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                known.conversations.insert(key, row.try_get(3)?);
            }
        }
        Ok(known)
    }

    /// Whether nothing has to be made or united for the sighting.
    fn settles(&self, sighting: &Sighting<'_>) -> bool {
        let customers: HashSet<Option<i64>> = sighting.ids().map(|id| self.customers.get(&id).copied()).collect();
        let is_one = customers.len() == 1 && !customers.contains(&None);
        match sighting.needs {
            // One id alone connects nothing.
            Needs::Nothing => is_one || sighting.ids().count() == 1,
            Needs::Customer => is_one,
            Needs::Conversation => is_one && self.conversation_of(sighting).is_some(),
        }
    }

    fn customer_of(&self, sighting: &Sighting<'_>) -> Option<i64> {
        sighting.ids().find_map(|id| self.customers.get(&id).copied())
    }

    fn key_of(&self, sighting: &Sighting<'_>) -> Option<ConversationKey> {
        let number = sighting.number;
        let customer = self.customer_of(sighting)?;
        Some((number.waba_id.clone(), number.phone_number_id.clone(), customer))
    }

    fn conversation_of(&self, sighting: &Sighting<'_>) -> Option<i64> {
        self.conversations.get(&self.key_of(sighting)?).copied()
    }
}

/// Customers that become one, and conversations that get a customer.
pub(super) struct Merger {
    /// (who goes, who stays).
    pub(super) customers: Vec<(i64, i64)>,
    /// (conversation, customer).
    pub(super) orphans: Vec<(i64, i64)>,
}

/// Ids, and which of them are one person's: a forest of sets.
struct Links {
    ids: Vec<PortfolioId>,
    index: HashMap<PortfolioId, usize>,
    parents: Vec<usize>,
    customers: HashMap<PortfolioId, i64>,
    orphans: Vec<(i64, usize)>,
}

impl Links {
    /// All that the open sightings connect: through their own ids, through customers, and through conversations that have none.
    async fn gather(transaction: &Transaction<'_>, known: &Known, open: &[&Sighting<'_>]) -> Result<Self, DbError> {
        let mut links = Self {
            ids: Vec::new(),
            index: HashMap::new(),
            parents: Vec::new(),
            customers: HashMap::new(),
            orphans: Vec::new(),
        };
        for sighting in open {
            links.connect_ids(sighting.ids());
        }
        let owners: Vec<_> = open.iter().map(|sighting| sighting.number.user_id).collect();
        let customers: HashSet<i64> = links
            .ids
            .iter()
            .filter_map(|id| known.customers.get(id).copied())
            .collect();
        let customers: Vec<i64> = customers.into_iter().collect();
        links.add_customers(customers::ids_of(transaction, &customers).await?);
        let mut looked_up = 0;
        while looked_up < links.ids.len() {
            let new = links.ids[looked_up..].to_vec();
            looked_up = links.ids.len();
            for orphan in customers::find_orphans(transaction, &new, &owners).await? {
                let ids = orphan.ids.into_iter().map(|id| (orphan.portfolio.clone(), id));
                if let Some(first) = links.connect_ids(ids) {
                    links.orphans.push((orphan.conversation_id, first));
                }
            }
            let found = customers::find(transaction, &links.ids[looked_up..]).await?;
            let customers: Vec<i64> = found.iter().map(|(_, customer)| *customer).collect();
            links.add_customers(customers::ids_of(transaction, &customers).await?);
        }
        Ok(links)
    }

    fn add_customers(&mut self, ids: Vec<(PortfolioId, i64)>) {
        let mut by_customer: HashMap<i64, Vec<PortfolioId>> = HashMap::new();
        for (id, customer) in ids {
            self.customers.insert(id.clone(), customer);
            by_customer.entry(customer).or_default().push(id);
        }
        for ids in by_customer.into_values() {
            self.connect_ids(ids.into_iter());
        }
    }

    /// Makes one set of these ids. Returns the first.
    fn connect_ids(&mut self, ids: impl Iterator<Item = PortfolioId>) -> Option<usize> {
        let mut first = None;
        for id in ids {
            let node = *self.index.entry(id.clone()).or_insert_with(|| {
                self.ids.push(id);
                self.parents.push(self.parents.len());
                self.parents.len() - 1
            });
            let (one, other) = (self.root(*first.get_or_insert(node)), self.root(node));
            self.parents[other] = one;
        }
        first
    }

    fn root(&self, mut node: usize) -> usize {
        while self.parents[node] != node {
            node = self.parents[node];
        }
        node
    }

    /// Gives each set one customer: the oldest that it has, else a new one.
    async fn connect(&self, transaction: &Transaction<'_>) -> Result<Merger, DbError> {
        let mut sets: BTreeMap<usize, BTreeSet<i64>> = BTreeMap::new();
        for (node, id) in self.ids.iter().enumerate() {
            sets.entry(self.root(node)).or_default().extend(self.customers.get(id));
        }
        let new: Vec<usize> = sets
            .iter()
            .filter(|(_, customers)| customers.is_empty())
            .map(|(root, _)| *root)
            .collect();
        let portfolios: Vec<&str> = new.iter().map(|root| self.ids[*root].0.as_str()).collect();
        let mut customer_of: HashMap<usize, i64> = new
            .iter()
            .copied()
            .zip(customers::create(transaction, &portfolios).await?)
            .collect();
        let mut merged = Vec::new();
        for (root, customers) in &sets {
            if let Some(stays) = customers.first() {
                customer_of.insert(*root, *stays);
                merged.extend(customers.iter().skip(1).map(|goes| (*goes, *stays)));
            }
        }
        let ids: Vec<SeenId> = self
            .ids
            .iter()
            .enumerate()
            .map(|(node, id)| SeenId {
                id: id.clone(),
                customer_id: customer_of[&self.root(node)],
                seen: None,
            })
            .collect();
        customers::put_ids(transaction, &ids).await?;
        Ok(Merger {
            customers: merged,
            orphans: self
                .orphans
                .iter()
                .map(|(conversation, node)| (*conversation, customer_of[&self.root(*node)]))
                .collect(),
        })
    }
}

/// Remembers when the present ids were used.
async fn remember_sightings(
    transaction: &Transaction<'_>,
    sightings: &[Sighting<'_>],
    known: &Known,
) -> Result<(), DbError> {
    let mut seen: BTreeMap<PortfolioId, (Timestamp, &str)> = BTreeMap::new();
    for sighting in sightings {
        let Some(at) = sighting.seen else {
            continue;
        };
        for id in sighting.identity.customer.ids() {
            let newest = seen.entry((sighting.number.portfolio.clone(), id)).or_insert(at);
            *newest = at.max(*newest);
        }
    }
    let seen: Vec<SeenId> = seen
        .into_iter()
        .filter_map(|(id, (time, wamid))| {
            Some(SeenId {
                customer_id: *known.customers.get(&id)?,
                seen: Some((time, wamid.to_owned())),
                id,
            })
        })
        .collect();
    customers::put_ids(transaction, &seen).await
}
