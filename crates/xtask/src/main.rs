//! Developer commands: `cargo xtask <command>`.
//!
//! `cargo xtask test` is the one command of the README and of CI: it installs what
//! is missing, then runs everything. The others are its parts, and the campaigns,
//! which take too long for it. This crate knows the tools around the product and
//! nothing of the product itself.

mod campaign;
mod check;
mod deps;
mod engine;
mod image;
mod kryoptic;
mod shell;
mod steps;
mod test;

use std::process::ExitCode;

use campaign::Campaign;
use clap::{Parser, Subcommand};

/// Developer commands of Keyreeve.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs what is missing, then checks and tests everything.
    Test,
    /// Checks the structure: arrows between crates, manifests, files, dependencies.
    Check,
    /// Runs a long test campaign; without a name, lists them.
    Campaign {
        #[command(subcommand)]
        campaign: Option<Campaign>,
    },
    /// Installs the programs that tests need, on a Debian machine.
    Deps,
    /// Builds the container image of the SoftHSM fixture, if it is not there.
    Image {
        /// Builds it again even if it is there.
        #[arg(long)]
        rebuild: bool,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Test => test::run(),
        Command::Check => check::run(),
        Command::Campaign { campaign } => campaign::run(campaign),
        Command::Deps => deps::run(),
        Command::Image { rebuild } => image::run(rebuild),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
