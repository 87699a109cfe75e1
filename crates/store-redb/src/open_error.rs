//! Why a store file could not be opened, and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A store file that could not be opened.
#[derive(Debug)]
pub struct OpenError {
    /// The store file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: OpenFault,
}

/// What is wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenFault {
    /// Another process has the store open; its process id, if it could be read.
    InUse(Option<u32>),
    /// The file is not a store, is cut short, or is damaged. The text is for the log.
    Corrupt(String),
    /// The file is a store of a format that this version does not know.
    UnknownFormat(u64),
    /// The file system has no room.
    Full(io::Error),
    /// The operating system refused.
    Io(io::Error),
}

impl OpenError {
    pub(crate) fn new(path: &Path, fault: impl Into<OpenFault>) -> Self {
        Self { path: path.to_path_buf(), fault: fault.into() }
    }
}

/// Whether an I/O error says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

impl From<io::Error> for OpenFault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            _ if is_full(&error) => Self::Full(error),
            // The file ends, or reads otherwise, than its own header says.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
                Self::Corrupt(error.to_string())
            }
            _ => Self::Io(error),
        }
    }
}

impl From<redb::Error> for OpenFault {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => error.into(),
            redb::Error::DatabaseAlreadyOpen => Self::InUse(None),
            redb::Error::UpgradeRequired(version) => Self::UnknownFormat(version.into()),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot open the store {}: ", self.path.display())?;
        match &self.fault {
            OpenFault::InUse(Some(holder)) => {
                write!(f, "process {holder} has it open; stop that process first")
            }
            OpenFault::InUse(None) => {
                f.write_str("another process has it open; stop that process first")
            }
            OpenFault::Corrupt(what) => {
                write!(f, "the file is damaged or not a store ({what}); restore it from a backup")
            }
            OpenFault::UnknownFormat(format) => {
                write!(f, "format {format} is not known to this version; use the one that wrote it")
            }
            OpenFault::Full(error) => write!(f, "no room on the file system ({error}); make room"),
            OpenFault::Io(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            OpenFault::Full(error) | OpenFault::Io(error) => Some(error),
            OpenFault::InUse(_) | OpenFault::Corrupt(_) | OpenFault::UnknownFormat(_) => None,
        }
    }
}
