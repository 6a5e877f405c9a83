//! `cargo xtask fuzz`: what comes from outside, under libFuzzer. Only what is ours is instrumented, so that everything else is built once for
//! this and for all other checks, by the stable compiler.

use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use tokio::process::Command;

use crate::{cache, process};

/// The targets of `fuzz/src/targets.rs`.
const TARGETS: [&str; 6] = ["payload", "signature", "cursor", "token", "template", "subscription"];

/// Fuzzes what comes from outside: payloads, signatures, cursors, tokens, template parameters, push subscriptions
#[derive(Args)]
pub(crate) struct Fuzz {
    /// How long each target runs
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u32,
    /// Only these targets [default: all]
    #[arg(long, value_name = "TARGET", value_parser = TARGETS)]
    target: Vec<String>,
}

impl Fuzz {
    /// A short run of all targets.
    pub(crate) const SHORT: Self = Self {
        seconds: 10,
        target: Vec::new(),
    };
}

/// Runs the command. What the engine learns is kept in the cache folder, and the next run begins there.
///
/// # Errors
/// With the target that breaks a promise; its input is in `.local/fuzz`.
pub(crate) async fn run(root: &Path, command: &Fuzz) -> Result<()> {
    process::require("c++", "g++").await?;
    // Builds it where it has to.
    let program = || {
        let mut program = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        program
            .current_dir(root)
            .args(["run", "--quiet", "--package", "fuzz", "--features", "libfuzzer", "--"])
            .env("RUSTC_WORKSPACE_WRAPPER", root.join("fuzz/rustc-with-coverage"));
        program
    };
    let folder = cache::user_folder()?.join("fuzz");
    let seeds = folder.join("seeds");
    process::run(program().env("FUZZ_SEEDS", &seeds), "the seeds").await?;
    let found = root.join(".local/fuzz");
    std::fs::create_dir_all(&found).with_context(|| format!("cannot write {}", found.display()))?;
    for target in TARGETS {
        if !command.target.is_empty() && !command.target.iter().any(|one| one == target) {
            continue;
        }
        let learnt = folder.join(target);
        std::fs::create_dir_all(&learnt)?;
        println!("{target}");
        let mut fuzz = program();
        fuzz.env("FUZZ_TARGET", target)
            .arg(format!("-max_total_time={}", command.seconds))
            .arg(format!("-artifact_prefix={}/{target}-", found.display()))
            .args(["-timeout=10", "-max_len=20000", "-verbosity=0", "-print_final_stats=1"])
            .args([learnt, seeds.join(target)]);
        process::run(&mut fuzz, target).await?;
    }
    Ok(())
}
