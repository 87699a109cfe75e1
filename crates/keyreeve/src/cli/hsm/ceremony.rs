//! `keyreeve hsm ceremony`.

use std::{io::Write as _, path::PathBuf};

use clap::{Args, Subcommand};
use keyreeve_hsm::ceremony::{Confirmation, Plan, Verified, run, verify};
use serde_json::json;

use crate::{
    cli::Settings,
    failure::Failure,
    output::{Format, print_line},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show what a ceremony file would do, and its hash
    Plan(Show),
    /// Do it, once two people have confirmed the hash, and write down what was done
    Run(Run),
    /// Check a transcript against its ceremony file: exit code 0 if it is whole, 1 if not
    Verify(Verify),
}

#[derive(Args)]
pub(crate) struct Show {
    /// The ceremony file
    file: PathBuf,
}

#[derive(Args)]
pub(crate) struct Run {
    /// The ceremony file
    file: PathBuf,

    /// Where the transcript goes: a new file
    #[arg(long, value_name = "FILE")]
    transcript: PathBuf,

    /// A file with `person` and `plan`, written by that person's own account; twice.
    /// Without it, both are asked at the terminal
    #[arg(long = "confirmation", value_name = "FILE")]
    confirmations: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The ceremony file
    file: PathBuf,

    /// The transcript
    #[arg(long, value_name = "FILE")]
    transcript: PathBuf,
}

impl Command {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Plan(Show { file }) => {
                let plan = Plan::load(&file)?;
                print_line(&match settings.output {
                    Format::Table => for_people(&plan),
                    Format::Json => plan_json(&plan),
                })
            }
            Self::Run(command) => command.run(settings),
            Self::Verify(command) => command.run(settings),
        }
    }
}

impl Run {
    fn run(self, settings: &Settings) -> Result<(), Failure> {
        let plan = Plan::load(&self.file)?;
        let by = match <[PathBuf; 2]>::try_from(self.confirmations) {
            Ok(files) => files.map(Confirmation::File),
            Err(none) if none.is_empty() => {
                say(&for_people(&plan))?;
                [Confirmation::Terminal, Confirmation::Terminal]
            }
            Err(_) => {
                return Err(Failure::local(
                    "a ceremony takes two confirmations",
                    "give --confirmation twice, or not at all to be asked at the terminal",
                ));
            }
        };
        let ran = run(&plan, &self.transcript, &by, |step| {
            // Who closed stderr does not want to be told.
            let _ = say(&format!("now: {step}"));
        })?;
        print_line(&match settings.output {
            Format::Table => format!(
                "{} steps were done\ntranscript: {}\nhash of its last line, for both people to \
                 write down: {}",
                ran.steps,
                self.transcript.display(),
                ran.head
            ),
            Format::Json => json!({ "steps": ran.steps, "head": ran.head }).to_string(),
        })
    }
}

impl Verify {
    fn run(self, settings: &Settings) -> Result<(), Failure> {
        let plan = Plan::load(&self.file)?;
        let verified = verify(&self.transcript, &plan)?;
        print_line(&match settings.output {
            Format::Table => verdict(&verified),
            Format::Json => {
                let mut json = json!(verified);
                json["sound"] = verified.is_sound().into();
                json.to_string()
            }
        })?;
        if verified.is_sound() { Ok(()) } else { Err(Failure::No) }
    }
}

fn for_people(plan: &Plan) -> String {
    let mut lines = vec![plan.title().to_owned()];
    lines.extend(plan.people().map(|(name, role)| format!("  {name}, {role}")));
    lines.push(String::new());
    let steps = plan.steps().into_iter().enumerate();
    lines.extend(steps.map(|(index, step)| format!("{}. {step}", index + 1)));
    lines.push(String::new());
    lines.push(format!("hash of this plan: {}", plan.hash));
    lines.join("\n")
}

fn plan_json(plan: &Plan) -> String {
    let people: Vec<_> =
        plan.people().map(|(name, role)| json!({ "name": name, "role": role })).collect();
    json!({ "title": plan.title(), "people": people, "steps": plan.steps(), "hash": plan.hash })
        .to_string()
}

fn verdict(verified: &Verified) -> String {
    let mut lines = vec![if verified.is_sound() {
        "whole: every step of this plan was done, and nothing was changed since".to_owned()
    } else {
        format!("NOT WHOLE:\n  {}", verified.faults.join("\n  "))
    }];
    lines.push(format!("confirmed by {}", verified.people.join(" and ")));
    lines
        .push(format!("{} steps, from {} to {}", verified.steps, verified.time.0, verified.time.1));
    lines.push(format!(
        "hash of the last line, to compare with what was written down: {}",
        verified.head
    ));
    lines.join("\n")
}

fn say(text: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stderr(), "{text}")?)
}
