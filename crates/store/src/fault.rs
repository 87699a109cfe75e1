//! A store that fails on demand, around one that works.
//!
//! For tests of what callers do when storage does not: the nth call of a kind
//! fails, is late, or happens and is then denied.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::{Batch, Entry, Error, Key, Page, Revision, Store, Watch};

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// [`Store::get`].
    Get,
    /// [`Store::scan`].
    Scan,
    /// [`Store::commit`].
    Commit,
    /// [`Store::watch`].
    Watch,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The call fails before anything is done.
    Fail(Error),
    /// The call is made after a delay.
    Delay(Duration),
    /// The call is made, and its answer replaced by this error. With
    /// [`Error::Unknown`] on a commit: the answer that got lost.
    LoseAnswer(Error),
    /// This call and every later one of any kind fail with [`Error::Stopped`].
    Stop,
    /// Commits fail with [`Error::Full`] from this call on, until
    /// [`FaultStore::make_room`]; everything else goes on.
    Fill,
}

/// A store that injects faults into another.
pub struct FaultStore {
    inner: Arc<dyn Store>,
    plan: Mutex<Plan>,
}

#[derive(Default)]
struct Plan {
    /// Calls of a kind that are still to pass before the fault strikes, once.
    pending: Vec<(Call, u64, Fault)>,
    stopped: bool,
    full: bool,
}

impl FaultStore {
    /// Passes everything on until told otherwise.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, plan: Mutex::default() }
    }

    /// Injects `fault`, once, into the `nth` call of this kind from now; 0 is the
    /// next. Of two faults for the same call the one planned first strikes, and the
    /// other strikes the call after.
    pub fn plan(&self, call: Call, nth: u64, fault: Fault) {
        self.plan_lock().pending.push((call, nth, fault));
    }

    /// Ends what [`Fault::Fill`] began.
    pub fn make_room(&self) {
        self.plan_lock().full = false;
    }

    /// Counts this call, waits or fails as planned, and says with what to replace
    /// the answer.
    async fn strike(&self, call: Call) -> Result<Option<Error>, Error> {
        let due = self.plan_lock().due(call);
        match due {
            None => Ok(None),
            Some(Fault::Fail(error)) => Err(error),
            Some(Fault::LoseAnswer(error)) => Ok(Some(error)),
            Some(Fault::Stop) => Err(stopped()),
            Some(Fault::Fill) if call == Call::Commit => Err(full()),
            Some(Fault::Fill) => Ok(None),
            Some(Fault::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(None)
            }
        }
    }

    fn plan_lock(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    fn due(&mut self, call: Call) -> Option<Fault> {
        if self.stopped {
            return Some(Fault::Stop);
        }
        if self.full && call == Call::Commit {
            return Some(Fault::Fill);
        }
        let position = self.pending.iter().position(|(of, left, _)| *of == call && *left == 0);
        for (of, left, _) in &mut self.pending {
            if *of == call {
                *left = left.saturating_sub(1);
            }
        }
        let (_, _, fault) = self.pending.remove(position?);
        self.stopped = fault == Fault::Stop;
        self.full |= fault == Fault::Fill;
        Some(fault)
    }
}

fn stopped() -> Error {
    Error::Stopped("injected fault".into())
}

fn full() -> Error {
    Error::Full("injected fault".into())
}

fn answer<T>(result: Result<T, Error>, replaced: Option<Error>) -> Result<T, Error> {
    let value = result?;
    replaced.map_or(Ok(value), Err)
}

