//! `keyreeve hsm pin`.

use clap::{Args, Subcommand};
use keyreeve_hsm::Pin;

use super::target::Token;
use crate::{
    cli::Settings,
    failure::Failure,
    output::{Format, print_line},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Change the user PIN, in the token and in its file
    Rotate(Rotate),
}

/// The new PIN is on disk, as FILE.new, before the token gets it, and takes the place of
/// FILE when a fresh login has proved it. After a crash, run the command again: at every
/// point one of the two files has the token's PIN.
#[derive(Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    token: Token,

    /// Type the new PIN; without this, it is generated
    #[arg(long)]
    typed: bool,
}

impl Command {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        let Self::Rotate(Rotate { token, typed }) = self;
        let (target, Pin::File(file)) = token.parts() else {
            return Err(Failure::local(
                "a PIN is rotated in its file, and none is named",
                "name it with --pin-file",
            ));
        };
        let done = keyreeve_hsm::rotate_pin(&target, &file, typed)?;
        print_line(&match (settings.output, done.resumed) {
            (Format::Json, _) => serde_json::json!(done).to_string(),
            (Format::Table, false) => format!("the new PIN is in {}", done.file.display()),
            (Format::Table, true) => format!(
                "the new PIN is in {}; an earlier rotation that was interrupted came to its end",
                done.file.display()
            ),
        })
    }
}
