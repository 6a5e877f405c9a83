//! `cargo xtask customer`: all that is kept of one customer, handed out or erased.

#[cfg(test)]
mod tests;

use std::fs::{DirBuilder, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use futures_util::StreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::db::media;
use shared::db::personal_data::{self, Erased, Person, TABLES};
use shared::domain::customer::{CustomerId, phone_of};
use shared::domain::served::{ending_of, media_type};
use shared::edge::storage::Storage;
use tokio_postgres::Client;

use crate::installation::Installation;

/// How often an erasure looks again for what came meanwhile.
const ROUNDS: usize = 3;

/// All that is kept of one customer. `DATABASE_URL`, or `DATABASE_SECRET_ARN`, and `MEDIA_BUCKET` name the installation; without them it is the
/// local stack
#[derive(Args)]
pub(crate) struct Customer {
    #[command(subcommand)]
    action: Action,
    /// The local stack's folder [default: .local]
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// Writes it into a new folder: a JSON Lines file for each table, the files of the messages, and `export.json`, which lists them
    Export {
        #[command(flatten)]
        whose: Whose,
        /// The folder, which must not be there yet
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Erases it, from the database and the bucket; without --yes it only says what would go
    Erase {
        #[command(flatten)]
        whose: Whose,
        /// Does it. There is no way back
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
pub(crate) struct Whose {
    #[command(flatten)]
    id: Id,
    /// Only what this account has of them
    #[arg(long, value_name = "ID")]
    waba_id: Option<String>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Id {
    /// The customer's phone number, with its country
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// The customer's business-scoped user id
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
}

impl Whose {
    fn id(&self) -> Result<CustomerId> {
        match (&self.id.phone, &self.id.user_id) {
            (Some(phone), _) => Ok(CustomerId::Phone(
                phone_of(phone).context("--phone is no phone number, such as +4915112345678")?,
            )),
            (_, Some(user_id)) => Ok(CustomerId::UserId(user_id.clone())),
            (None, None) => bail!("neither --phone nor --user-id is given"),
        }
    }

    async fn find(&self, client: &Client) -> Result<Person> {
        Ok(personal_data::find(client, &self.id()?, self.waba_id.as_deref()).await?)
    }
}

/// Runs the command.
///
/// # Errors
/// When nothing is kept of the customer, or not everything could be written or erased.
pub(crate) async fn run(root: &Path, command: &Customer) -> Result<()> {
    let installation = Installation::find(root, command.state_dir.as_ref()).await?;
    let mut client = installation.connect().await?;
    let storage = installation.storage();
    match &command.action {
        Action::Export { whose, out } => {
            let storage = storage.context("MEDIA_BUCKET is not set: it holds the files")?;
            export(&client, &storage, whose, out).await
        }
        Action::Erase { whose, yes: true } => erase(&mut client, storage.as_ref(), whose).await,
        Action::Erase { whose, yes: false } => {
            let person = whose.find(&client).await?;
            print_counts(&client, &person).await?;
            println!("Nothing was erased: --yes does it");
            Ok(())
        }
    }
}

async fn print_counts(client: &Client, person: &Person) -> Result<()> {
    if person.is_unknown() {
        bail!("nothing is kept of this customer");
    }
    for (table, rows) in personal_data::count(client, person).await? {
        println!("{rows:>8}  {table}");
    }
    let files = personal_data::list_files(client, person).await?;
    println!("{:>8}  files", files.len());
    Ok(())
}

async fn export(client: &Client, storage: &Storage, whose: &Whose, folder: &Path) -> Result<()> {
    let person = whose.find(client).await?;
    if person.is_unknown() {
        bail!("nothing is kept of this customer");
    }
    let private = |path: &Path| {
        let made = DirBuilder::new().mode(0o700).create(path);
        made.with_context(|| format!("cannot make the folder {}", path.display()))
    };
    private(folder)?;
    private(&folder.join("media"))?;
    let mut tables = serde_json::Map::new();
    for table in TABLES {
        let mut file = BufWriter::new(File::create(folder.join(format!("{}.jsonl", table.0)))?);
        let mut rows = personal_data::read(client, &person, table).await?;
        let mut count = 0;
        while let Some(row) = rows.next().await {
            writeln!(file, "{}", row?)?;
            count += 1;
        }
        file.flush()?;
        tables.insert(table.0.to_owned(), json!(count));
    }
    let mut files = Vec::new();
    for file in personal_data::list_files(client, &person).await? {
        let ending = ending_of(&media_type(file.mime_type.as_deref())).unwrap_or("bin");
        let path = format!("media/{}.{ending}", file.message_id);
        let is_there = fetch(storage, &file.object_key, &folder.join(&path)).await?;
        files.push(json!({"message_id": file.message_id, "path": is_there.then_some(path)}));
    }
    let ids: Vec<Value> = person
        .ids
        .iter()
        .map(|id| json!({"kind": id.kind(), "value": id.value()}))
        .collect();
    let index =
        json!({"exported_at": Timestamp::now(), "waba_id": whose.waba_id, "ids": ids, "rows": tables, "files": files});
    std::fs::write(folder.join("export.json"), format!("{index:#}\n"))?;
    print_counts(client, &person).await?;
    let missing = files.iter().filter(|file| file["path"].is_null()).count();
    if missing > 0 {
        bail!("{missing} files are not in the bucket; everything else is written");
    }
    Ok(())
}

/// Copies a file out of the bucket. False where it is not there.
async fn fetch(storage: &Storage, object_key: &str, path: &Path) -> Result<bool> {
    let Some(mut outflow) = storage.read(object_key).await? else {
        return Ok(false);
    };
    let mut file = BufWriter::new(File::create(path)?);
    while let Some(piece) = outflow.bytes.next().await {
        file.write_all(&piece?)?;
    }
    file.flush()?;
    Ok(true)
}

async fn erase(client: &mut Client, storage: Option<&Storage>, whose: &Whose) -> Result<()> {
    let mut person = whose.find(client).await?;
    print_counts(client, &person).await?;
    let (mut left, mut busy) = (0, 0);
    // What is stored while this goes on is found by the next round.
    for _ in 0..ROUNDS {
        busy = 0;
        for conversation in &person.conversations {
            match personal_data::erase_conversation(client, *conversation).await? {
                Erased::Gone(files) => left += take_out(client, storage, &files).await?,
                Erased::Busy => busy += 1,
            }
        }
        personal_data::erase_rest(client, &person).await?;
        person = whose.find(client).await?;
        if person.is_unknown() {
            break;
        }
    }
    if left > 0 {
        println!("{left} files are still in the bucket: the media function takes them out within minutes");
    }
    if busy > 0 {
        bail!("a message is on its way in {busy} conversations, which were kept: erase again in three minutes");
    }
    if !person.is_unknown() {
        bail!("something came meanwhile: erase again");
    }
    println!("Erased");
    Ok(())
}

/// Takes files out of the bucket whose rows are gone. Returns how many are left to the clock.
async fn take_out(client: &Client, storage: Option<&Storage>, files: &[String]) -> Result<usize> {
    let mut gone = Vec::new();
    if let Some(storage) = storage {
        for object_key in files {
            if storage.delete(object_key).await.is_ok() {
                gone.push(object_key.clone());
            }
        }
        media::forget_discarded(client, &gone).await?;
    }
    Ok(files.len() - gone.len())
}
