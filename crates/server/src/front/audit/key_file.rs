//! The log's name and public key, in a file beside the log.
//!
//! ```text
//! keyreeve.audit/<deployment>/<log>+<key id>+<key> LF
//! ```
//!
//! It says which log this directory has. A key that differs from it means that the
//! root key was exchanged, and is refused rather than written over.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;
use keyreeve_audit::VerifierKey;
use keyreeve_keyhost::LogId;

/// Its name in the data directory.
const FILE: &str = "audit.vkey";

/// Where it is.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

/// Which log the directory has: as the file says, or else the log itself. Where there
/// is neither, a log begins.
pub(super) fn log_id(data_dir: &Path) -> io::Result<LogId> {
    if let Some(kept) = read(data_dir)? {
        return LogId::of_origin(kept.name()).ok_or_else(|| damaged("it names no log"));
    }
    let checkpoint = data_dir.join(super::DIRECTORY).join("checkpoint");
    match fs::read_to_string(checkpoint) {
        Ok(note) => note
            .lines()
            .next()
            .and_then(LogId::of_origin)
            .ok_or_else(|| damaged("it is missing, and the log's checkpoint names no log")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut id = [0; 8];
            rand::fill(&mut id).map_err(|_| io::Error::other("no random bytes"))?;
            Ok(LogId::from_bytes(id))
        }
        Err(error) => Err(error),
    }
}

/// Writes the file, or compares it with what it has to say.
pub(super) fn keep(data_dir: &Path, key: &VerifierKey) -> io::Result<()> {
    match read(data_dir)? {
        Some(kept) if kept == *key => return Ok(()),
        Some(_) => {
            return Err(damaged(
                "the root key gives another key for this log: put the right root key back, or \
                 move this file and the directory `audit` away to begin another log",
            ));
        }
        None => {}
    }
    let new = data_dir.join("audit.vkey.new");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o644).open(&new)?;
    writeln!(file, "{key}")?;
    file.sync_all()?;
    fs::rename(&new, path(data_dir))?;
    File::open(data_dir)?.sync_all()
}

fn read(data_dir: &Path) -> io::Result<Option<VerifierKey>> {
    match fs::read_to_string(path(data_dir)) {
        Ok(text) => match text.trim_end().parse() {
            Ok(key) => Ok(Some(key)),
            Err(_) => Err(damaged("it holds no public key of a log")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn damaged(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(log: &str, byte: u8) -> VerifierKey {
        let name = format!("keyreeve.audit/{}/{log}", "ab".repeat(16));
        VerifierKey::new(&name, [byte; 32]).expect("a key")
    }

    /// Guards against a log that begins anew beside the old one, and against another
    /// root key that takes over a log unnoticed.
    #[test]
    fn the_file_says_which_log_it_is_and_under_which_key() {
        let dir = tempfile::tempdir().expect("a directory");
        let (one, two) = (log_id(dir.path()).expect("new"), log_id(dir.path()).expect("new"));
        assert_ne!(one, two, "nothing says yet which");
        let first = key("0011223344556677", 1);
        keep(dir.path(), &first).expect("written");
        keep(dir.path(), &first).expect("the same");
        let id = log_id(dir.path()).expect("kept");
        assert_eq!(Some(id), LogId::of_origin(first.name()));
        let refused = keep(dir.path(), &key("0011223344556677", 2)).expect_err("another key");
        assert!(refused.to_string().contains("root key"), "{refused}");

        fs::remove_file(path(dir.path())).expect("removed");
        fs::create_dir(dir.path().join(super::super::DIRECTORY)).expect("made");
        let note = format!("{}\n0\n", first.name());
        fs::write(dir.path().join("audit/checkpoint"), note).expect("written");
        assert_eq!(log_id(dir.path()).expect("by its checkpoint"), id);
    }
}
