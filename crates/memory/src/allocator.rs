//! An allocator that wipes what is freed.
//!
//! Protocol stacks copy: a plaintext that a caller asked for lies in the decoder,
//! in HTTP/2 frames and in TLS records before it leaves. None of those can be told
//! to wipe their buffers; the allocator under all of them can. Growing a vector
//! wipes the block it leaves behind, because `realloc` here is allocate, copy,
//! wipe, free.
//!
//! It does not reach memory that C code takes from `malloc`; AWS-LC wipes its own.

use std::alloc::{GlobalAlloc, Layout};

use mimalloc::MiMalloc;

/// mimalloc, wiping each block when it is freed.
pub struct WipingAllocator;

// SAFETY: every block comes from `MiMalloc` and goes back to it with the layout it
// was asked for; between the two only the block's own bytes are written.
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are MiMalloc's conditions.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are MiMalloc's conditions.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller owns `layout.size()` bytes at `block` until this
        // returns, and they may be uninitialised, so they are written and not read.
        unsafe {
            wipe(block, layout.size());
            MiMalloc.dealloc(block, layout);
        }
    }
}

/// Writes zeros that the optimiser may not leave out. `explicit_bzero` runs at the
/// speed of `memset`; this is on the path of every request.
///
/// # Safety
///
/// `block` must be valid for writes of `len` bytes.
unsafe fn wipe(block: *mut u8, len: usize) {
    // SAFETY: as the caller promises.
    unsafe { libc::explicit_bzero(block.cast(), len) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against an allocator that frees without wiping: the block is looked
    /// at after `dealloc` would have wiped it and before it is handed back.
    #[test]
    fn wiping_clears_every_byte() {
        let mut block = vec![0xA5_u8; 4096];
        // SAFETY: the vector owns 4096 initialised bytes.
        unsafe { wipe(block.as_mut_ptr(), 4096) };
        assert!(block.iter().all(|b| *b == 0));
    }
}
