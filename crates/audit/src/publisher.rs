//! The publisher: one thread that turns durable records into tiles and checkpoints.
//!
//! Nobody waits for it. Tiles are written first, then the checkpoint is signed, then
//! it is put in place; then, and not before, journal segments under it are removed.
//! If the signer cannot be reached, tiles and the journal grow and signing is tried
//! again; if the file system fails, the log stops.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use keyreeve_tlog as tlog;
use tokio::sync::oneshot;

use crate::atomic::AtomicFiles;
use crate::journal::Segment;
use crate::tile::{self, TILE_WIDTH, TileId};
use crate::{
    Checkpoint, CheckpointError, CheckpointSigner, Files, Hash, ReadError, Settings, SigningError,
    SigningRequest, layout, state::State, tiles::Tiles, tray::Tray, tree::Tree,
};

/// What the writer tells the publisher, in order.
pub(crate) enum Work {
    /// Durable records lie in the tray.
    Records,
    /// A segment begins at this index.
    Segment(u64),
    /// Somebody waits for a checkpoint over all that came before.
    Checkpoint(oneshot::Sender<Result<Checkpoint, CheckpointError>>),
}

pub(crate) struct Publisher {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) directory: PathBuf,
    pub(crate) signer: Arc<dyn CheckpointSigner>,
    pub(crate) settings: Settings,
    pub(crate) state: Arc<State>,
    pub(crate) atomic: AtomicFiles,
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The same, as it is in the directory.
    pub(crate) note: String,
    pub(crate) tree: Tree,
    /// The entry bundle that is not full.
    pub(crate) bundle: Vec<u8>,
    /// Full tiles and bundles that are not written yet.
    pub(crate) full: Vec<(TileId, Vec<u8>)>,
    /// Where the journal's segments begin.
    pub(crate) segments: VecDeque<u64>,
    pub(crate) spares_made: u64,
    pub(crate) tray: Arc<Tray>,
}

/// How long durable records may lie in the tray.
const LULL: Duration = Duration::from_millis(10);

impl Publisher {
    /// Runs until the writer ends, then leaves everything under one last checkpoint.
    pub(crate) fn run(mut self, work: &Receiver<Work>, spares: SyncSender<Segment>) {
        if let Err(error) = self.serve(work, &spares) {
            self.state.stop("writing tiles and checkpoints", error.kind());
        }
    }

