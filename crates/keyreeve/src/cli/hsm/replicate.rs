//! `keyreeve hsm replicate`.

use std::path::PathBuf;

use clap::Args;
use keyreeve_hsm::{End, Pin, Replicated, Source, Target, TokenSelector};

use super::target::pin;
use crate::{
    cli::Settings,
    failure::Failure,
    output::{Format, print_line},
    table::fields,
};

#[derive(Args)]
pub(crate) struct Replicate {
    /// The slot group whose wrapping key is replicated
    #[arg(long, value_name = "GROUP")]
    group: String,

    /// The profile of the module that has the key
    #[arg(long, value_name = "FILE")]
    from_profile: PathBuf,

    /// The label of the token that has it; without it, the profile's
    #[arg(long = "from-token-label", value_name = "LABEL")]
    from_token: Option<String>,

    /// The file with that token's user PIN; without it, it is asked for
    #[arg(long, value_name = "FILE")]
    from_pin_file: Option<PathBuf>,

    /// The file with that token's security officer's PIN, for a key that leaves only
    /// under a key the officer trusts
    #[arg(long, value_name = "FILE")]
    from_so_pin_file: Option<PathBuf>,

    /// Ask for the security officer's PIN at the terminal
    #[arg(long, conflicts_with = "from_so_pin_file")]
    ask_so_pin: bool,

    /// The profile of the module that gets the key
    #[arg(long, value_name = "FILE")]
    to_profile: PathBuf,

    /// The label of the token that gets it; without it, the profile's
    #[arg(long = "to-token-label", value_name = "LABEL")]
    to_token: Option<String>,

    /// The file with that token's user PIN; without it, it is asked for
    #[arg(long, value_name = "FILE")]
    to_pin_file: Option<PathBuf>,

    /// Close a key that is open, in both: it never leaves either again
    #[arg(long)]
    close: bool,
}

impl Replicate {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        let end = |profile, label, file| End {
            target: Target {
                source: Source::Profile(profile),
                token: TokenSelector { label, serial: None },
            },
            pin: pin(file),
        };
        let from = end(self.from_profile, self.from_token, self.from_pin_file);
        let to = end(self.to_profile, self.to_token, self.to_pin_file);
        let officer = match (self.from_so_pin_file, self.ask_so_pin) {
            (Some(file), _) => Some(Pin::File(file)),
            (None, true) => Some(Pin::Terminal),
            (None, false) => None,
        };
        let done = keyreeve_hsm::replicate(&self.group, &from, officer.as_ref(), &to, self.close)?;
        print_line(&match settings.output {
            Format::Table => for_people(&done),
            Format::Json => serde_json::json!(done).to_string(),
        })
    }
}

fn for_people(done: &Replicated) -> String {
    let transfer = match &done.transport {
        Some(fingerprint) => format!("under transport key {fingerprint}"),
        None => "none: the target held a key already".to_owned(),
    };
    fields([
        ("group", done.group.clone()),
        ("transfer", transfer),
        ("equal", "proved: each slot opened what the other wrapped".to_owned()),
        ("closed", if done.closed { "yes" } else { "no" }.to_owned()),
    ])
}
