//! The wire types of `proto/`, generated when the crate is built.
//!
//! `bytes` fields are [`bytes::Bytes`], so that decoding a request shares the
//! buffer it came in. Contents of `bytes` fields and of claims, headers and tokens
//! never appear in `Debug`: the build script writes those implementations.
//!
//! [`codec`] says how they travel.
//!
//! This crate refuses to hold logic. What a message means is decided where it is
//! served.

pub mod codec;

/// Version 1 of the interface: messages, and clients and servers of the services.
pub mod v1 {
    #![allow(
        missing_docs,
        unreachable_pub,
        unused_qualifications,
        clippy::all,
        clippy::allow_attributes_without_reason,
        reason = "generated; the comments are those of the .proto files"
    )]

    use crate::Length;

    tonic::include_proto!("keyreeve.v1");
    include!(concat!(env!("OUT_DIR"), "/debug.rs"));
}

include!(concat!(env!("OUT_DIR"), "/methods.rs"));

/// A serialised `google.protobuf.FileDescriptorSet` of `proto/` and what it imports:
/// for server reflection, and for the protobuf JSON form of messages.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Stands for a secret in `Debug`: its length in bytes, nothing more.
struct Length(usize);

impl std::fmt::Debug for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{} bytes>", self.0)
    }
}
