//! What is private to this crate and parses what others send, for the fuzz targets
//! of `tests/fuzz`. Only there: nothing of it is part of the crate's interface.

use crate::{
    codec,
    frame::{RequestFrame, ResponseFrame},
};

/// A packet to a keyhost: since when its first call waits, and its frames.
pub fn split_head(packet: &[u8]) -> Option<(u64, &[u8])> {
    codec::split_head(packet)
}

/// Begins a packet to a keyhost in an empty buffer, as the front does.
pub fn begin(packet: &mut Vec<u8>, since_us: u64) {
    codec::begin(packet, since_us);
}

/// The bodies of frames, as a keyhost and the front take them apart.
pub fn bodies(packet: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    codec::bodies(packet)
}

/// A request, from the body of a frame.
pub fn request(body: &[u8]) -> Option<RequestFrame<'_>> {
    postcard::from_bytes(body).ok()
}

/// A response, from the body of a frame.
pub fn response(body: &[u8]) -> Option<ResponseFrame<'_>> {
    postcard::from_bytes(body).ok()
}

/// Appends a request to a packet, as the front does.
pub fn append_request(packet: &mut Vec<u8>, frame: &RequestFrame<'_>) {
    codec::append(packet, frame);
}

/// Appends a response to a packet, as a keyhost does.
pub fn append_response(packet: &mut Vec<u8>, frame: &ResponseFrame<'_>) {
    codec::append(packet, frame);
}
