//! The journal: where records become durable before they are anywhere else.
//!
//! A segment is a file of fixed size, full of zeros when it is made, so that
//! appending to it changes data only and one sync of data is enough. It is named
//! after the first record it may hold. Each batch is one frame; frames are chained by
//! hash, so that none can be left out, and the first carries on from the root of the
//! tree (docs/formats.md, "Audit journal").
//!
//! A frame that is not whole and has nothing behind it was being written when the
//! machine stopped: nobody was told it is durable. One that is followed by a frame
//! is damage.

mod frame;
mod read;
mod segment;

pub(crate) use frame::{Frame, MAX_BATCH};
pub(crate) use read::{Damage, Journal, Tail, read};
pub(crate) use segment::Segment;
