//! `tokens encrypt`: no token in plain text.

use anyhow::Result;
use shared::db::accounts;
use shared::tokens::{is_encrypted, is_secret_name};

use super::Installation;

pub(super) async fn run(installation: &Installation) -> Result<()> {
    let ring = installation.ring.read().await?.keys()?;
    let (mut encrypted, mut before, mut names) = (0, 0, 0);
    let mut after = String::new();
    loop {
        let accounts = installation.next_accounts(&mut after).await?;
        if accounts.is_empty() {
            break;
        }
        for (waba_id, stored) in accounts {
            let stored = stored.unwrap_or_default();
            let token = stored.trim();
            if is_encrypted(token) {
                before += 1;
            } else if is_secret_name(token) {
                names += 1;
            } else if !token.is_empty() {
                let new = ring.encrypt(&waba_id, token)?;
                // Whoever replaced it in between wrote a newer one, which the next run takes.
                let replaced = accounts::replace_token(&installation.database, &waba_id, &stored, &new).await?;
                encrypted += u32::from(replaced);
            }
        }
    }
    println!("{encrypted} encrypted now, {before} encrypted before, {names} kept as names of secrets");
    Ok(())
}
