//! One group: several batches, one redb transaction, one sync.
//!
//! Each batch is judged on the state that the batches before it in the group left,
//! and gets its own revision. A batch that conflicts changes nothing, and the
//! others go on. Since a conflict may rest on a batch of the same group, no answer
//! is given before the group is durable.

use keyreeve_store::{Batch, Commit, Error, Key, Precondition, Revision};
use redb::{Database, ReadableTable, Table};

use crate::table::{self, ENTRIES, META, META_REVISION};

/// What became of a group, once it is durable.
#[derive(Default)]
pub(crate) struct Applied {
    /// The answer to each batch, in order.
    pub(crate) answers: Vec<Result<Revision, Error>>,
    /// What was changed, in order of revision.
    pub(crate) commits: Vec<Commit>,
    /// The store's revision after it.
    pub(crate) revision: Revision,
}

/// Applies `batches` to a store at `revision`, and returns once they are durable.
///
/// Should making them durable be what fails, `prepared` has what the group is, for
/// when it turns out to be there all the same.
pub(crate) fn apply(
    database: &Database,
    batches: Vec<Batch>,
    revision: Revision,
    prepared: &mut Option<Applied>,
) -> Result<Applied, redb::Error> {
    let mut applied = Applied {
        answers: Vec::with_capacity(batches.len()),
        commits: Vec::with_capacity(batches.len()),
        revision,
    };
    let transaction = database.begin_write()?;
    {
        let mut entries = transaction.open_table(ENTRIES)?;
        let mut buffer = Vec::new();
        for batch in batches {
            let answer = match failed_requirement(&entries, &batch)? {
                Some(key) => Err(Error::Conflict { key }),
                None => {
                    let next = Revision(applied.revision.0 + 1);
                    if let Some(commit) = write(&mut entries, batch, next, &mut buffer)? {
                        applied.commits.push(commit);
                        applied.revision = next;
                    }
                    Ok(applied.revision)
                }
            };
            applied.answers.push(answer);
        }
        if !applied.commits.is_empty() {
            transaction.open_table(META)?.insert(META_REVISION, applied.revision.0)?;
        }
    }
    if applied.commits.is_empty() {
        transaction.abort()?;
        return Ok(applied);
    }
    let applied = prepared.insert(applied);
    transaction.commit()?;
    Ok(std::mem::take(applied))
}

/// Writes and syncs without changing anything, for a store at `revision`.
pub(crate) fn touch(database: &Database, revision: Revision) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert(META_REVISION, revision.0)?;
    Ok(transaction.commit()?)
}

fn failed_requirement(
    entries: &Table<'_, &[u8], &[u8]>,
    batch: &Batch,
) -> Result<Option<Key>, redb::Error> {
    for (key, precondition) in batch.requirements() {
        let found = match entries.get(key.as_bytes())? {
            Some(stored) => Some(table::revision_of(stored.value())?),
            None => None,
        };
        let holds = match precondition {
            Precondition::Absent => found.is_none(),
            Precondition::Revision(revision) => found == Some(*revision),
        };
        if !holds {
            return Ok(Some(key.clone()));
        }
    }
    Ok(None)
}

/// Makes the changes of a batch; `None` if there was nothing to change.
fn write(
    entries: &mut Table<'_, &[u8], &[u8]>,
    batch: Batch,
    revision: Revision,
    buffer: &mut Vec<u8>,
) -> Result<Option<Commit>, redb::Error> {
    let mut changes = batch.into_changes();
    let mut failed = None;
    changes.retain(|change| {
        let key = change.key.as_bytes();
        let changed = match &change.value {
            Some(value) => {
                table::encode(buffer, revision, value);
                entries.insert(key, &buffer[..]).map(|_| true)
            }
            None => entries.remove(key).map(|removed| removed.is_some()),
        };
        changed.unwrap_or_else(|error| {
            failed.get_or_insert(error);
            false
        })
    });
    match failed {
        Some(error) => Err(error.into()),
        None if changes.is_empty() => Ok(None),
        None => Ok(Some(Commit { revision, changes })),
    }
}
