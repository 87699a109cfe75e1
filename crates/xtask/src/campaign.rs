//! `cargo xtask campaign <name>`: what takes too long for every change.
//!
//! Each campaign is the long form of something that `cargo xtask test` does briefly, by
//! the same code. It shows its progress and ends with one line of figures.

mod fuzz;
mod tests;

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

/// The campaigns.
#[derive(Subcommand)]
pub(crate) enum Campaign {
    /// Kills the whole service under load, again and again: every answer that was
    /// received must be on record.
    Audit {
        /// How often.
        #[arg(long, default_value_t = 100)]
        count: u32,
    },
    /// Kills and pauses one of two slots under load, and takes its token away: no request
    /// may fail.
    Failover {
        /// How often something happens to one of them.
        #[arg(long, default_value_t = 50)]
        count: u32,
    },
    /// Fuzzes what parses hostile bytes, under libFuzzer: one target, or one after
    /// another.
    Fuzz {
        /// Only this target; its name is that of its test in tests/fuzz.
        #[arg(long)]
        target: Option<String>,
        /// How long for each target.
        #[arg(long, default_value_t = 5.0)]
        minutes: f64,
        /// Runs the target over this file once, to see what a crash was.
        #[arg(long, value_name = "FILE", requires = "target", conflicts_with = "minutes")]
        replay: Option<PathBuf>,
    },
    /// Kills the whole service under writes, again and again: no acknowledged write may
    /// be lost.
    Kills {
        /// How often.
        #[arg(long, default_value_t = 1000)]
        count: u32,
    },
    /// Asks ten times more of the service than it can do: it must go on as if at its
    /// capacity. Wants a machine that does nothing else.
    Overload {
        /// How long, in seconds, at capacity and then beyond it.
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// Makes wrapped keys, and signs with a thousand of them: as fast as with one that is
    /// resident.
    WrappedKeys {
        /// How many.
        #[arg(long, default_value_t = 100_000)]
        count: u32,
    },
    /// Seals and unseals 1 GiB in less than 64 MiB of memory.
    Seal,
    /// Kills the store alone under commits, again and again, and fails its disk at every
    /// operation.
    Store {
        /// How often the test of 100 kills is repeated.
        #[arg(long, default_value_t = 10)]
        rounds: u32,
    },
    /// Runs the suite of backends over a TPM 2.0 in software, behind a resource manager.
    /// Wants root, or sudo.
    Tpm2,
}

/// Runs one; without one, says which there are.
pub(crate) fn run(campaign: Option<Campaign>) -> Result<()> {
    match campaign {
        None => {
            list();
            Ok(())
        }
        Some(Campaign::Fuzz { target: Some(target), replay: Some(file), .. }) => {
            fuzz::replay(&target, &file)
        }
        Some(Campaign::Fuzz { target, minutes, .. }) => fuzz::run(target.as_deref(), minutes),
        Some(Campaign::Audit { count }) => tests::audit(count),
        Some(Campaign::Failover { count }) => tests::failover(count),
        Some(Campaign::WrappedKeys { count }) => tests::wrapped_keys(count),
        Some(Campaign::Kills { count }) => tests::kills(count),
        Some(Campaign::Overload { seconds }) => tests::overload(seconds),
        Some(Campaign::Seal) => tests::seal(),
        Some(Campaign::Store { rounds }) => tests::store(rounds),
        Some(Campaign::Tpm2) => tests::tpm2(),
    }
}

/// The campaigns as clap knows them.
fn list() {
    let command = Campaign::augment_subcommands(clap::Command::new("campaign"));
    eprintln!("cargo xtask campaign <name>; `--help` behind a name says more");
    for campaign in command.get_subcommands() {
        let about = campaign.get_about().map(ToString::to_string).unwrap_or_default();
        eprintln!("    {:<12} {about}", campaign.get_name());
    }
}
