//! base64url as RFC 7515 section 2 has it: no padding, no white space, and no bits
//! beyond the last byte, so that one value has one text.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
