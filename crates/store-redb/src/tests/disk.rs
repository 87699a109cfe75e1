//! A disk in memory that counts down to a failure, and remembers what was synced.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use redb::{Database, StorageBackend};

use crate::medium::Medium;
use crate::{OpenFault, open};

/// A disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    /// What a read returns.
    current: Vec<u8>,
    /// What was there at the last sync.
    synced: Vec<u8>,
    /// What was done since then, in order.
    pending: Vec<Write>,
    /// Writes and syncs that still succeed, and how the others fail.
    failure: Option<(u64, io::ErrorKind)>,
    /// The length beyond which it does not grow.
    limit: Option<u64>,
    /// Whether it can tell that it has no room, as a file system that reserves.
    tells: bool,
    /// When it was asked whether there is room, and when opening it anew ended.
    looks: Vec<Instant>,
    reopened: Vec<Instant>,
    /// How long opening it anew takes.
    slowness: Duration,
}

#[derive(Debug, Clone)]
enum Write {
    Bytes(u64, Vec<u8>),
    Length(u64),
}

impl Disk {
    /// Lets `after` more writes and syncs succeed, and none from then on.
    pub(crate) fn fail(&self, after: u64, kind: io::ErrorKind) {
        self.platter().failure = Some((after, kind));
    }

    /// Lets the disk grow no more; what it has can still be written over.
    pub(crate) fn fill(&self) {
        let mut platter = self.platter();
        platter.limit = Some(platter.current.len() as u64);
    }

    /// Lets the disk say from now on whether there is room, as a file system that can
    /// reserve; until then only a write tells.
    pub(crate) fn tell(&self) {
        self.platter().tells = true;
    }

    /// Lets opening the disk anew take so long.
    pub(crate) fn slow_down(&self, slowness: Duration) {
        self.platter().slowness = slowness;
    }

    /// When it was asked whether there is room.
    pub(crate) fn looks(&self) -> Vec<Instant> {
        self.platter().looks.clone()
    }

    /// When each opening anew ended.
    pub(crate) fn reopened(&self) -> Vec<Instant> {
        self.platter().reopened.clone()
    }

    /// Ends every failure.
    pub(crate) fn mend(&self) {
        let mut platter = self.platter();
        (platter.failure, platter.limit) = (None, None);
    }

    /// The disk as another process would find it: every write, synced or not.
    pub(crate) fn after_exit(&self) -> Self {
        Self::holding(self.platter().current.clone())
    }

    /// The disk after a power cut: what was synced, and of the writes since then
    /// those that `survives` says, by their order.
    pub(crate) fn after_power_cut(&self, survives: impl Fn(usize) -> bool) -> Self {
        let platter = self.platter();
        let mut image = platter.synced.clone();
        for (_, write) in platter.pending.iter().enumerate().filter(|(order, _)| survives(*order)) {
            write.apply(&mut image);
        }
        Self::holding(image)
    }

    /// The disk as it is now, with what was not synced.
    pub(crate) fn snapshot(&self) -> Self {
        let platter = self.platter();
        Self(Arc::new(Mutex::new(Platter {
            current: platter.current.clone(),
            synced: platter.synced.clone(),
            pending: platter.pending.clone(),
            ..Platter::default()
        })))
    }

    fn holding(image: Vec<u8>) -> Self {
        let platter = Platter { synced: image.clone(), current: image, ..Platter::default() };
        Self(Arc::new(Mutex::new(platter)))
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Platter {
    fn count_down(&mut self) -> io::Result<()> {
        match &mut self.failure {
            Some((0, kind)) => Err((*kind).into()),
            Some((left, _)) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn write(&mut self, write: Write) -> io::Result<()> {
        self.count_down()?;
        let end = match &write {
            Write::Bytes(offset, bytes) => offset + bytes.len() as u64,
            Write::Length(length) => *length,
        };
        if self.limit.is_some_and(|limit| end > limit) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        write.apply(&mut self.current);
        self.pending.push(write);
        Ok(())
    }
}

impl Write {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Length(length) => image.resize(index(*length), 0),
            Self::Bytes(offset, bytes) => {
                let end = index(*offset) + bytes.len();
                if image.len() < end {
                    image.resize(end, 0);
                }
                image[index(*offset)..end].copy_from_slice(bytes);
            }
        }
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("the disk of a test fits in memory")
}

impl Medium for Disk {
    fn reopen(&self) -> Result<Database, OpenFault> {
        let slowness = self.platter().slowness;
        thread::sleep(slowness);
        let opened = open::guarded(|| Ok(open::builder().create_with_backend(self.clone())?));
        self.platter().reopened.push(Instant::now());
        opened
    }

    fn has_room(&self) -> bool {
        let mut platter = self.platter();
        platter.looks.push(Instant::now());
        !platter.tells || (platter.failure.is_none() && platter.limit.is_none())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.platter().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let platter = self.platter();
        let start = index(offset);
        let found = platter.current.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.platter().write(Write::Length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.platter();
        platter.count_down()?;
        platter.pending.clear();
        platter.synced = platter.current.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.platter().write(Write::Bytes(offset, data.to_vec()))
    }
}
