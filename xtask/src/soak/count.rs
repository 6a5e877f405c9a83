//! What became of it all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter, Write};
use std::path::Path;

use anyhow::{Result, ensure};
use aws_sdk_sqs::types::QueueAttributeName;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use super::load::{Load, WAMID};
use super::page::Watcher;
use crate::stack::connect;

/// Every message, counted at each place that it should have come to.
pub(super) struct Books {
    written: usize,
    /// Rows of customers' messages.
    rows: usize,
    stored: usize,
    /// What each page was told by a frame.
    framed: Vec<usize>,
    /// What each page was told at all.
    told: Vec<usize>,
    cuts: usize,
    answers: usize,
    /// How often Graph took one.
    taken: usize,
    taken_once: usize,
    /// By what became of them.
    statuses: BTreeMap<String, usize>,
    quarantined: i64,
    dead_letters: u64,
    repeated: usize,
}

impl Books {
    /// As things are now.
    pub(super) async fn of(load: &Load, pages: &[Watcher]) -> Result<Self> {
        const STORED: &str = "select wa_message_id from chat_messages where starts_with(wa_message_id, $1)";
        const STATUSES: &str = "select status from chat_messages where message_id = any($1)";
        const QUARANTINED: &str =
            "select count(*) from chat_quarantine where position(convert_to($1, 'UTF8') in body) > 0";
        let stack = &load.stack;
        let database = connect(&stack.database_url).await?;
        let rows = database.query(STORED, &[&WAMID]).await?;
        let stored: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        let ids: Vec<String> = load.written().answers.iter().cloned().collect();
        let mut statuses = BTreeMap::new();
        for row in database.query(STATUSES, &[&ids]).await? {
            *statuses.entry(row.get(0)).or_default() += 1;
        }
        let quarantined = database.query_one(QUARANTINED, &[&WAMID]).await?.get(0);
        let taken = load.taken_by_graph().await?;
        let mut dead_letters = 0;
        let queues = aws_sdk_sqs::Client::new(&stack.aws().await);
        let depth = QueueAttributeName::ApproximateNumberOfMessages;
        for url in [
            &stack.dead_letter_queue_url,
            &stack.media_dead_letter_queue_url,
            &stack.outbox_dead_letter_queue_url,
        ] {
            let asked = queues
                .get_queue_attributes()
                .queue_url(url)
                .attribute_names(depth.clone());
            let attributes = asked.send().await?.attributes.unwrap_or_default();
            dead_letters += attributes.get(&depth).map_or(Ok(0), |count| count.parse())?;
        }
        let written = load.written();
        let is_ours = |id: &&String| written.answers.contains(*id);
        let taken_once: BTreeSet<_> = taken.iter().filter(is_ours).collect();
        let mut books = Self {
            written: written.wamids.len(),
            rows: rows.len(),
            stored: stored.intersection(&written.wamids).count(),
            framed: Vec::new(),
            told: Vec::new(),
            cuts: 0,
            answers: written.answers.len(),
            taken: taken.iter().filter(is_ours).count(),
            taken_once: taken_once.len(),
            statuses,
            quarantined,
            dead_letters,
            repeated: written.repeated,
        };
        for page in pages {
            let told = page.told();
            books.framed.push(told.by_frame.intersection(&written.wamids).count());
            let all = written
                .wamids
                .iter()
                .filter(|id| told.by_frame.contains(*id) || told.by_changes.contains(*id));
            books.told.push(all.count());
            books.cuts += told.cuts;
        }
        Ok(books)
    }

    /// How many customers' messages there were.
    #[expect(clippy::cast_precision_loss, reason = "nobody waits for 2^52 messages")]
    pub(super) fn written(&self) -> f64 {
        self.written as f64
    }

    /// Answers whose end is not known, and those that ended as something that nobody ordered.
    fn unread(&self) -> usize {
        self.answers - self.statuses.get("read").copied().unwrap_or(0)
    }

