//! Which module, which token, which PIN.

use std::path::PathBuf;

use clap::Args;
use keyreeve_hsm::{NewPin, Pin, Source, TokenSelector};

/// The module.
#[derive(Args)]
#[group(id = "source", required = true, multiple = false)]
pub(super) struct Module {
    /// The module's profile, as in hsm-config/
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,

    /// The module itself, with nothing known about it
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
}

impl Module {
    /// With no token chosen: the profile's.
    pub(super) fn target(self) -> keyreeve_hsm::Target {
        let source = match (self.profile, self.module) {
            (_, Some(module)) => Source::Module(module),
            (profile, None) => Source::Profile(profile.unwrap_or_default()),
        };
        keyreeve_hsm::Target { source, token: TokenSelector::default() }
    }
}

/// The module, and one of its tokens.
#[derive(Args)]
pub(super) struct Token {
    #[command(flatten)]
    module: Module,

    /// The token's label; without it, the profile's
    #[arg(long = "token-label", value_name = "LABEL")]
    token: Option<String>,

    /// The token's serial number
    #[arg(long, value_name = "NUMBER")]
    serial: Option<String>,

    /// The file with the user PIN on its first line; without it, it is asked for
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
}

impl Token {
    pub(super) fn parts(self) -> (keyreeve_hsm::Target, Pin) {
        let mut target = self.module.target();
        target.token = TokenSelector { label: self.token, serial: self.serial };
        (target, pin(self.pin_file))
    }
}

pub(super) fn pin(file: Option<PathBuf>) -> Pin {
    file.map_or(Pin::Terminal, Pin::File)
}

/// One that is generated if a file is named for it.
pub(super) fn new_pin(file: Option<PathBuf>, generate: Option<PathBuf>) -> NewPin {
    match generate {
        Some(path) => NewPin::Generated(path),
        None => NewPin::Chosen(pin(file)),
    }
}
