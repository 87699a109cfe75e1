//! Sealed files.
//!
//! One content has one sealed form for its key, salt and size of segments: whatever
//! opens is, sealed again with those, the same to the last byte.

use keyreeve_client::fuzzing::{open_file, seal_file};

use super::Target;

pub(super) const TARGET: Target = Target { name: "sealed_file", max_len: 1024, seeds, run };

const DATA_KEY: [u8; 32] = [0x42; 32];
/// "KRS", the version, the size of segments and the length of the wrapped key.
const PREFIX: usize = 7;

fn seeds() -> Vec<Vec<u8>> {
    // Around the ends of segments, which here are of 64 bytes.
    let seal = |length: usize| {
        seal_file(&DATA_KEY, b"wrapped", [0x17; 32], 6, &vec![5; length]).expect("it seals")
    };
    [0, 1, 63, 64, 65, 200].into_iter().map(seal).collect()
}

fn run(input: &[u8]) {
    // A larger segment than there is input only makes the reader fill more memory.
    if input.get(4).is_some_and(|bits| (17..=24).contains(bits)) {
        return;
    }
    assert_eq!(open_file(&[0; 32], input), None, "it opens under another key");
    let Some(plaintext) = open_file(&DATA_KEY, input) else { return };
    let wrapped_len = usize::from(u16::from_be_bytes([input[5], input[6]]));
    let (wrapped, rest) = input[PREFIX..].split_at(wrapped_len);
    let salt = *rest.first_chunk().expect("it opened");
    let again = seal_file(&DATA_KEY, wrapped, salt, input[4], &plaintext);
    assert_eq!(again.as_deref(), Some(input), "a second form of one file");
}
