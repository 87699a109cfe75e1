//! What the load generator is asked for.

use std::{path::PathBuf, time::Duration};

use anyhow::{Result, bail};

use crate::row::{ROWS, Row};

/// Measures Keyreeve's operations beside an empty gRPC service and the bare
/// backend.
#[derive(Debug, clap::Parser)]
#[command(name = "load", version = None)]
pub(crate) struct Arguments {
    /// Measure the rows whose name contains one of these; all if none is given.
    filters: Vec<String>,

    /// Write every round to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// How often each row is measured; the table shows medians.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// How long a, b and c are each measured in a round, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 2000,
          value_parser = clap::value_parser!(u64).range(100..))]
    window: u64,

    /// Measure the limits a and c alone. Needs no Keyreeve.
    #[arg(long)]
    pub(crate) limits: bool,

    /// A build with the feature `bench-unaudited`: what the audit log costs is measured
    /// against it, turn by turn.
    #[arg(long, value_name = "BINARY", conflicts_with = "limits")]
    pub(crate) unaudited: Option<PathBuf>,

    /// Fail if a target is missed.
    #[arg(long)]
    pub(crate) check: bool,

    /// List the rows.
    #[arg(long)]
    pub(crate) list: bool,

    /// `cargo bench` says this to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Arguments {
    /// The rows to measure, in the order of the table.
    pub(crate) fn rows(&self) -> Result<Vec<&'static Row>> {
        let asked = |row: &&Row| {
            self.filters.is_empty() || self.filters.iter().any(|f| row.name.contains(f.as_str()))
        };
        let rows: Vec<_> = ROWS.iter().filter(asked).collect();
        if rows.is_empty() {
            let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
            bail!("no row has such a name; there are {}", names.join(", "));
        }
        Ok(rows)
    }

    /// How long each measurement lasts.
    pub(crate) const fn window(&self) -> Duration {
        Duration::from_millis(self.window)
    }
}
