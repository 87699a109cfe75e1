//! A mapping that holds long-lived keys: root key, vault keys.
//!
//! `memfd_secret(2)` pages are taken out of the kernel's own map: not readable
//! through `/proc/PID/mem` even by root, not in core files, never swapped. Where
//! the kernel lacks it (before 5.14, or not enabled), anonymous pages are locked,
//! excluded from dumps and wiped in a forked child, and [`KeyVault::holding`] says
//! so, so that it can be reported and not assumed.
//!
//! Keys are handed to a closure by reference; the copies that cryptographic code
//! makes of them while it works are out of its reach.

use std::{
    io, ptr,
    sync::{Arc, Mutex, PoisonError},
};

use zeroize::Zeroize;

/// Bytes in one slot: the size of every root, vault and data key.
const SLOT: usize = 32;

/// Slots in one vault: 2048 keys in 64 KiB, within the usual 8 MiB that a process
/// may lock.
const SLOTS: usize = 2048;

/// How the kernel keeps a [`KeyVault`]'s pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// `memfd_secret`: unreadable for everyone but this process.
    SecretMemory,
    /// Locked, excluded from dumps, wiped on fork.
    Locked,
    /// Excluded from dumps and wiped on fork, but it may be swapped: the process
    /// may not lock memory.
    Unlocked,
}

/// A mapping of slots for 32-byte keys. Cheap to clone.
#[derive(Clone)]
pub struct KeyVault(Arc<Mapping>);

struct Mapping {
    base: *mut u8,
    holding: Holding,
    /// Slots that are free.
    free: Mutex<Vec<u16>>,
}

// SAFETY: the mapping lives until the last clone is dropped; a slot is written only
// by the `KeyBytes` that owns it, while it is made and while it is dropped, and the
// list of free slots is behind a mutex.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl KeyVault {
    /// Maps a new vault, in the best way this kernel has.
    pub fn new() -> io::Result<Self> {
        let (base, holding) = match map_secret() {
            Ok(base) => (base, Holding::SecretMemory),
            Err(_) => map_locked()?,
        };
        // Highest first, so that slots are given out from the start of the mapping.
        let free = (0..SLOTS as u16).rev().collect();
        Ok(Self(Arc::new(Mapping { base, holding, free: Mutex::new(free) })))
    }

    /// How the kernel keeps it.
    pub fn holding(&self) -> Holding {
        self.0.holding
    }

    /// Moves a key in and wipes where it came from. `None` if the vault is full.
    pub fn store(&self, key: &mut [u8; SLOT]) -> Option<KeyBytes> {
        let slot = self.0.free.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        let bytes = KeyBytes { vault: self.clone(), slot };
        // SAFETY: the slot was free, so nobody else refers to it, and it lies within
        // the mapping.
        unsafe { ptr::copy_nonoverlapping(key.as_ptr(), bytes.at(), SLOT) };
        key.zeroize();
        Some(bytes)
    }
}

/// A 32-byte key in a [`KeyVault`]; wiped when dropped.
pub struct KeyBytes {
    vault: KeyVault,
    slot: u16,
}

impl KeyBytes {
    /// Lends the key to `use_it`.
    pub fn with<R>(&self, use_it: impl FnOnce(&[u8; SLOT]) -> R) -> R {
        // SAFETY: the slot is ours until drop, was written when it was made, and is
        // not written while `self` is borrowed.
        use_it(unsafe { &*self.at().cast::<[u8; SLOT]>() })
    }

    fn at(&self) -> *mut u8 {
        // SAFETY: `slot` is below SLOTS, so the result is inside the mapping.
        unsafe { self.vault.0.base.add(usize::from(self.slot) * SLOT) }
    }
}

