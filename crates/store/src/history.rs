//! The recent commits of an engine that has no log of its own to watch.
//!
//! A bounded ring in memory. A watch is a position in it, not a queue: a slow
//! watcher costs nothing, and one that falls behind the ring is told so. The ring
//! starts empty when the engine opens; a watch from before that is compacted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{Change, Commit, Error, Key, Revision, Watch};

/// How much of the past is kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// The most commits.
    pub commits: usize,
    /// The most bytes of keys and values; the newest commit is kept whatever its size.
    pub bytes: usize,
}

impl Default for Retention {
    /// 16,384 commits, 32 MiB.
    fn default() -> Self {
        Self { commits: 16_384, bytes: 32 * 1024 * 1024 }
    }
}

/// The ring of recent commits.
#[derive(Debug)]
pub struct History {
    ring: Mutex<Ring>,
    /// Counts publications; its value means nothing but "look again".
    news: watch::Sender<u64>,
}

impl History {
    /// An empty ring of a store that is at `revision`.
    pub fn new(revision: Revision, retention: Retention) -> Arc<Self> {
        let ring =
            Ring { commits: VecDeque::new(), floor: revision, bytes: 0, retention, ended: None };
        Arc::new(Self { ring: Mutex::new(ring), news: watch::Sender::new(0) })
    }

    /// Adds commits, in order of revision, that are durable. The engine MUST publish
    /// a commit before it answers it.
    pub fn publish(&self, commits: impl IntoIterator<Item = Commit>) {
        let mut ring = self.ring();
        for commit in commits {
            ring.push(commit);
        }
        drop(ring);
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Ends every watch with `error`, once it has delivered what was published.
    pub fn end(&self, error: Error) {
        self.ring().ended.get_or_insert(error);
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// A watch of the commits after `after`. Whether `after` lies in the future is
    /// the engine's to check.
    ///
    /// # Errors
    /// [`Error::Compacted`], or the error the history was ended with.
    pub fn watch(self: &Arc<Self>, prefix: Key, after: Revision) -> Result<Box<dyn Watch>, Error> {
        let ring = self.ring();
        if let Some(error) = &ring.ended {
            return Err(error.clone());
        }
        if after < ring.floor {
            return Err(Error::Compacted);
        }
        drop(ring);
        let news = self.news.subscribe();
        Ok(Box::new(Position { history: Arc::clone(self), prefix, seen: after, news }))
    }

    /// The lock is held for a look or a push only, and neither can leave the ring
    /// half changed.
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Ring {
    commits: VecDeque<Arc<Commit>>,
    /// The revision of the newest commit that was let go.
    floor: Revision,
    bytes: usize,
    retention: Retention,
    ended: Option<Error>,
}

impl Ring {
    fn push(&mut self, commit: Commit) {
        self.bytes += size(&commit);
        self.commits.push_back(Arc::new(commit));
        while self.commits.len() > 1
            && (self.commits.len() > self.retention.commits || self.bytes > self.retention.bytes)
        {
            if let Some(oldest) = self.commits.pop_front() {
                self.bytes -= size(&oldest);
                self.floor = oldest.revision;
            }
        }
    }

    /// The first commit after `seen` with changes under `prefix`. `seen` moves over
    /// what it looked at.
    fn next(&self, prefix: &Key, seen: &mut Revision) -> Option<Commit> {
        let start = self.commits.partition_point(|commit| commit.revision <= *seen);
        for commit in self.commits.range(start..) {
            *seen = commit.revision;
            let changes: Vec<Change> = commit
                .changes
                .iter()
                .filter(|change| change.key.starts_with(prefix))
                .cloned()
                .collect();
            if !changes.is_empty() {
                return Some(Commit { revision: commit.revision, changes });
            }
        }
        None
    }
}

fn size(commit: &Commit) -> usize {
    let of = |change: &Change| {
        change.key.as_bytes().len() + change.value.as_ref().map_or(0, bytes::Bytes::len)
    };
    commit.changes.iter().map(of).sum()
}

struct Position {
    history: Arc<History>,
    prefix: Key,
    seen: Revision,
    news: watch::Receiver<u64>,
}

#[async_trait]
impl Watch for Position {
    async fn next(&mut self) -> Result<Commit, Error> {
        loop {
            // Marked before the look, so that what is published after it wakes us.
            self.news.mark_unchanged();
            {
                let ring = self.history.ring();
                if self.seen < ring.floor {
                    return Err(Error::Compacted);
                }
                if let Some(commit) = ring.next(&self.prefix, &mut self.seen) {
                    return Ok(commit);
                }
                if let Some(error) = &ring.ended {
                    return Err(error.clone());
                }
            }
            // Fails only without a sender, and `history` holds the sender.
            let _ = self.news.changed().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    fn commit(revision: u64) -> Commit {
        let change = Change { key: Key::new(["k"]), value: Some(Value::from_static(b"12345678")) };
        Commit { revision: Revision(revision), changes: vec![change] }
    }

    fn keeping(commits: usize, bytes: usize) -> Arc<History> {
        History::new(Revision(10), Retention { commits, bytes })
    }

    /// Guards against a watch that silently starts later than asked.
    #[tokio::test]
    async fn what_is_not_kept_is_compacted() {
        let history = keeping(3, usize::MAX);
        assert_eq!(history.watch(Key::ROOT, Revision(9)).map(|_| ()), Err(Error::Compacted));
        history.publish((11..=15).map(commit));
        assert_eq!(history.watch(Key::ROOT, Revision(11)).map(|_| ()), Err(Error::Compacted));
        let mut watch = history.watch(Key::ROOT, Revision(12)).expect("12 is the floor");
        assert_eq!(watch.next().await, Ok(commit(13)));
    }

    /// Guards against a slow watcher that misses commits without being told.
    #[tokio::test]
    async fn a_watcher_that_falls_behind_is_told() {
        let history = keeping(2, usize::MAX);
        let mut watch = history.watch(Key::ROOT, Revision(10)).expect("watch");
        history.publish([commit(11)]);
        assert_eq!(watch.next().await, Ok(commit(11)));
        history.publish((12..=14).map(commit));
        assert_eq!(watch.next().await, Err(Error::Compacted));
    }

    /// Guards against memory that grows with the size of values.
    #[tokio::test]
    async fn bytes_are_bounded_and_the_newest_is_kept() {
        let history = keeping(100, 5);
        history.publish((11..=13).map(commit));
        let mut watch = history.watch(Key::ROOT, Revision(12)).expect("the newest is kept");
        assert_eq!(watch.next().await, Ok(commit(13)));
        assert_eq!(history.ring().commits.len(), 1);
    }

    /// Guards against watchers that wait for ever on a store that has stopped, or
    /// that miss its last commit.
    #[tokio::test]
    async fn the_end_comes_after_the_last_commit() {
        let history = keeping(100, 100);
        let mut watch = history.watch(Key::ROOT, Revision(10)).expect("watch");
        history.publish([commit(11)]);
        history.end(Error::Stopped("test".into()));
        assert_eq!(watch.next().await, Ok(commit(11)));
        assert_eq!(watch.next().await, Err(Error::Stopped("test".into())));
        assert!(history.watch(Key::ROOT, Revision(11)).is_err());
    }
}
