//! Page tokens: made here, and brought back by callers as they like.
//!
//! A position has one token.

use keyreeve_service::fuzzing::{page_after, page_token};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "page_token",
    max_len: 256,
    seeds: || ["jwt", "a-key", "0102"].map(|position| page_token(position).into_bytes()).to_vec(),
    run,
};

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match page_after(text) {
        Some(None) => assert_eq!(text, "", "the first page for a token"),
        Some(Some(position)) => assert_eq!(page_token(&position), text, "a second token"),
        None => {}
    }
    if !text.is_empty() {
        assert_eq!(page_after(&page_token(text)), Some(Some(text.to_owned())));
    }
}
