//! Reading everything from the store: at the start, and after having lost track.

use std::sync::{Arc, PoisonError};

use keyreeve_store::{Entry, Error as StoreError, Revision, Store, read_all};

use super::{Access, AccessPath, apply::Rejected};

impl Access {
    /// Reads all that is stored, in place of what was known of it, unless that is later.
    pub(crate) async fn reload(&self, store: &dyn Store) -> Result<Vec<Rejected>, StoreError> {
        let (entries, head) = read_consistently(store).await?;
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.snapshot.load().head > head {
            return Ok(Vec::new());
        }
        let mut next = self.configured.clone();
        let mut records: Vec<_> = entries
            .iter()
            .filter_map(|entry| Some((AccessPath::from_store(&entry.key)?, entry)))
            .collect();
        records.sort_by_key(|(path, _)| path.turn(true));
        let mut rejected = Vec::new();
        for (path, entry) in records {
            if let Err(why) = next.take(&path, Some(&entry.value), entry.revision) {
                rejected.push((entry.key.clone(), why));
            }
        }
        self.snapshot.store(Arc::new(next));
        Ok(rejected)
    }
}

/// All entries as of one revision, though they are read page by page: the head is the
/// same before and after, so that nothing changed in between.
async fn read_consistently(
    store: &dyn Store,
) -> Result<(Vec<Entry>, Option<Revision>), StoreError> {
    let head = AccessPath::Head.to_store();
    let mut before = store.get(&head).await?.map(|entry| entry.revision);
    loop {
        let all = read_all(store, &AccessPath::all()).await?;
        let after = store.get(&head).await?.map(|entry| entry.revision);
        if before == after {
            return Ok((all.entries, after));
        }
        before = after;
    }
}
