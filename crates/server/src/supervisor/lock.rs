//! One service per data directory.

use std::{fs::File, path::Path};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::SupervisorError;

/// Held while the supervisor lives; the kernel lets go of it with the process,
/// however that ends. Not inherited by the processes it starts.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `data_dir`; [`SupervisorError::InUse`] if another has it.
    pub fn take(data_dir: &Path) -> Result<Self, SupervisorError> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(data_dir.join("supervisor.lock"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(Errno::WOULDBLOCK) => Err(SupervisorError::InUse(data_dir.to_owned())),
            Err(error) => Err(std::io::Error::from(error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against two services on one store, and against a lock that stays
    /// behind.
    #[test]
    fn the_lock_is_exclusive_and_ends_with_its_holder() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = Lock::take(dir.path()).expect("free");
        assert!(matches!(Lock::take(dir.path()), Err(SupervisorError::InUse(_))));
        drop(first);
        assert!(Lock::take(dir.path()).is_ok());
    }
}
