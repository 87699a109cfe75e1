//! Opening the store file, and making it when there is none.
//!
//! A new store is made under another name, synced, and renamed into place: a file
//! under the store's name is a whole store or a damaged one, never one that is
//! still being made. So an empty file is refused, not filled.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use keyreeve_store::Revision;
use redb::{Builder, Database, ReadableDatabase};

use crate::OpenFault;
use crate::panics::caught;
use crate::table::{ENTRIES, FORMAT, META, META_FORMAT, META_REVISION};

/// Pages that redb keeps. Readers hold the entries themselves in memory, so this
/// need only hold the upper levels of the tree and what one commit touches.
const CACHE_BYTES: usize = 128 * 1024 * 1024;

/// The database at `path`, made if there is none. The caller holds the lock.
pub(crate) fn open_or_create(path: &Path) -> Result<Database, OpenFault> {
    if !path.try_exists()? {
        create(path)?;
    }
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    if file.metadata()?.len() == 0 {
        return Err(OpenFault::Corrupt("the file is empty".into()));
    }
    file.set_permissions(Permissions::from_mode(0o600))?;
    guarded(|| Ok(builder().create_file(file)?))
}

/// How every store is opened.
pub(crate) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Writes the tables of an empty store.
pub(crate) fn initialise(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut meta = transaction.open_table(META)?;
        meta.insert(META_FORMAT, FORMAT)?;
        meta.insert(META_REVISION, Revision::ZERO.0)?;
        transaction.open_table(ENTRIES)?;
    }
    Ok(transaction.commit()?)
}

/// Checks that this is a store of a known format, and returns its revision.
pub(crate) fn revision(database: &Database) -> Result<Revision, OpenFault> {
    let (format, revision) = guarded(|| {
        let transaction = database.begin_read()?;
        transaction.open_table(ENTRIES)?;
        let meta = transaction.open_table(META)?;
        let format = meta.get(META_FORMAT)?.map(|found| found.value());
        let revision = meta.get(META_REVISION)?.map(|found| found.value());
        Ok((format, revision))
    })?;
    match (format, revision) {
        (Some(FORMAT), Some(revision)) => Ok(Revision(revision)),
        (Some(format), _) if format != FORMAT => Err(OpenFault::UnknownFormat(format)),
        _ => Err(OpenFault::Corrupt("the file does not say its format and revision".into())),
    }
}

/// Runs what reads the file for the first time. redb checks most of what it reads
/// and panics on some of the rest; both are damage.
pub(crate) fn guarded<T>(read: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, OpenFault> {
    match caught(read) {
        Some(result) => Ok(result?),
        None => Err(OpenFault::Corrupt("reading it failed an internal check".into())),
    }
}

/// The path with `suffix` added to the file's name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn create(path: &Path) -> Result<(), OpenFault> {
    let unfinished = beside(path, ".new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let file =
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&unfinished)?;
    let synced = file.try_clone()?;
    guarded(|| initialise(&builder().create_file(file)?))?;
    synced.sync_all()?;
    fs::rename(&unfinished, path)?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    Ok(File::open(directory)?.sync_all()?)
}
