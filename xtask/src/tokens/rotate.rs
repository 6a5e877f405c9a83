//! `tokens rotate`: a new key becomes active, all tokens are encrypted with it, the old keys are retired. Functions that send meanwhile
//! meet tokens of both kinds and can read them: a key is in the ring before the first token needs it, and until no token does.
//! Each step may be interrupted; the next run goes on where the tokens and the ring stand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, bail};
use shared::db::accounts;
use shared::tokens::{KeyRing, TokenError, add_key, is_encrypted, is_secret_name, key_of, retire_keys};

use super::Installation;

/// How long a rotation waits.
pub(super) struct Waits {
    /// Until every function finds a new key.
    pub(super) spread: Duration,
    /// Until nobody writes with an old key any more.
    pub(super) grace: Duration,
}

/// A function that meets an unknown key reads the ring again if its own is older than 10 s (`shared::edge::secrets`): a key that is older
/// than that is found by all.
pub(super) const SPREAD: Duration = Duration::from_secs(12);
/// Whoever still writes with an old key after so many times of grace will go on.
const ROUNDS: u32 = 5;

pub(super) async fn run(installation: &Installation, waits: &Waits) -> Result<()> {
    let mut ring = installation.ring.read().await?;
    let mut keys = ring.keys()?;
    let mut pass = Pass::default();
    if keys.old_keys().next().is_some() {
        tokio::time::sleep(waits.spread).await;
        pass = encrypt_again(installation, &keys).await?;
    }
    // Old keys that only damaged tokens want are left by a rotation that is complete.
    if keys.old_keys().all(|id| pass.keeps(id)) {
        ring = installation.ring.change(&ring, add_key).await?;
        keys = ring.keys()?;
        println!("{} is the active key now", keys.active());
        tokio::time::sleep(waits.spread).await;
        pass = encrypt_again(installation, &keys).await?;
    } else {
        println!(
            "{} is the active key already: going on with a rotation that was interrupted",
            keys.active()
        );
    }
    println!("{} tokens encrypted again", pass.encrypted);
    for round in 1.. {
        println!(
            "Waiting {} s for whoever may still write with an old key",
            waits.grace.as_secs()
        );
        tokio::time::sleep(waits.grace).await;
        pass = encrypt_again(installation, &keys).await?;
        if pass.encrypted + pass.changed == 0 {
            break;
        }
        println!(
            "{} tokens were written with an old key meanwhile, encrypted again",
            pass.encrypted
        );
        if round == ROUNDS {
            bail!(
                "something goes on writing tokens with an old key: the old keys stay until it stops, run the command again then"
            );
        }
    }
    let (kept, retired): (Vec<&str>, Vec<&str>) = keys.old_keys().partition(|id| pass.keeps(id));
    if !retired.is_empty() {
        installation
            .ring
            .change(&ring, |text| retire_keys(text, |id| pass.keeps(id)))
            .await?;
        println!("Retired: {}", retired.join(", "));
    }
    for (waba_id, error) in &pass.damaged {
        println!("{waba_id}: {error}");
    }
    if !kept.is_empty() {
        println!("Kept for tokens that cannot be decrypted: {}", kept.join(", "));
    }
    println!(
        "{} tokens under {}, {} in plain text (`tokens encrypt` encrypts them), {} names of secrets, {} cannot be decrypted",
        pass.active,
        keys.active(),
        pass.plain,
        pass.names,
        pass.damaged.len()
    );
    Ok(())
}

/// What all accounts' tokens were found to be.
#[derive(Default)]
struct Pass {
    /// Under the active key.
    active: u32,
    /// Of these, under another one before.
    encrypted: u32,
    /// Replaced by somebody else at the same moment.
    changed: u32,
    plain: u32,
    names: u32,
    /// What is wrong with an account's token.
    damaged: BTreeMap<String, TokenError>,
    /// The keys of those.
    keys_of_damaged: BTreeSet<String>,
}

impl Pass {
    /// Whether a token that nobody could read names this key: it may be read once what is wrong is put right.
    fn keeps(&self, id: &str) -> bool {
        self.keys_of_damaged.contains(id)
    }
}

/// Encrypts every token with the active key that is not.
async fn encrypt_again(installation: &Installation, keys: &KeyRing) -> Result<Pass> {
    let mut pass = Pass::default();
    let mut after = String::new();
    loop {
        let accounts = installation.next_accounts(&mut after).await?;
        if accounts.is_empty() {
            return Ok(pass);
        }
        for (waba_id, stored) in accounts {
            let stored = stored.unwrap_or_default();
            let token = stored.trim();
            if is_encrypted(token) && key_of(token) == Some(keys.active()) {
                pass.active += 1;
            } else if is_encrypted(token) {
                let new = keys
                    .decrypt(&waba_id, token)
                    .and_then(|plain| keys.encrypt(&waba_id, &plain));
                match new {
                    Ok(new) if accounts::replace_token(&installation.database, &waba_id, &stored, &new).await? => {
                        pass.active += 1;
                        pass.encrypted += 1;
                    }
                    Ok(_) => pass.changed += 1,
                    Err(error) => {
                        pass.keys_of_damaged.extend(key_of(token).map(str::to_owned));
                        pass.damaged.insert(waba_id, error);
                    }
                }
            } else if is_secret_name(token) {
                pass.names += 1;
            } else if !token.is_empty() {
                pass.plain += 1;
            }
        }
    }
}
