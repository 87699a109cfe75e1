//! The transcript: a line of JSON for each thing that happened, each naming the
//! SHA-256 of the line before. A line is on disk before the next thing is done.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Failure, moment, pin::sync_directory};

/// What the first line names as the one before.
pub(super) const START: &str = "keyreeve ceremony transcript v1";

/// A line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Entry {
    /// From 0.
    pub(super) number: u64,
    /// By this machine's clock.
    pub(super) time: String,
    pub(super) event: Event,
    /// SHA-256 of the line before, without its newline, in hex; [`START`] in the first.
    pub(super) previous: String,
}

/// What happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub(super) enum Event {
    /// The ceremony began.
    Begin { title: String, group: String, plan: String, version: String },
    /// Somebody confirmed the plan.
    Confirmed { person: String, role: String, how: String },
    /// A step was done, with this result.
    Done { step: usize, what: String, result: Value },
    /// A step failed, and with it the ceremony.
    Failed { step: usize, what: String, error: String },
    /// Every step was done.
    End { steps: usize },
}

/// A transcript that is being written.
pub(super) struct Transcript {
    file: File,
    number: u64,
    previous: String,
}

impl Transcript {
    /// In a new file: a transcript is never written over.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let create = || {
            let file = OpenOptions::new().append(true).create_new(true).mode(0o644).open(path)?;
            sync_directory(path)?;
            Ok(file)
        };
        let file = create().map_err(|error: io::Error| {
            Failure::new(
                format!("no transcript can be written to {}: {error}", path.display()),
                "name a file that does not exist yet",
            )
        })?;
        Ok(Self { file, number: 0, previous: START.to_owned() })
    }

    /// Writes it down, for good.
    pub(super) fn add(&mut self, event: Event) -> Result<(), Failure> {
        let entry = Entry {
            number: self.number,
            time: moment::now(),
            event,
            previous: self.previous.clone(),
        };
        let mut write = || {
            let mut line = serde_json::to_vec(&entry)?;
            self.previous = hash(&line);
            line.push(b'\n');
            self.file.write_all(&line)?;
            self.file.sync_all()
        };
        write().map_err(|error: io::Error| {
            Failure::new(
                format!("the transcript cannot be written: {error}"),
                "the ceremony has stopped; make room and run it again with a new transcript",
            )
        })?;
        self.number += 1;
        Ok(())
    }

    /// The hash of the last line: what the people write down.
    pub(super) fn head(&self) -> &str {
        &self.previous
    }
}

pub(super) fn hash(line: &[u8]) -> String {
    hex::encode(digest(&SHA256, line))
}
