//! `keyreeve hsm init`.

use std::path::PathBuf;

use clap::Args;

use super::target::{Module, new_pin};
use crate::{
    cli::Settings,
    failure::Failure,
    output::{Format, print_line},
};

#[derive(Args)]
pub(crate) struct Init {
    #[command(flatten)]
    module: Module,

    /// The label the token gets, at most 32 bytes
    #[arg(long = "token-label", value_name = "LABEL")]
    token: String,

    /// The slot's number, where several hold a blank token
    #[arg(long, value_name = "NUMBER")]
    slot: Option<u64>,

    /// The file with the security officer's PIN; without it, it is asked for
    #[arg(long, value_name = "FILE", conflicts_with = "generate_so_pin")]
    so_pin_file: Option<PathBuf>,

    /// Make the security officer's PIN and write it to this new file
    #[arg(long, value_name = "FILE")]
    generate_so_pin: Option<PathBuf>,

    /// The file with the user PIN; without it, it is asked for
    #[arg(long, value_name = "FILE", conflicts_with = "generate_pin")]
    pin_file: Option<PathBuf>,

    /// Make the user PIN and write it to this new file
    #[arg(long, value_name = "FILE")]
    generate_pin: Option<PathBuf>,

    /// Erase the token of this label, with everything in it
    #[arg(long)]
    erase: bool,
}

impl Init {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        let init = keyreeve_hsm::Init {
            label: self.token,
            slot: self.slot,
            officer: new_pin(self.so_pin_file, self.generate_so_pin),
            user: new_pin(self.pin_file, self.generate_pin),
            erase: self.erase,
        };
        let done = keyreeve_hsm::init(&self.module.target(), &init)?;
        let (label, serial) = (&done.token.label, &done.token.serial);
        print_line(&match (settings.output, done.changed) {
            (Format::Json, _) => serde_json::json!(done).to_string(),
            (Format::Table, true) => format!(
                "initialised token {label}, serial {serial}\nnext: keyreeve hsm provision --token-label \
                 {label} --group GROUP"
            ),
            (Format::Table, false) => {
                format!("token {label}, serial {serial}, was initialised before; nothing was done")
            }
        })
    }
}
