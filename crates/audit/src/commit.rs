//! The commit of a sheaf: what whoever has a record in it waits for.
//!
//! It ends once for all of them. Who wakes them is another question: a task that is
//! woken by another thread costs its runtime a system call, so the writer wakes one
//! for each sheaf, and that one wakes the rest on their own thread (see
//! [`Scribe`](crate::Scribe)).

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::{Stopped, Unrecorded, sheaf::Sheaf, state::State};

/// A commit that has ended or will.
#[derive(Default)]
pub(crate) struct Commit(Mutex<Standing>);

#[derive(Default)]
struct Standing {
    /// The index of its first record, or why there is none.
    end: Option<Result<u64, Unrecorded>>,
    /// One for each record that somebody waits for.
    waiting: Vec<Option<Waker>>,
}

impl Commit {
    /// Takes part: to be called in the order of the records, once for each.
    pub(crate) fn join(self: &Arc<Self>) -> Durable {
        let mut standing = self.standing();
        standing.waiting.push(None);
        Durable { commit: Arc::clone(self), at: standing.waiting.len() - 1 }
    }

    /// Ends it, unless it has ended. Wakes nobody.
    pub(crate) fn end(&self, end: Result<u64, Unrecorded>) {
        self.standing().end.get_or_insert(end);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.standing().end.is_some()
    }

    /// Wakes all who wait.
    pub(crate) fn wake(&self) {
        let waiting = std::mem::take(&mut self.standing().waiting);
        waiting.into_iter().flatten().for_each(Waker::wake);
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends when a record is durable, with its index.
#[must_use = "a record is durable only when this has ended"]
pub struct Durable {
    commit: Arc<Commit>,
    at: usize,
}

impl Durable {
    /// Of a record that was not taken.
    pub(crate) fn failed(why: &str) -> Self {
        let commit = Arc::new(Commit::default());
        commit.end(Err(Unrecorded(why.into())));
        commit.join()
    }
}

impl Future for Durable {
    type Output = Result<u64, Unrecorded>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut standing = self.commit.standing();
        match &standing.end {
            Some(Ok(first)) => Poll::Ready(Ok(first + self.at as u64)),
            Some(Err(why)) => Poll::Ready(Err(why.clone())),
            None => {
                let before = standing.waiting[self.at].replace(cx.waker().clone());
                // Dropped when the lock has gone: it may be the last of its task.
                drop(standing);
                drop(before);
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Durable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Durable")
    }
}

/// A sheaf on its way to the writer. Its commit ends whatever becomes of it.
pub(crate) struct Submission {
    pub(crate) sheaf: Sheaf,
    commit: Arc<Commit>,
    state: Arc<State>,
    wake: Wake,
}

/// Who wakes those who wait.
pub(crate) enum Wake {
    /// Whoever ends the commit.
    All,
    /// This task.
    One(Waker),
}

impl Wake {
    /// To be called when `commit` has ended.
    pub(crate) fn wake(&self, commit: &Commit) {
        match self {
            Self::All => commit.wake(),
            Self::One(waker) => waker.wake_by_ref(),
        }
    }
}

impl Submission {
    pub(crate) const fn new(
        sheaf: Sheaf,
        commit: Arc<Commit>,
        state: Arc<State>,
        wake: Wake,
    ) -> Self {
        Self { sheaf, commit, state, wake }
    }

    /// The records are durable, the first of them at this index. Gives them back.
    pub(crate) fn succeed(mut self, first: u64) -> Sheaf {
        self.commit.end(Ok(first));
        std::mem::take(&mut self.sheaf)
    }
}

impl Drop for Submission {
    /// Whatever did not succeed has failed: the log stopped, or ends.
    fn drop(&mut self) {
        self.commit.end(Err(self.state.reason().into()));
        self.wake.wake(&self.commit);
    }
}

impl From<Stopped> for Unrecorded {
    fn from(stopped: Stopped) -> Self {
        Self(stopped.to_string().into())
    }
}
