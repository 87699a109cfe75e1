//! Every call to the file system fails once, in each way; and the disk gets full.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keyreeve_audit::{DiskFiles, Files, Listed, Log, Query, Reader, Writable, verify};

use crate::support::{append_together, block_on, key, open, open_on, record};

/// The disk, until a countdown ends; from then on every call that changes anything
/// fails, as on a full or a broken disk.
struct Failing {
    disk: DiskFiles,
    gate: Arc<Gate>,
}

struct Gate {
    left: AtomicU64,
    calls: AtomicU64,
    error: i32,
    /// Whether what fails is done by half first.
    torn: bool,
}

impl Gate {
    fn pass(&self) -> io::Result<()> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let left =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(|_| ()).map_err(|_| io::Error::from_raw_os_error(self.error))
    }
}

impl Files for Failing {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.disk.read(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<Listed>> {
        self.disk.list(directory)
    }

    fn create_directory(&self, directory: &Path) -> io::Result<()> {
        self.gate.pass()?;
        self.disk.create_directory(directory)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        self.gate.pass()?;
        let file = self.disk.create(path)?;
        Ok(Box::new(FailingFile { file, gate: Arc::clone(&self.gate) }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.gate.pass()?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.gate.pass()?;
        self.disk.remove(path)
    }

    fn remove_directory(&self, directory: &Path) -> io::Result<()> {
        self.gate.pass()?;
        self.disk.remove_directory(directory)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.gate.pass()?;
        self.disk.sync_directory(directory)
    }
}

struct FailingFile {
    file: Box<dyn Writable>,
    gate: Arc<Gate>,
}

impl Writable for FailingFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.gate.pass() {
            if self.gate.torn {
                self.file.write_at(offset, &bytes[..bytes.len() / 2])?;
            }
            return Err(error);
        }
        self.file.write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.gate.pass()?;
        self.file.sync()
    }
}

const ENOSPC: i32 = 28;
const EIO: i32 = 5;

/// What is appended at once: one by one at the start and where a tile fills up, so that
/// each kind of step is there, and many together in between, so that steps are few.
const BATCHES: [u64; 12] = [1, 1, 1, 60, 60, 60, 60, 10, 1, 1, 1, 9];

/// Appends, with checkpoints in between, until it fails; gives how many records were
/// acknowledged. A log that failed once must fail from then on, and say why.
fn drive(log: &Log) -> u64 {
    let mut acknowledged = 0;
    block_on(async {
        for count in BATCHES {
            let records: Vec<_> = (acknowledged..acknowledged + count).map(record).collect();
            if let Err(stopped) = append_together(log, &records).await {
                assert!(log.append(&record(acknowledged)).await.is_err());
                assert!(log.checkpoint().await.is_err());
                assert_eq!(log.health().stopped, Some(stopped));
                return acknowledged;
            }
            acknowledged += count;
            if [3, 63, 254, 257].contains(&acknowledged) {
                let _ = log.checkpoint().await;
            }
        }
        acknowledged
    })
}

/// Guards against an error that is swallowed: an acknowledged record that is lost, a
/// log that does not say that it stopped, or one that cannot be opened again when the
/// disk is well. Each changing call of a run fails once, and all after it.
#[test]
fn nothing_acknowledged_is_lost_whatever_call_fails() {
    let mut injected = 0;
    // Syncs cost nothing in memory, and what fails here is injected.
    let place = ["/dev/shm", "/tmp"].into_iter().find(|place| Path::new(place).is_dir()).unwrap();
    for (error, torn) in [(ENOSPC, true), (EIO, false)] {
        let mut nth = 0;
        loop {
            let directory = tempfile::tempdir_in(place).unwrap();
            let gate =
                Arc::new(Gate { left: AtomicU64::new(nth), calls: AtomicU64::new(0), error, torn });
            let failing = Failing { disk: DiskFiles, gate: Arc::clone(&gate) };
            let acknowledged = match open_on(Arc::new(failing), directory.path()) {
                Ok(log) => {
                    let acknowledged = drive(&log);
                    let health = log.close();
                    let failed = gate.calls.load(Ordering::SeqCst) > nth;
                    assert_eq!(health.stopped.is_some(), failed, "call {nth}: {health:?}");
                    acknowledged
                }
                Err(_) => 0,
            };
            let report = verify(directory.path(), &key(), None);
            assert!(report.is_sound() || report.checkpoint.is_none(), "call {nth}: {report:?}");
            let health = open(directory.path()).close();
            assert!(health.signed >= acknowledged, "call {nth}: {health:?}, {acknowledged}");
            assert!(verify(directory.path(), &key(), None).is_clean(), "call {nth}");
            let reader = Reader::open(directory.path(), &key()).unwrap();
            let query = Query::default();
            for (number, entry) in (0..acknowledged).zip(reader.records(0, &query)) {
                assert_eq!(entry.unwrap().record, record(number));
            }
            if gate.calls.load(Ordering::SeqCst) <= nth {
                break;
            }
            injected += 1;
            nth += 1;
        }
    }
    // The journal is zeroed in two writes, tiles and checkpoints take some twenty calls
    // each time, an append takes two.
    assert!(injected >= 150, "only {injected} faults were injected");
    eprintln!("{injected} faults injected, each call of a run in two ways");
}
