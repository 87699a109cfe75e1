//! `keyreeve hsm provision`.

use clap::{Args, ValueEnum};
use keyreeve_hsm::{Outcome, Provisioned};

use super::target::Token;
use crate::{
    cli::Settings,
    failure::Failure,
    output::{Format, print_line},
    table::{finish, or_dash, table},
};

#[derive(Args)]
pub(crate) struct Provision {
    #[command(flatten)]
    token: Token,

    /// The slot group: 1 to 127 of 0-9 a-z A-Z -
    #[arg(long, value_name = "GROUP")]
    group: String,

    /// How a new wrapping key may leave for another slot [default: trusted where the
    /// module enforces it, else never]
    #[arg(long, value_enum, value_name = "HOW")]
    export: Option<Export>,

    /// Make no wrapping key: it comes from another slot, by `keyreeve hsm replicate`
    #[arg(long, conflicts_with = "export")]
    no_wrapping_key: bool,

    /// Make a key of this name that can open a root key
    #[arg(long, value_name = "NAME")]
    root_recipient: Option<String>,

    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// How a wrapping key may leave.
#[derive(Clone, Copy, ValueEnum)]
enum Export {
    /// Under a key the security officer has marked trusted
    Trusted,
    /// Under any key, until it is closed by `hsm replicate --close`
    Open,
    /// Not at all
    Never,
}

impl Provision {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        let provision = keyreeve_hsm::Provision {
            group: self.group,
            wrapping_key: !self.no_wrapping_key,
            export: self.export.map(|export| match export {
                Export::Trusted => keyreeve_hsm::Export::Trusted,
                Export::Open => keyreeve_hsm::Export::Open,
                Export::Never => keyreeve_hsm::Export::Never,
            }),
            root_recipient: self.root_recipient,
            dry_run: self.dry_run,
        };
        let (target, pin) = self.token.parts();
        let done = keyreeve_hsm::provision(&target, &pin, &provision)?;
        print_line(&match settings.output {
            Format::Table => for_people(&done),
            Format::Json => serde_json::json!(done).to_string(),
        })
    }
}

pub(super) fn for_people(done: &Provisioned) -> String {
    let mut steps = table(&["OBJECT", "LABEL", "OUTCOME", "DETAIL"]);
    for step in &done.steps {
        let outcome = match step.outcome {
            Outcome::Found => "found",
            Outcome::Made => "made",
            Outcome::WouldMake => "would be made",
            Outcome::Missing => "missing",
        };
        steps.add_row([
            step.object.clone(),
            step.label.clone(),
            outcome.to_owned(),
            or_dash(step.detail.clone()),
        ]);
    }
    finish(&steps)
}
