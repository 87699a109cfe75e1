//! `keyreeve hsm check`.

use clap::Args;
use keyreeve_hsm::{Report, Verdict};

use super::target::Token;
use crate::{
    cli::Settings,
    failure::Failure,
    output::{Format, print_line},
    table::{finish, table},
};

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    token: Token,

    /// The slot group whose keys are checked as well
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
}

impl Check {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        let (target, pin) = self.token.parts();
        let report = keyreeve_hsm::check(&target, &pin, self.group.as_deref())?;
        print_line(&match settings.output {
            Format::Table => for_people(&report),
            Format::Json => as_json(&report),
        })?;
        if report.is_sound() { Ok(()) } else { Err(Failure::No) }
    }
}

fn as_json(report: &Report) -> String {
    let mut json = serde_json::json!(report);
    json["sound"] = report.is_sound().into();
    json.to_string()
}

fn for_people(report: &Report) -> String {
    let token = &report.token;
    let verdict = if report.is_sound() { "sound" } else { "NOT SOUND" };
    let mut parts = vec![format!(
        "{verdict}: token {}, serial {}, {} {}, firmware {}",
        token.label, token.serial, token.manufacturer, token.model, token.firmware
    )];
    if !report.findings.is_empty() {
        parts.push(list("what makes it unfit", &report.findings));
    }
    let mut algorithms =
        table(&["KEY", "ALGORITHM", "MECHANISM", "LISTED", "OFFERED", "TRIAL", "PER SECOND"]);
    for row in &report.algorithms {
        let trial = match row.verdict {
            Verdict::Works => "works".to_owned(),
            Verdict::Refused => format!("refused: {}", row.detail),
            Verdict::Wrong => format!("WRONG: {}", row.detail),
        };
        algorithms.add_row([
            row.key.clone(),
            row.algorithm.clone(),
            row.mechanism.clone(),
            yes(row.listed),
            yes(row.offered),
            trial,
            match row.per_second {
                None => "-".to_owned(),
                Some(0) => "<1".to_owned(),
                Some(count) => count.to_string(),
            },
        ]);
    }
    parts.push(finish(&algorithms));
    let held = report.hardening.iter().filter(|attempt| attempt.held).count();
    parts.push(format!(
        "{held} of {} forbidden calls were refused; {} sessions open at once; clock: {}",
        report.hardening.len(),
        report.sessions,
        report.clock_off_by.map_or_else(|| "none".to_owned(), |off| format!("{off} s off")),
    ));
    if let Some(group) = &report.group {
        let wrapping = if group.wrapping_key.is_some() { "there" } else { "MISSING" };
        let canary = if group.canary { "signed a challenge" } else { "FAILED" };
        parts.push(format!("group {}: wrapping key {wrapping}, canary {canary}", group.group));
    }
    if !report.notes.is_empty() {
        parts.push(list("to be known", &report.notes));
    }
    parts.join("\n\n")
}

fn list(head: &str, lines: &[String]) -> String {
    format!("{head}:\n  {}", lines.join("\n  "))
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}
