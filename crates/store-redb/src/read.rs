//! Reads: a snapshot for the length of the call, on the caller's thread.
//!
//! A read takes microseconds from the page cache, less than handing it to another
//! thread would. A page is bounded, so a scan never holds a caller's thread long.

use std::ops::Bound;

use keyreeve_store::{Entry, Error, Key, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES, Page, Revision};
use redb::ReadableDatabase;

use crate::engine::Engine;
use crate::table::{self, ENTRIES, META, META_REVISION};

pub(crate) fn get(engine: &Engine, key: &Key) -> Result<Option<Entry>, Error> {
    engine.read(|database| {
        let entries = database.begin_read()?.open_table(ENTRIES)?;
        let found = entries.get(key.as_bytes())?;
        found.map(|stored| table::entry(key.clone(), stored.value())).transpose()
    })
}

pub(crate) fn revision(engine: &Engine) -> Result<Revision, Error> {
    engine.read(|database| snapshot_revision(&database.begin_read()?))
}

pub(crate) fn scan(
    engine: &Engine,
    prefix: &Key,
    after: Option<&Key>,
    limit: usize,
) -> Result<Page, Error> {
    let limit = limit.clamp(1, MAX_PAGE_ENTRIES);
    let start = match after {
        Some(after) if after >= prefix => Bound::Excluded(after.as_bytes()),
        _ => Bound::Included(prefix.as_bytes()),
    };
    engine.read(|database| {
        let transaction = database.begin_read()?;
        let revision = snapshot_revision(&transaction)?;
        let mut page = Page { entries: Vec::new(), more: false, revision };
        let mut bytes = 0;
        let entries = transaction.open_table(ENTRIES)?;
        for found in entries.range::<&[u8]>((start, Bound::Unbounded))? {
            let (key, stored) = found?;
            if !key.value().starts_with(prefix.as_bytes()) {
                break;
            }
            let entry = table::entry(Key::from_bytes(key.value().to_vec()), stored.value())?;
            bytes += entry.key.as_bytes().len() + entry.value.len();
            if page.entries.len() == limit || (bytes > MAX_PAGE_BYTES && !page.entries.is_empty()) {
                page.more = true;
                break;
            }
            page.entries.push(entry);
        }
        Ok(page)
    })
}

fn snapshot_revision(transaction: &redb::ReadTransaction) -> Result<Revision, redb::Error> {
    let meta = transaction.open_table(META)?;
    let revision = meta
        .get(META_REVISION)?
        .ok_or_else(|| redb::Error::Corrupted("the store's revision is missing".into()))?;
    Ok(Revision(revision.value()))
}
