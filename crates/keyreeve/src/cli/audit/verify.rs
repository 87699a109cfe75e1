//! `keyreeve audit verify`.

use std::{fs, path::PathBuf, time::Duration};

use clap::Args;
use indicatif::ProgressBar;
use keyreeve_audit::{Report, verify};
use serde_json::json;

use super::offline::read_key;
use crate::{
    cli::Settings,
    failure::Failure,
    output::{Format, print_line},
};

/// Faults that are listed for people.
const LISTED: usize = 20;

#[derive(Args)]
pub(crate) struct Verify {
    /// The log's directory, as DATA_DIR/audit; better a copy of it if the service runs
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,

    /// The file with the log's public key. Take it from where you trust it, not from
    /// beside the log
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// A checkpoint that was kept elsewhere: shows whether the log was cut or written
    /// anew since
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

impl Verify {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        let key = read_key(&self.key)?;
        let kept = self.checkpoint.as_ref().map(|path| {
            fs::read(path).map_err(|error| {
                Failure::local(
                    format!("{} cannot be read: {error}", path.display()),
                    "name the checkpoint that you kept",
                )
            })
        });
        let kept = kept.transpose()?;
        // How long it takes is known only at the end: it goes on, is what this says.
        let bar = ProgressBar::new_spinner().with_message("reading every record and hash");
        bar.enable_steady_tick(Duration::from_millis(120));
        let report = verify(&self.dir, &key, kept.as_deref());
        bar.finish_and_clear();
        print_line(&match settings.output {
            Format::Table => for_people(&report),
            Format::Json => as_json(&report),
        })?;
        if report.is_sound() { Ok(()) } else { Err(Failure::No) }
    }
}

fn for_people(report: &Report) -> String {
    let mut lines = Vec::new();
    let verdict = match (report.is_sound(), report.is_clean()) {
        (false, _) => "NOT SOUND: the directory is not what was signed; keep it as evidence",
        (true, false) => "sound: what is under the checkpoint is what was signed",
        (true, true) => "sound, and closed in order",
    };
    lines.push(verdict.to_owned());
    if let Some(checkpoint) = &report.checkpoint {
        lines.push(format!("log {}, {} records signed", checkpoint.origin, checkpoint.size));
    }
    lines.push(format!("{} records read", report.records));
    if report.minimum_index > 0 {
        lines.push(format!("{} removed by retention, as the log says", report.minimum_index));
    }
    if report.unsigned > 0 {
        lines.push(format!("{} on disk and not under a checkpoint yet", report.unsigned));
    }
    if report.unfinished {
        lines.push("something was being written".to_owned());
    }
    for fault in report.faults.iter().take(LISTED) {
        lines.push(format!("  {fault}"));
    }
    if report.faults.len() > LISTED {
        lines
            .push(format!("  and {} more: --output json lists them", report.faults.len() - LISTED));
    }
    lines.join("\n")
}

fn as_json(report: &Report) -> String {
    let faults: Vec<_> = report.faults.iter().map(ToString::to_string).collect();
    json!({
        "sound": report.is_sound(),
        "clean": report.is_clean(),
        "origin": report.checkpoint.as_ref().map(|checkpoint| checkpoint.origin.clone()),
        "signed": report.checkpoint.as_ref().map(|checkpoint| checkpoint.size),
        "records": report.records,
        "minimumIndex": report.minimum_index,
        "unsigned": report.unsigned,
        "unfinished": report.unfinished,
        "faults": faults,
    })
    .to_string()
}
