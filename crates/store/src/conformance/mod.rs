//! The suite that every engine passes: the contract, written as tests.
//!
//! An engine runs all of it with one line in its tests:
//!
//! ```text
//! keyreeve_store::conformance_suite!(async { Opened::new(Arc::new(MyStore::new()), ()) });
//! ```
//!
//! The expression is evaluated once for each test and gives a fresh, empty store.
//! The cases panic where the contract is broken, as tests do.
//!
//! An engine whose room a test can take away and give back also runs [`room`].

use std::any::Any;
use std::sync::Arc;
use std::thread;

use crate::{Batch, Key, Revision, Store};

pub mod batches;
pub mod concurrency;
pub mod entries;
pub mod model;
pub mod room;
pub mod scans;
pub mod watches;

/// A fresh store and what must outlive it, such as its directory.
pub struct Opened {
    /// The store.
    pub store: Arc<dyn Store>,
    _keep: Box<dyn Any + Send>,
}

impl Opened {
    /// A store, and what must outlive it.
    pub fn new(store: Arc<dyn Store>, keep: impl Any + Send) -> Self {
        Self { store, _keep: Box::new(keep) }
    }
}

/// Makes a test of each case of the suite. Give it a future of an [`Opened`].
#[macro_export]
macro_rules! conformance_suite {
    ($open:expr) => {
        $crate::conformance_suite! { @cases $open;
            batches::a_batch_at_every_limit_is_taken,
            batches::a_batch_beyond_a_limit_changes_nothing,
            batches::a_deleted_and_remade_key_is_not_the_old_one,
            batches::a_failed_precondition_changes_nothing,
            batches::a_met_precondition_lets_the_batch_through,
            batches::malformed_batches_are_refused,
            concurrency::increments_are_never_lost,
            concurrency::one_of_many_creators_wins,
            concurrency::no_reader_sees_part_of_a_batch,
            entries::a_commit_that_changes_nothing_keeps_the_revision,
            entries::an_entry_keeps_the_revision_of_its_last_put,
            entries::deleting_removes,
            entries::putting_and_getting_keep_every_byte,
            entries::revisions_strictly_increase,
            scans::a_page_is_bounded_in_bytes,
            scans::keys_come_in_byte_order_and_under_the_prefix_only,
            scans::limits_out_of_range_still_make_progress,
            scans::page_tokens_stay_good_while_the_store_changes,
            scans::pages_join_without_gap_or_repeat,
            watches::a_cancelled_wait_loses_nothing,
            watches::a_watch_from_the_future_is_refused,
            watches::a_watch_sees_every_commit_once_in_order,
            watches::a_watch_sees_its_prefix_only,
            watches::a_watched_copy_equals_the_store,
        }

        #[test]
        fn the_engine_behaves_as_a_sorted_map() {
            $crate::conformance::model::check(async || $open.await);
        }
    };
    (@cases $open:expr; $($module:ident::$case:ident),* $(,)?) => { $(
        #[tokio::test]
        async fn $case() {
            let opened: $crate::conformance::Opened = $open.await;
            $crate::conformance::$module::$case(&opened.store).await;
        }
    )* };
}

/// A key of the suite.
fn key(name: &str) -> Key {
    Key::new(["suite", name])
}

async fn put(store: &Arc<dyn Store>, key: &Key, value: &[u8]) -> Revision {
    let batch = Batch::new().put(key.clone(), value.to_vec());
    store.commit(batch).await.expect("an unconditional put succeeds")
}

/// Runs `work` on as many threads as asked, each with a runtime of its own as the
/// front has, without holding up the runtime of the test.
async fn on_threads<W, F>(store: &Arc<dyn Store>, threads: u64, work: W)
where
    W: Fn(Arc<dyn Store>, u64) -> F + Send + Sync + 'static,
    F: Future<Output = ()>,
{
    let work = Arc::new(work);
    let running: Vec<_> = (0..threads)
        .map(|number| {
            let (store, work) = (Arc::clone(store), Arc::clone(&work));
            thread::spawn(move || runtime().block_on(work(store, number)))
        })
        .collect();
    let join = move || running.into_iter().all(|thread| thread.join().is_ok());
    #[expect(clippy::disallowed_methods, reason = "a test waits for threads, nothing is served")]
    let all_well = tokio::task::spawn_blocking(join).await.expect("joining does not panic");
    assert!(all_well, "a thread of the test failed; its message is above");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built")
}