#[async_trait]
impl Store for FaultStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, Error> {
        let replaced = self.strike(Call::Get).await?;
        answer(self.inner.get(key).await, replaced)
    }

    async fn scan(&self, prefix: &Key, after: Option<&Key>, limit: usize) -> Result<Page, Error> {
        let replaced = self.strike(Call::Scan).await?;
        answer(self.inner.scan(prefix, after, limit).await, replaced)
    }

    async fn commit(&self, batch: Batch) -> Result<Revision, Error> {
        let replaced = self.strike(Call::Commit).await?;
        answer(self.inner.commit(batch).await, replaced)
    }

    async fn watch(&self, prefix: &Key, after: Revision) -> Result<Box<dyn Watch>, Error> {
        let replaced = self.strike(Call::Watch).await?;
        answer(self.inner.watch(prefix, after).await, replaced)
    }

    fn health(&self) -> Result<(), Error> {
        let plan = self.plan_lock();
        if plan.stopped {
            return Err(stopped());
        }
        if plan.full {
            return Err(full());
        }
        drop(plan);
        self.inner.health()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;
    use crate::conformance::Opened;

    fn faulty() -> (Arc<dyn Store>, FaultStore) {
        let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
        (Arc::clone(&inner), FaultStore::new(inner))
    }

    fn put(name: &str) -> Batch {
        Batch::new().put(Key::new([name]), &b"v"[..])
    }

    /// Guards against faults that strike the wrong call, or more than one.
    #[tokio::test]
    async fn the_nth_call_of_its_kind_fails_once() {
        let (_, store) = faulty();
        let down = Error::Unavailable("test".into());
        store.plan(Call::Commit, 1, Fault::Fail(down.clone()));
        store.commit(put("a")).await.expect("the first commit passes");
        store.get(&Key::new(["a"])).await.expect("a get is not a commit");
        assert_eq!(store.commit(put("b")).await, Err(down));
        assert_eq!(store.get(&Key::new(["b"])).await, Ok(None));
        store.commit(put("b")).await.expect("the fault has passed");
    }

    /// Guards against a lost answer that loses the commit too, so that callers are
    /// never tested against the case that hurts.
    #[tokio::test]
    async fn a_commit_whose_answer_is_lost_has_happened() {
        let (inner, store) = faulty();
        let lost = Error::Unknown("test".into());
        store.plan(Call::Commit, 0, Fault::LoseAnswer(lost.clone()));
        assert_eq!(store.commit(put("a")).await, Err(lost.clone()));
        assert!(lost.may_have_committed());
        assert!(inner.get(&Key::new(["a"])).await.expect("get").is_some());
    }

    /// Guards against a stop that later calls get around.
    #[tokio::test]
    async fn a_stopped_store_stays_stopped() {
        let (_, store) = faulty();
        store.plan(Call::Scan, 0, Fault::Stop);
        store.health().expect("not yet stopped");
        store.scan(&Key::ROOT, None, 1).await.expect_err("this call stops it");
        assert!(matches!(store.commit(put("a")).await, Err(Error::Stopped(_))));
        assert!(matches!(store.get(&Key::ROOT).await, Err(Error::Stopped(_))));
        assert!(matches!(store.health(), Err(Error::Stopped(_))));
    }

    /// Guards against a delay that fails the call or does not delay it.
    #[tokio::test]
    async fn a_delayed_call_is_late_and_succeeds() {
        let (_, store) = faulty();
        store.plan(Call::Get, 0, Fault::Delay(Duration::from_millis(20)));
        let start = std::time::Instant::now();
        store.get(&Key::ROOT).await.expect("get");
        assert!(start.elapsed() >= Duration::from_millis(20));
    }

    /// Guards against callers that are tested against a lack of room no engine has:
    /// one that ends reads, or that never ends.
    #[tokio::test]
    async fn a_full_store_reads_on_and_recovers() {
        let store = Arc::new(faulty().1);
        let (filled, emptied) = (Arc::clone(&store), Arc::clone(&store));
        crate::conformance::room::a_full_store_reads_on_and_recovers(
            &(store as Arc<dyn Store>),
            || filled.plan(Call::Commit, 3, Fault::Fill),
            || emptied.make_room(),
        )
        .await;
    }

    mod without_faults {
        use super::*;

        crate::conformance_suite!(async { Opened::new(Arc::new(faulty().1), ()) });
    }
}
