//! Where results go and in which form.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Args, ValueEnum};
use prost::{Message, Name};

use crate::{failure::Failure, json};

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// The protobuf JSON form
    Json,
}

impl Format {
    /// Prints a message: as JSON, or as `table` shows it.
    pub(crate) fn print<T: Message + Name>(
        self,
        message: &T,
        table: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        print_line(&match self {
            Self::Json => json::to_string(message),
            Self::Table => table(message),
        })
    }
}

/// Where bytes go.
#[derive(Args)]
pub(crate) struct Out {
    /// Write to this file, readable by its owner only, instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Out {
    /// Whether no file was named.
    pub(crate) fn is_stdout(&self) -> bool {
        self.out.is_none()
    }

    /// Writes bytes as they are.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        let Some(path) = &self.out else {
            let mut stdout = io::stdout().lock();
            stdout.write_all(bytes)?;
            return Ok(stdout.flush()?);
        };
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
        file.and_then(|mut file| file.write_all(bytes)).map_err(|error| {
            Failure::local(
                format!("{} cannot be written: {error}", path.display()),
                "check the path and the space",
            )
        })
    }

    /// For bytes that are shown as text unless a file is named, as signatures are:
    /// base64url on stdout, as they are in a file, the whole answer as JSON.
    pub(crate) fn write_or_show<T: Message + Name>(
        &self,
        format: Format,
        answer: &T,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        match (&self.out, format) {
            (Some(_), _) => self.write(bytes),
            (None, Format::Json) => print_line(&json::to_string(answer)),
            (None, Format::Table) => print_line(&URL_SAFE_NO_PAD.encode(bytes)),
        }
    }
}

/// Prints text and a line break.
pub(crate) fn print_line(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.write_all(b"\n")?;
    Ok(stdout.flush()?)
}