impl Drop for KeyBytes {
    fn drop(&mut self) {
        // SAFETY: the slot is ours and nobody can hold a reference to it any more.
        unsafe { &mut *self.at().cast::<[u8; SLOT]>() }.zeroize();
        self.vault.0.free.lock().unwrap_or_else(PoisonError::into_inner).push(self.slot);
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this is the mapping made in `new`, and no slot of it is in use: each
        // holds a clone of the vault.
        unsafe { libc::munmap(self.base.cast(), SLOT * SLOTS) };
    }
}

fn map_secret() -> io::Result<*mut u8> {
    // SAFETY: the call takes a flag word and returns a file descriptor or -1.
    let fd = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
    let fd = libc::c_int::try_from(fd).unwrap_or(-1);
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `fd` is ours and open; the mapping keeps the memory when it is closed.
    unsafe {
        let sized = libc::ftruncate(fd, (SLOT * SLOTS) as libc::off_t) == 0;
        let mapped =
            if sized { map(libc::MAP_SHARED, fd) } else { Err(io::Error::last_os_error()) };
        libc::close(fd);
        mapped
    }
}

fn map_locked() -> io::Result<(*mut u8, Holding)> {
    // SAFETY: an anonymous mapping needs no file; advice and locking are given for
    // exactly the mapping just made.
    unsafe {
        let base = map(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)?;
        libc::madvise(base.cast(), SLOT * SLOTS, libc::MADV_DONTDUMP);
        libc::madvise(base.cast(), SLOT * SLOTS, libc::MADV_WIPEONFORK);
        let locked = libc::mlock(base.cast(), SLOT * SLOTS) == 0;
        Ok((base, if locked { Holding::Locked } else { Holding::Unlocked }))
    }
}

/// # Safety
///
/// `fd` must be -1 for an anonymous mapping, or an open file of the vault's size.
unsafe fn map(flags: libc::c_int, fd: libc::c_int) -> io::Result<*mut u8> {
    // SAFETY: a new mapping at an address of the kernel's choice disturbs nothing.
    let base = unsafe {
        libc::mmap(ptr::null_mut(), SLOT * SLOTS, libc::PROT_READ | libc::PROT_WRITE, flags, fd, 0)
    };
    if base == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(base.cast()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a key left where it came from, and against two keys in one slot.
    #[test]
    fn a_stored_key_is_moved_and_kept_apart() {
        let vault = KeyVault::new().expect("memory");
        let (mut one, mut two) = ([1; 32], [2; 32]);
        let first = vault.store(&mut one).expect("room");
        let second = vault.store(&mut two).expect("room");
        assert_eq!((one, two), ([0; 32], [0; 32]));
        assert!(first.with(|key| *key == [1; 32]));
        assert!(second.with(|key| *key == [2; 32]));
    }

    /// Guards against a key that stays in its slot after it was dropped, and against
    /// a vault that fills up for good.
    #[test]
    fn a_dropped_key_is_wiped_and_its_slot_used_again() {
        let vault = KeyVault::new().expect("memory");
        let address = {
            let key = vault.store(&mut [7; 32]).expect("room");
            key.at()
        };
        // SAFETY: the vault, and so the mapping, is still alive.
        assert_eq!(unsafe { *address.cast::<[u8; 32]>() }, [0; 32]);
        let all: Vec<_> = (0..SLOTS).map_while(|_| vault.store(&mut [9; 32])).collect();
        assert_eq!(all.len(), SLOTS);
        assert!(vault.store(&mut [9; 32]).is_none());
    }

    /// Guards against secret memory that silently is ordinary memory: the kernel
    /// itself must refuse to read it for us.
    #[test]
    fn the_kernel_does_not_read_secret_memory() {
        let vault = KeyVault::new().expect("memory");
        let key = vault.store(&mut [3; 32]).expect("room");
        let mut copy = [0_u8; 32];
        let memory = std::fs::File::open("/proc/self/mem").expect("procfs");
        let read = std::os::unix::fs::FileExt::read_at(&memory, &mut copy, key.at() as u64);
        assert_eq!(read.is_err(), vault.holding() == Holding::SecretMemory, "{read:?}");
    }
}