    fn serve(&mut self, work: &Receiver<Work>, spares: &SyncSender<Segment>) -> io::Result<()> {
        let mut spare = None;
        // When to empty the tray, and when to sign a checkpoint.
        let (mut lull, mut due): (Option<Instant>, Option<Instant>) = (None, None);
        loop {
            self.offer(&mut spare, spares)?;
            let next = match lull.into_iter().chain(due).min() {
                None => work.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(next) => work.recv_timeout(next.saturating_duration_since(Instant::now())),
            };
            match next {
                Ok(Work::Records) => {
                    let now = Instant::now();
                    lull.get_or_insert(now + LULL);
                    due.get_or_insert(now + self.settings.checkpoint_interval);
                }
                Ok(Work::Segment(start)) => self.segments.push_back(start),
                Ok(Work::Checkpoint(reply)) => {
                    self.empty_tray();
                    let published = self.publish()?;
                    let _ = reply.send(published.map_err(CheckpointError::Signing));
                    due = self.retry();
                }
                Err(RecvTimeoutError::Timeout) => {
                    lull = None;
                    self.empty_tray();
                    if due.is_some_and(|due| due <= Instant::now()) {
                        let _ = self.publish()?;
                        due = self.retry();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let signed = self.checkpoint.as_ref().map_or(0, |last| last.size);
            // After a failed attempt to sign only the clock asks again.
            let asked = self.state.health().signing.is_none();
            if asked && self.tree.size() - signed >= self.settings.checkpoint_records {
                let _ = self.publish()?;
                due = self.retry();
            }
        }
        self.empty_tray();
        if self.state.stopped().is_none() && self.publish()?.is_ok() {
            self.clear_journal()?;
        }
        Ok(())
    }

    fn empty_tray(&mut self) {
        for sheaf in self.tray.take() {
            for (entry, leaf) in sheaf.entries() {
                self.take(entry, leaf);
            }
        }
    }

    /// When to try again: only if records are left without a signature.
    fn retry(&self) -> Option<Instant> {
        let signed = self.checkpoint.as_ref().map_or(0, |last| last.size);
        (self.tree.size() > signed).then(|| Instant::now() + self.settings.checkpoint_interval)
    }

    /// Keeps a segment ready for the writer.
    fn offer(
        &mut self,
        spare: &mut Option<Segment>,
        spares: &SyncSender<Segment>,
    ) -> io::Result<()> {
        let segment = match spare.take() {
            Some(segment) => segment,
            None => {
                self.spares_made += 1;
                let path = layout::spare(&self.directory, self.spares_made);
                Segment::create(&*self.files, &path, self.settings.segment_bytes)?
            }
        };
        if let Err(TrySendError::Full(segment)) = spares.try_send(segment) {
            *spare = Some(segment);
        }
        Ok(())
    }

    /// Adds a record, behind its length, to the tree in memory.
    pub(crate) fn take(&mut self, entry: &[u8], leaf: Hash) {
        self.bundle.extend_from_slice(entry);
        let index = self.tree.size() / TILE_WIDTH as u64;
        if self.tree.size() % TILE_WIDTH as u64 == TILE_WIDTH as u64 - 1 {
            let bytes = std::mem::take(&mut self.bundle);
            self.full.push((TileId::full(None, index), bytes));
        }
        let full = &mut self.full;
        self.tree.push(leaf, |filled| {
            let id = TileId::full(Some(filled.level), filled.index);
            full.push((id, tile::to_bytes(&filled.hashes)));
        });
    }

    /// Writes tiles, signs, writes the checkpoint. The inner error is the signer's.
    pub(crate) fn publish(&mut self) -> io::Result<Result<Checkpoint, SigningError>> {
        let next = Checkpoint {
            origin: self.signer.key().name().to_owned(),
            size: self.tree.size(),
            root: self.tree.root(),
        };
        if self.checkpoint.as_ref() == Some(&next) {
            return Ok(Ok(next));
        }
        let full = std::mem::take(&mut self.full);
        self.write_tiles(&full)?;
        let note = match self.sign(&next)? {
            Ok(note) => note,
            Err(error) => {
                self.state.set_signing(Some(error));
                return Ok(Err(error));
            }
        };
        let file = (layout::CHECKPOINT.into(), note.as_bytes().to_vec());
        self.atomic.write(&*self.files, &[file])?;
        self.note = note;
        self.checkpoint = Some(next.clone());
        self.state.set_signed(next.size);
        self.drop_segments(next.size)?;
        for (id, _) in full {
            self.drop_partials(id)?;
        }
        Ok(Ok(next))
    }

    fn write_tiles(&mut self, full: &[(TileId, Vec<u8>)]) -> io::Result<()> {
        let mut group: Vec<_> = full.iter().map(|(id, bytes)| (id.path(), bytes.clone())).collect();
        let size = self.tree.size();
        let width = (size % TILE_WIDTH as u64) as u16;
        if width > 0 {
            let id = TileId { level: None, index: size >> 8, width };
            group.push((id.path(), self.bundle.clone()));
        }
        let signed = self.checkpoint.as_ref().map_or(0, |last| last.size);
        for level in 0..self.tree.level_count() {
            let hashes = self.tree.partial(level);
            // Upper levels seldom change; what is there is not written again.
            let unchanged = level > 0 && size >> (8 * level) == signed >> (8 * level);
            if !hashes.is_empty() && !unchanged {
                let index = size >> (8 * (level + 1));
                let id = TileId { level: Some(level as u8), index, width: hashes.len() as u16 };
                group.push((id.path(), tile::to_bytes(hashes)));
            }
        }
        self.atomic.write(&*self.files, &group)
    }

    fn sign(&self, next: &Checkpoint) -> io::Result<Result<String, SigningError>> {
        let tiles = Tiles::new(&*self.files, &self.directory, next.size);
        let signed = match self.ask(&tiles, self.checkpoint.as_ref(), &self.note, next)? {
            // A checkpoint that was signed and did not get into the directory, as when
            // the disk was full: everything under it was durable, and is here.
            Err(SigningError::Later(size)) if size <= next.size => {
                let root = tlog::root(&tiles, 0, size).map_err(into_io)?;
                let later = Checkpoint { origin: next.origin.clone(), size, root };
                self.ask(&tiles, Some(&later), "", next)?
            }
            answer => answer,
        };
        Ok(signed.map(|signature| self.signer.key().seal(&next.text(), &signature)))
    }

    /// Asks the signer to go on from `previous`.
    fn ask(
        &self,
        tiles: &Tiles<'_>,
        previous: Option<&Checkpoint>,
        note: &str,
        next: &Checkpoint,
    ) -> io::Result<Result<[u8; 64], SigningError>> {
        let consistency = match previous {
            Some(last) => tlog::consistency(tiles, last.size, next.size).map_err(into_io)?,
            None => Vec::new(),
        };
        let request = SigningRequest { previous, note, next, consistency: &consistency };
        Ok(self.signer.sign(&request))
    }

    /// Removes segments all of whose records are under the checkpoint.
    fn drop_segments(&mut self, signed: u64) -> io::Result<()> {
        while self.segments.get(1).is_some_and(|next| *next <= signed) {
            if let Some(start) = self.segments.pop_front() {
                self.files.remove(&layout::segment(&self.directory, start))?;
            }
        }
        Ok(())
    }

    /// Removes the partial forms of a tile that is full and durable.
    fn drop_partials(&mut self, id: TileId) -> io::Result<()> {
        let directory = self.directory.join(id.partials());
        let listed = self.files.list(&directory)?;
        if listed.is_empty() {
            return Ok(());
        }
        for partial in listed {
            self.files.remove(&directory.join(partial.name))?;
        }
        self.files.remove_directory(&directory)?;
        self.atomic.forget(&directory);
        Ok(())
    }

    /// Removes the whole journal, all of which is under the checkpoint.
    pub(crate) fn clear_journal(&mut self) -> io::Result<()> {
        clear(&*self.files, &layout::journal(&self.directory))?;
        self.segments.clear();
        Ok(())
    }
}

fn clear(files: &dyn Files, directory: &Path) -> io::Result<()> {
    for listed in files.list(directory)? {
        files.remove(&directory.join(listed.name))?;
    }
    files.sync_directory(directory)
}

fn into_io(error: ReadError) -> io::Error {
    match error {
        ReadError::Io { error, .. } => error,
        _ => io::ErrorKind::InvalidData.into(),
    }
}
