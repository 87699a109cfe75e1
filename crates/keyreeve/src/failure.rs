//! How a command fails: what is said, and the exit code.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
};

use keyreeve_client::{Error, Fault};

use crate::next;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service, or the way to it.
    Client(Error),
    /// What was given to the command, or found where it runs.
    Local { what: String, next: String },
    /// The question was answered, and the answer is no. It was printed as the result.
    No,
    /// Whoever read our output stopped reading.
    NobodyReads,
    /// By Ctrl-C.
    Interrupted,
}

impl Failure {
    pub(crate) fn local(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Local { what: what.into(), next: next.into() }
    }

    /// Says it on stderr and gives the exit code. `object` is the vault or key that the
    /// command was about, as typed.
    pub(crate) fn report(&self, object: Option<&str>) -> ExitCode {
        let mut text = self.text(object);
        if !text.is_empty() {
            text.push('\n');
        }
        // If stderr is closed there is nobody left to tell.
        let _ = io::stderr().write_all(text.as_bytes());
        ExitCode::from(self.code())
    }

    fn code(&self) -> u8 {
        match self {
            Self::NobodyReads => 0,
            Self::No => 1,
            Self::Local { .. } => 2,
            Self::Client(error) => match error.fault() {
                Fault::Caller => 1,
                Fault::Environment => 2,
                Fault::Connection | Fault::Service => 3,
            },
            Self::Interrupted => 130,
        }
    }

    fn text(&self, object: Option<&str>) -> String {
        let (what, whose, general) = match self {
            Self::NobodyReads | Self::No => return String::new(),
            Self::Interrupted => return "interrupted; nothing was left behind".to_owned(),
            Self::Local { what, next } => (what.as_str(), "this command", next.as_str()),
            Self::Client(error) => {
                let whose = match error.fault() {
                    Fault::Caller => "the request",
                    Fault::Environment => "this command's surroundings",
                    Fault::Connection => "the way to the service",
                    Fault::Service => "the service",
                };
                (error.message(), whose, error.next_step())
            }
        };
        let mut text = format!("keyreeve: {what}\n  fault: {whose}");
        if let Self::Client(error) = self {
            let code = error.code().map(|code| format!("{code:?}"));
            let detail: Vec<&str> =
                [code.as_deref(), error.reason()].into_iter().flatten().collect();
            if !detail.is_empty() {
                let _ = write!(text, " ({})", detail.join(", "));
            }
        }
        let for_this = match self {
            Self::Client(error) => {
                object.and_then(|object| next::step(error.code()?, error.reason(), object))
            }
            _ => None,
        };
        let _ = write!(text, "\n  next:  {}", for_this.as_deref().unwrap_or(general));
        text
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl From<io::Error> for Failure {
    /// Of writing a result.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::NobodyReads;
        }
        Self::local(format!("the result cannot be written: {error}"), "check where it goes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against scripts that cannot tell "no" from "broken".
    #[test]
    fn exit_codes_are_as_documented() {
        assert_eq!(Failure::No.code(), 1);
        assert_eq!(Failure::local("x", "y").code(), 2);
        assert_eq!(Failure::Interrupted.code(), 130);
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).code(), 0);
    }

    /// Guards against an error that leaves the reader without a next step.
    #[test]
    fn a_failure_says_what_whose_and_what_next() {
        assert_eq!(
            Failure::local("no file", "name one").text(Some("prod/jwt")),
            "keyreeve: no file\n  fault: this command\n  next:  name one"
        );
    }
}
