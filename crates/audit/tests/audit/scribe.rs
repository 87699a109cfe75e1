//! The scribe: what gathers is durable before anybody goes on, in order, and none is lost.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use keyreeve_audit::{
    DiskFiles, Files, Listed, Log, OpenError, Opening, Query, Reader, Recorder, Scribe,
    VerifierKey, Writable,
};
use tokio::task::JoinSet;

use crate::support::{key, on_request, record, signer};

/// A log whose disk counts syncs, hangs or fails when told to.
#[derive(Clone, Default)]
struct Disk(Arc<Told>);

#[derive(Default)]
struct Told {
    hangs: AtomicBool,
    fails: AtomicBool,
    syncs: AtomicU64,
}

struct Place {
    directory: PathBuf,
    disk: Disk,
}

impl Opening for Place {
    fn open(&mut self) -> Result<(Log, VerifierKey), OpenError> {
        let files: Arc<dyn Files> = Arc::new(self.disk.clone());
        Ok((Log::open_on(files, &self.directory, signer(), on_request())?, key()))
    }

    fn tend(&mut self, _: &Log) {}
}

struct Watched(Box<dyn Writable>, Disk);

impl Writable for Watched {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        while self.1.0.hangs.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if self.1.0.fails.load(Ordering::Acquire) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.1.0.syncs.fetch_add(1, Ordering::AcqRel);
        self.0.sync()
    }
}

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        DiskFiles.read(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<Listed>> {
        DiskFiles.list(directory)
    }

    fn create_directory(&self, directory: &Path) -> io::Result<()> {
        DiskFiles.create_directory(directory)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        Ok(Box::new(Watched(DiskFiles.create(path)?, self.clone())))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        DiskFiles.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        DiskFiles.remove(path)
    }

    fn remove_directory(&self, directory: &Path) -> io::Result<()> {
        DiskFiles.remove_directory(directory)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        DiskFiles.sync_directory(directory)
    }
}

/// A recorder on a disk of its own.
fn start(directory: &Path) -> (Arc<Recorder>, Disk) {
    let disk = Disk::default();
    let place = Place { directory: directory.to_owned(), disk: disk.clone() };
    (Recorder::start(place).unwrap(), disk)
}

/// A scribe at work on this runtime.
fn scribe(recorder: &Arc<Recorder>) -> Scribe {
    let (scribe, driver) = Scribe::new(Arc::clone(recorder));
    tokio::spawn(driver);
    scribe
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// How many records a closed log has, in the order of their numbers.
fn recorded(directory: &Path) -> Vec<keyreeve_audit::Record> {
    let reader = Reader::open(directory, &key()).unwrap();
    reader.records(0, &Query::default()).map(|entry| entry.unwrap().record).collect()
}

/// Guards against an index given twice, an answer before its record, and a sync for
/// every record: what is asked for together is durable together.
#[test]
fn callers_of_a_runtime_share_a_sync_and_get_their_own_index() {
    let directory = tempfile::tempdir().unwrap();
    let (recorder, disk) = start(directory.path());
    let given = runtime().block_on(async {
        let scribe = scribe(&recorder);
        scribe.append(&record(1_000_000)).await.unwrap();
        let before = disk.0.syncs.load(Ordering::Acquire);
        let mut tasks = JoinSet::new();
        for number in 0..1000 {
            let scribe = scribe.clone();
            tasks.spawn(async move { (scribe.append(&record(number)).await.unwrap(), number) });
        }
        let given = tasks.join_all().await;
        let syncs = disk.0.syncs.load(Ordering::Acquire) - before;
        assert!(syncs <= 20, "{syncs} syncs for a thousand records");
        given
    });
    recorder.close();
    let recorded = recorded(directory.path());
    assert_eq!(recorded.len(), 1001);
    for (index, number) in given {
        assert_eq!(recorded[usize::try_from(index).unwrap()], record(number));
    }
}

/// Guards against a record that is lost because nobody waits for it, because the runtime
/// ends, or because the scribe goes before its driver had a turn.
#[test]
fn a_record_nobody_waits_for_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let (recorder, _disk) = start(directory.path());
    let survivor = runtime().block_on(async {
        let scribe = scribe(&recorder);
        scribe.append(&record(0)).await.unwrap();
        drop(scribe.append(&record(1)));
        scribe
    });
    // Its driver has gone with the runtime.
    drop(survivor.append(&record(2)));
    drop(survivor);
    runtime().block_on(async {
        let scribe = scribe(&recorder);
        drop(scribe.append(&record(3)));
    });
    recorder.close();
    assert_eq!(recorded(directory.path()), [0, 1, 2, 3].map(record));
}

/// Guards against an answer that needs a record and leaves without, and against callers
/// who wait for ever: the disk fails while a sheaf is on its way.
#[test]
fn a_disk_that_fails_fails_all_who_wait_and_heals() {
    let directory = tempfile::tempdir().unwrap();
    let (recorder, disk) = start(directory.path());
    runtime().block_on(async {
        let scribe = scribe(&recorder);
        scribe.append(&record(0)).await.unwrap();
        disk.0.fails.store(true, Ordering::Release);
        for number in 1..4 {
            assert!(scribe.append(&record(number)).await.is_err());
        }
        disk.0.fails.store(false, Ordering::Release);
        let healed = std::time::Instant::now() + Duration::from_secs(20);
        while scribe.append(&record(9)).await.is_err() {
            assert!(std::time::Instant::now() < healed);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    recorder.close();
    let recorded = recorded(directory.path());
    assert_eq!((recorded.first(), recorded.last()), (Some(&record(0)), Some(&record(9))));
}

/// Guards against an answer that a hung disk holds for ever, and against a sheaf that is
/// given up early: the time is ten seconds.
#[test]
fn a_disk_that_hangs_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let (recorder, disk) = start(directory.path());
    let paused = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    paused.block_on(async {
        let scribe = scribe(&recorder);
        scribe.append(&record(0)).await.unwrap();
        disk.0.hangs.store(true, Ordering::Release);
        // From here on the runtime's clock goes on when there is nothing else to do.
        tokio::time::pause();
        for number in 1..3 {
            let began = tokio::time::Instant::now();
            let why = scribe.append(&record(number)).await.unwrap_err();
            let waited = began.elapsed();
            assert!(why.to_string().contains("does not answer"), "{why}");
            assert!((9_900..11_000).contains(&waited.as_millis()), "{waited:?}");
        }
        disk.0.hangs.store(false, Ordering::Release);
        tokio::time::resume();
        scribe.append(&record(3)).await.unwrap();
    });
    recorder.close();
    assert_eq!(recorded(directory.path()), [0, 1, 2, 3].map(record), "what was given up is there");
}

/// Guards against callers who come before the log is open and are turned away.
#[test]
fn who_comes_early_waits_for_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let (recorder, _disk) = start(directory.path());
    let runtime = runtime();
    let first = runtime.block_on(async { scribe(&recorder).append(&record(0)).await });
    assert_eq!(first, Ok(0));
    recorder.close();
    let refused = runtime.block_on(async { scribe(&recorder).append(&record(1)).await });
    assert!(refused.is_err(), "it was closed");
    assert_eq!(recorded(directory.path()), [record(0)]);
}
