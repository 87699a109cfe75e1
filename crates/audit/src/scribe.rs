//! One runtime's way to the log.
//!
//! What the calls of a runtime record gathers here while the runtime is busy. Its
//! [`ScribeDriver`], a task, hands that to the writer as one sheaf, and when the sheaf
//! is durable wakes those who wait, all of them in one turn: what they answer leaves
//! together. Until then the next sheaf gathers, so that the busier a runtime is, the
//! more records share a write, a sync, a wake-up from another thread and a packet to
//! the callers; and a caller alone waits for nobody.
//!
//! It refuses to lose a record: whoever waits for one may go away, and it is written
//! nevertheless.

mod driver;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use crate::{
    Durable, Record, Recorder,
    commit::{Commit, Wake},
    journal::MAX_BATCH,
    sheaf::Sheaf,
};

pub use driver::ScribeDriver;

/// Takes records. Cheap to clone; for one runtime.
#[derive(Clone)]
pub struct Scribe(Arc<Desk>);

/// What scribes and their driver share.
struct Desk {
    recorder: Arc<Recorder>,
    gathered: Mutex<Gathered>,
}

#[derive(Default)]
struct Gathered {
    /// Those that no sheaf has room for but the last.
    full: Vec<(Sheaf, Arc<Commit>)>,
    sheaf: Sheaf,
    commit: Arc<Commit>,
    driver: Driving,
}

/// Most sheaves that wait, each of some [`MAX_BATCH`] bytes, for a disk that hangs.
const MOST_FULL: usize = 64;

/// Where the driver is.
#[derive(Default)]
enum Driving {
    /// At work, or not begun yet.
    #[default]
    Busy,
    /// To be woken when there is something to do.
    Waits(Waker),
    /// Gone: each record goes to the writer by itself.
    Gone,
}

impl Scribe {
    /// A scribe and the task that does its work, to be spawned on the scribe's runtime.
    pub fn new(recorder: Arc<Recorder>) -> (Self, ScribeDriver) {
        let scribe = Self(Arc::new(Desk { recorder, gathered: Mutex::default() }));
        let driver = ScribeDriver::new(&scribe.0);
        (scribe, driver)
    }

    /// The log.
    pub fn recorder(&self) -> &Arc<Recorder> {
        &self.0.recorder
    }

    /// Takes a record and gives what to wait for. Never blocks. The record is written
    /// whether somebody waits or not, unless 16 MiB wait already.
    pub fn append(&self, record: &Record) -> Durable {
        let mut gathered = self.0.gathered();
        if gathered.full.len() >= MOST_FULL {
            drop(gathered);
            return Durable::failed("too many records wait for the disk of the audit log");
        }
        if gathered.sheaf.bundle().len() + crate::record::MAX_ENTRY + 2 > MAX_BATCH {
            let full = gathered.take_sheaf();
            gathered.full.push(full);
        }
        gathered.sheaf.push(record);
        let durable = gathered.commit.join();
        match std::mem::take(&mut gathered.driver) {
            Driving::Busy => {}
            Driving::Waits(waker) => {
                drop(gathered);
                waker.wake();
            }
            Driving::Gone => {
                gathered.driver = Driving::Gone;
                let (sheaf, commit) = gathered.take_sheaf();
                drop(gathered);
                self.0.recorder.submit(sheaf, commit, Wake::All);
            }
        }
        durable
    }
}

impl Desk {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over what is left when nobody else will.
    fn flush(&self) {
        loop {
            let Some((sheaf, commit)) = self.gathered().next() else { return };
            self.recorder.submit(sheaf, commit, Wake::All);
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.flush();
        let driver = std::mem::take(&mut self.gathered().driver);
        if let Driving::Waits(waker) = driver {
            waker.wake();
        }
    }
}

impl Gathered {
    /// The oldest sheaf that has not left.
    fn next(&mut self) -> Option<(Sheaf, Arc<Commit>)> {
        if !self.full.is_empty() {
            return Some(self.full.remove(0));
        }
        (self.sheaf.len() > 0).then(|| self.take_sheaf())
    }

    fn take_sheaf(&mut self) -> (Sheaf, Arc<Commit>) {
        (std::mem::take(&mut self.sheaf), std::mem::take(&mut self.commit))
    }
}

impl fmt::Debug for Scribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scribe")
    }
}
