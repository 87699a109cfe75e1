//! The task that hands sheaves over and wakes those who wait for them.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::{Desk, Driving};
use crate::{
    Unrecorded,
    commit::{Commit, Wake},
};

/// Longest time that anybody waits for a record. A disk that hangs ends no call by
/// itself, and an answer that waits for it must not wait for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hands over what a [`Scribe`](super::Scribe) gathers. Ends when the scribe and all its
/// clones are gone.
#[must_use = "without its driver a scribe hands over each record by itself"]
pub struct ScribeDriver {
    desk: Weak<Desk>,
    /// Sheaves that are with the writer, and when they are given up.
    in_flight: VecDeque<(Instant, Arc<Commit>)>,
    /// Wakes the task when the first of them may have to be given up.
    patience: Option<Pin<Box<Sleep>>>,
    /// Ends when the log is no longer being opened for the first time, or that takes too
    /// long.
    opening: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl ScribeDriver {
    pub(super) fn new(desk: &Arc<Desk>) -> Self {
        Self {
            desk: Arc::downgrade(desk),
            in_flight: VecDeque::new(),
            patience: None,
            opening: None,
        }
    }

    /// Lets those go on whose records are durable, or never will be.
    fn release(&mut self) {
        while let Some((_, commit)) = self.in_flight.front()
            && commit.has_ended()
        {
            commit.wake();
            self.in_flight.pop_front();
        }
    }

    /// Gives up what has been with the writer for too long. Whether anything was.
    fn lose_patience(&mut self, cx: &mut Context<'_>) -> bool {
        let mut lost = false;
        while let Some((until, commit)) = self.in_flight.front() {
            let patience = self.patience.get_or_insert_with(|| Box::pin(sleep_until(*until)));
            if patience.as_mut().poll(cx).is_pending() {
                break;
            }
            // What it was set for may be long done: it is not set for every sheaf.
            self.patience = None;
            if Instant::now() >= *until {
                let why = "the disk of the audit log does not answer";
                commit.end(Err(Unrecorded(why.into())));
                commit.wake();
                self.in_flight.pop_front();
                lost = true;
            }
        }
        lost
    }

    /// Hands over what has gathered, unless something is under way: the next sheaf is
    /// the larger for it.
    fn hand_over(&mut self, desk: &Desk, cx: &mut Context<'_>) {
        if !self.in_flight.is_empty() {
            return;
        }
        if desk.recorder.is_opening() && self.opening.is_none() {
            let opened = timeout(PATIENCE, desk.recorder.opened());
            self.opening = Some(Box::pin(async move { drop(opened.await) }));
        }
        if let Some(opening) = &mut self.opening {
            if opening.as_mut().poll(cx).is_pending() {
                return;
            }
            self.opening = None;
        }
        loop {
            let mut gathered = desk.gathered();
            let Some((sheaf, commit)) = gathered.next() else {
                if self.in_flight.is_empty() {
                    gathered.driver = Driving::Waits(cx.waker().clone());
                }
                return;
            };
            drop(gathered);
            self.in_flight.push_back((Instant::now() + PATIENCE, Arc::clone(&commit)));
            desk.recorder.submit(sheaf, commit, Wake::One(cx.waker().clone()));
        }
    }
}

impl Future for ScribeDriver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.release();
        let desk = self.desk.upgrade();
        loop {
            if let Some(desk) = &desk {
                self.hand_over(desk, cx);
            }
            if !self.lose_patience(cx) {
                break;
            }
        }
        if desk.is_none() && self.in_flight.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for ScribeDriver {
    fn drop(&mut self) {
        if let Some(desk) = self.desk.upgrade() {
            desk.gathered().driver = Driving::Gone;
            desk.flush();
        }
        // What is with the writer ends by itself; who waits for it is on a runtime that
        // ends, or waits in vain.
        for (_, commit) in self.in_flight.drain(..) {
            commit.end(Err(Unrecorded("the service is ending".into())));
            commit.wake();
        }
    }
}
