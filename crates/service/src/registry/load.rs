//! Reading everything at the start.

use std::fmt;

use keyreeve_store::{Revision, Store, read_all};

use super::{
    Path, Snapshot,
    apply::{apply_to, paths},
};

/// Why the registry could not be read. For the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// The store failed.
    Store(keyreeve_store::Error),
    /// A record does not parse. Nothing is served from a store that is known to be
    /// damaged: restore it, or repair the record.
    Damaged(String),
    /// A role that the configuration assigns cannot be assigned.
    Roles(keyreeve_authz::PolicyError),
}

/// Reads every record. Returns the revision from which to follow.
///
/// Keys are read before vaults: whatever vault a key needs is then there, and what
/// comes in between arrives once more with the watch.
pub(super) async fn load(store: &dyn Store) -> Result<(Snapshot, Revision), LoadError> {
    let keys = read_all(store, &Path::keys()).await.map_err(LoadError::Store)?;
    let vaults = read_all(store, &Path::vaults()).await.map_err(LoadError::Store)?;
    let mut snapshot = Snapshot::new();
    let records = paths(&vaults.entries).chain(paths(&keys.entries));
    let rejected = apply_to(&mut snapshot, records);
    // A version that was committed while pages were read may come without its key,
    // which was on a page before it.
    let damaged = rejected.iter().find(|rejected| {
        let key = rejected.path.to_store();
        let entry = keys.entries.iter().find(|entry| entry.key == key);
        entry.is_none_or(|entry| entry.revision <= keys.revision)
    });
    match damaged {
        Some(rejected) => Err(LoadError::Damaged(rejected.to_string())),
        None => Ok((snapshot, keys.revision)),
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Roles(error) => write!(f, "a role of a [[token]]: {error}"),
            Self::Damaged(what) => write!(
                f,
                "a stored record is damaged, so nothing is served; restore the store from a \
                 backup: {what}"
            ),
        }
    }
}

impl std::error::Error for LoadError {}
