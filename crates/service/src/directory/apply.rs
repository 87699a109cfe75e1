//! Taking over what was committed.

use std::{
    fmt,
    sync::{Arc, PoisonError},
};

use keyreeve_store::{Change, Entry, Revision, Store, Value, read_all};

use super::{Account, Directory, IssuedToken, Path, People};
use crate::record::{self, Unreadable};

/// A record that could not be taken over.
#[derive(Debug)]
pub(crate) struct Rejected {
    path: Path,
    why: Unreadable,
}

impl Directory {
    /// Reads everybody. What cannot be read is returned.
    pub(crate) async fn read(
        &self,
        store: &dyn Store,
    ) -> Result<Vec<Rejected>, keyreeve_store::Error> {
        let principals = read_all(store, &Path::principals()).await?;
        let tokens = read_all(store, &Path::tokens()).await?;
        let as_of = principals.revision.min(tokens.revision);
        Ok(self.replace(principals.entries.iter().chain(&tokens.entries), as_of))
    }

    /// Takes over the changes of the commit `revision`.
    pub(crate) fn apply(&self, revision: Revision, changes: &[Change]) -> Vec<Rejected> {
        let ours: Vec<_> = changes
            .iter()
            .filter_map(|change| Some((Path::from_store(&change.key)?, change.value.as_ref())))
            .collect();
        if ours.is_empty() {
            return Vec::new();
        }
        self.change(|next| {
            let taken = ours.into_iter().map(|(path, value)| next.take(path, value, revision));
            taken.filter_map(Result::err).collect()
        })
    }

    /// Takes over what was read anew, as it was at `as_of`: what is not in it and has not
    /// changed since is gone.
    fn replace<'e>(
        &self,
        entries: impl Iterator<Item = &'e Entry>,
        as_of: Revision,
    ) -> Vec<Rejected> {
        let entries: Vec<_> =
            entries.filter_map(|entry| Some((Path::from_store(&entry.key)?, entry))).collect();
        self.change(|next| {
            let stored: std::collections::BTreeSet<&Path> =
                entries.iter().map(|(path, _)| path).collect();
            for path in next.paths_until(as_of) {
                if !stored.contains(&path) {
                    let _ = next.take(path, None, as_of);
                }
            }
            let taken = entries
                .into_iter()
                .map(|(path, entry)| next.take(path, Some(&entry.value), entry.revision));
            taken.filter_map(Result::err).collect()
        })
    }

    fn change(&self, change: impl FnOnce(&mut People) -> Vec<Rejected>) -> Vec<Rejected> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = People::clone(&self.people.load());
        let rejected = change(&mut next);
        self.people.store(Arc::new(next));
        rejected
    }
}

impl People {
    /// What has not changed after `as_of`.
    fn paths_until(&self, as_of: Revision) -> Vec<Path> {
        let accounts = self.accounts.iter().filter(|(_, account)| account.revision <= as_of);
        let tokens = self.tokens.iter().filter(|(_, token)| token.revision <= as_of);
        accounts
            .map(|(id, _)| Path::Principal(id.clone()))
            .chain(tokens.map(|(id, _)| Path::Token(id.clone())))
            .collect()
    }

    fn take(
        &mut self,
        path: Path,
        value: Option<&Value>,
        revision: Revision,
    ) -> Result<(), Rejected> {
        if self.known(&path).is_some_and(|known| known >= revision) {
            return Ok(());
        }
        self.put(&path, value, revision).map_err(|why| {
            // What cannot be read proves nothing. The former record might.
            self.remove(&path);
            Rejected { path, why }
        })
    }

    /// The latest revision that was seen of a path.
    fn known(&self, path: &Path) -> Option<Revision> {
        let present = match path {
            Path::Principal(id) => self.accounts.get(id).map(|account| account.revision),
            Path::Token(id) => self.tokens.get(id).map(|token| token.revision),
        };
        present.max(self.deleted.get(path).copied())
    }

