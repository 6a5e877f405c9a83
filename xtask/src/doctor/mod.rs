//! `cargo xtask doctor`: looks at every part of an installation, changes nothing, and says what is wrong and what to do about it. No line holds
//! a secret or anything that a customer wrote.

mod aws;
mod database;
mod meta;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use crate::installation::Installation;
use crate::show;
use crate::template::Template;

/// How many of several a line names.
const NAMED: usize = 5;

/// Checks an installation: the database, the secrets, the accounts at Meta, the queues and the bucket. The environment names it as it does for the
/// functions (`DATABASE_URL` or `DATABASE_SECRET_ARN`, `EVENTS_QUEUE_URL`, `MEDIA_BUCKET`, …); without a database there, it is the local stack
#[derive(Args)]
pub(crate) struct Doctor {
    /// The local stack's folder [default: .local]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// A number of which nothing was heard for so many days is named
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    silent_days: i64,
}

/// What came of the checks.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    wrong: usize,
}

impl Report {
    fn good(&mut self, part: &str, what: impl AsRef<str>) {
        self.add('✓', part, what.as_ref());
    }

    /// With what to do about it.
    fn bad(&mut self, part: &str, what: impl AsRef<str>, remedy: &str) {
        self.wrong += 1;
        self.add('✗', part, &format!("{}. {remedy}", what.as_ref()));
    }

    fn unchecked(&mut self, part: &str, why: impl AsRef<str>) {
        self.add('–', part, &format!("not checked: {}", why.as_ref()));
    }

    /// For what needs a setting that is not there. `output` of the deployment has it.
    fn unset(&mut self, part: &str, setting: &str, output: &str) {
        self.unchecked(part, format!("{setting} is not set (the stack's output {output})"));
    }

    fn add(&mut self, mark: char, part: &str, text: &str) {
        let line = format!("{mark} {part}: {}", show::line(text));
        println!("{line}");
        self.lines.push(line);
    }
}

/// Runs the command.
///
/// # Errors
/// When something is wrong.
pub(crate) async fn run(root: &Path, command: &Doctor) -> Result<()> {
    let installation = Installation::find(root, command.state_dir.as_ref()).await?;
    let report = examine(&installation, &Template::read(root)?, command.silent_days).await;
    if report.wrong > 0 {
        bail!(
            "{} of {} checks found something wrong",
            report.wrong,
            report.lines.len()
        );
    }
    Ok(())
}

async fn examine(installation: &Installation, template: &Template, silent_days: i64) -> Report {
    let mut report = Report::default();
    let client = database::connect(installation, &mut report).await;
    if let Some(client) = &client {
        database::examine(client, silent_days, &mut report).await;
    }
    aws::examine_secrets(installation, client.as_ref(), &mut report).await;
    if let Some(client) = &client {
        meta::examine(installation, client, &mut report).await;
    }
    aws::examine_queues(installation, template, &mut report).await;
    aws::examine_bucket(installation, &mut report).await;
    report
}

/// The first few, and how many more there are.
fn name_some(names: &[String]) -> String {
    let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