    /// # Errors
    /// When anything is lost, doubled or still owed.
    pub(super) fn check(&self) -> Result<()> {
        ensure!(
            self.stored == self.written,
            "{} messages are not stored",
            self.written - self.stored
        );
        ensure!(
            self.rows == self.stored,
            "{} messages are stored twice",
            self.rows - self.stored
        );
        let told = self.told.iter().min().copied().unwrap_or(0);
        ensure!(
            told == self.written,
            "a page was not told of {} messages",
            self.written - told
        );
        ensure!(
            self.taken_once == self.answers,
            "{} answers did not reach Graph",
            self.answers - self.taken_once
        );
        ensure!(
            self.taken == self.taken_once,
            "Graph took {} answers twice",
            self.taken - self.taken_once
        );
        ensure!(self.unread() == 0, "{} answers were not read", self.unread());
        ensure!(
            self.quarantined == 0,
            "{} messages are in the quarantine",
            self.quarantined
        );
        ensure!(self.dead_letters == 0, "{} records are dead letters", self.dead_letters);
        Ok(())
    }
}

impl Display for Books {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "written by customers  {}", self.written)?;
        writeln!(formatter, "  stored              {}", self.stored)?;
        writeln!(
            formatter,
            "  told to each page   {:?}, of which by frames {:?}, through {} cuts",
            self.told, self.framed, self.cuts
        )?;
        writeln!(formatter, "  lost                {}", self.written - self.stored)?;
        writeln!(formatter, "  doubled             {}", self.rows - self.stored)?;
        writeln!(formatter, "written by agents     {}", self.answers)?;
        writeln!(formatter, "  taken by Graph      {}", self.taken_once)?;
        writeln!(formatter, "  lost                {}", self.answers - self.taken_once)?;
        writeln!(formatter, "  doubled             {}", self.taken - self.taken_once)?;
        writeln!(formatter, "  by status           {:?}", self.statuses)?;
        write!(
            formatter,
            "quarantined {}, dead letters {}, requests made again {}",
            self.quarantined, self.dead_letters, self.repeated
        )
    }
}

/// What the processes of one function hold.
#[derive(Default)]
pub(super) struct Memory {
    environments: u64,
    largest: u64,
    total: u64,
}

impl Memory {
    /// The memory of each function whose binary lies in this folder.
    pub(super) fn of(functions: &Path) -> BTreeMap<String, Self> {
        let mut system = System::new();
        let what = ProcessRefreshKind::nothing()
            .with_memory()
            .with_exe(UpdateKind::Always)
            .without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        let mut memory = BTreeMap::<String, Self>::new();
        for process in system.processes().values() {
            let Some(binary) = process.exe().filter(|exe| exe.starts_with(functions)) else {
                continue;
            };
            let name = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let of_function = memory.entry(name).or_default();
            of_function.environments += 1;
            of_function.largest = of_function.largest.max(process.memory());
            of_function.total += process.memory();
        }
        memory
    }

    /// A table of both.
    pub(super) fn compare(before: &BTreeMap<String, Self>, after: &BTreeMap<String, Self>) -> String {
        let mut table = String::from("memory (MB)      mean at start  mean at end  largest at end  environments\n");
        let none = Self::default();
        for (name, now) in after {
            let then = before.get(name).unwrap_or(&none);
            let _ = writeln!(
                table,
                "  {name:14} {:>13}  {:>11}  {:>14}  {} → {}",
                megabytes(then.total, then.environments),
                megabytes(now.total, now.environments),
                megabytes(now.largest, 1),
                then.environments,
                now.environments
            );
        }
        table
    }
}

/// With one decimal; a dash of nothing.
fn megabytes(bytes: u64, among: u64) -> String {
    let Some(tenths) = (bytes / 100_000).checked_div(among) else {
        return "–".to_owned();
    };
    format!("{}.{}", tenths / 10, tenths % 10)
}