    fn put(
        &mut self,
        path: &Path,
        value: Option<&Value>,
        revision: Revision,
    ) -> Result<(), Unreadable> {
        let Some(value) = value else {
            self.remove(path);
            self.deleted.insert(path.clone(), revision);
            return Ok(());
        };
        match path {
            Path::Principal(id) => {
                let account = Account::new(record::decode(value)?, revision)?;
                if account.id() != &**id {
                    return Err(Unreadable("the record is that of another principal".to_owned()));
                }
                self.accounts.insert(id.clone(), Arc::new(account));
            }
            Path::Token(id) => {
                let token = Arc::new(IssuedToken::new(record::decode(value)?, revision)?);
                if token.id() != &**id {
                    return Err(Unreadable("the record is that of another token".to_owned()));
                }
                self.remove(path);
                if token.revoked().is_none() {
                    self.by_hash.insert(token.hash, Arc::clone(&token));
                }
                self.tokens.insert(id.clone(), token);
            }
        }
        Ok(())
    }

    fn remove(&mut self, path: &Path) {
        match path {
            Path::Principal(id) => drop(self.accounts.remove(id)),
            Path::Token(id) => {
                if let Some(token) = self.tokens.remove(id) {
                    self.by_hash.remove(&token.hash);
                }
            }
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.to_store(), self.why)
    }
}

#[cfg(test)]
mod tests {
    use keyreeve_store::{Batch, MemoryStore};

    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn token(revoked: bool) -> Value {
        let token = include_str!("../../tests/golden/token.json");
        let token = if revoked { token.to_owned() } else { token.replace("1700000100", "null") };
        token.into_bytes().into()
    }

    fn change(value: Option<Value>) -> Vec<Change> {
        let path = Path::Token(ID.into()).to_store();
        let batch = match value {
            Some(value) => Batch::new().put(path, value),
            None => Batch::new().delete(path),
        };
        batch.into_changes()
    }

    fn lives(directory: &Directory) -> bool {
        directory.now().token(&[7; 32]).is_some()
    }

    /// Guards against a watch that brings back what was revoked or deleted, by a commit
    /// that came before.
    #[test]
    fn an_older_commit_brings_nothing_back() {
        let apply = |directory: &Directory, revision, value| {
            assert!(directory.apply(Revision(revision), &change(value)).is_empty());
        };
        for end in [Some(token(true)), None] {
            let directory = Directory::empty();
            apply(&directory, 1, Some(token(false)));
            assert!(lives(&directory));
            apply(&directory, 2, end.clone());
            assert!(!lives(&directory));
            apply(&directory, 1, Some(token(false)));
            assert!(!lives(&directory), "{end:?}");
        }
    }

    /// Guards against a damaged record under which the former one goes on proving.
    #[test]
    fn what_cannot_be_read_proves_nothing() {
        let directory = Directory::empty();
        directory.apply(Revision(1), &change(Some(token(false))));
        let damaged = directory.apply(Revision(2), &change(Some(b"{}".to_vec().into())));
        assert_eq!(damaged.len(), 1);
        assert!(!lives(&directory));
    }

    /// Guards against a token that was deleted elsewhere while the watch was behind.
    #[tokio::test]
    async fn reading_anew_drops_what_is_gone_and_keeps_what_is_newer() {
        let store = MemoryStore::new();
        let put = Batch::new().put(Path::Token(ID.into()).to_store(), token(false));
        let revision = store.commit(put).await.expect("a commit");
        let directory = Directory::empty();
        assert!(directory.read(&store).await.expect("a store").is_empty());
        assert!(lives(&directory));
        let delete = Batch::new().delete(Path::Token(ID.into()).to_store());
        let deleted = store.commit(delete).await.expect("a commit");
        assert!(directory.read(&store).await.expect("a store").is_empty());
        assert!(!lives(&directory));
        // Read before that, delivered after: older than what is known.
        directory.apply(revision, &change(Some(token(false))));
        assert!(!lives(&directory));
        let later = Revision(deleted.0 + 1);
        directory.apply(later, &change(Some(token(false))));
        assert!(directory.read(&store).await.expect("a store").is_empty());
        assert!(lives(&directory), "a commit that the reading did not see is lost");
    }
}
