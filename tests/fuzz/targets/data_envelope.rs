//! The envelope that applications keep: `Envelope` of the client.
//!
//! One plaintext has one envelope for its key and salt: whatever opens is, sealed
//! again with the salt it has, the same to the last byte.

use keyreeve_client::fuzzing::{open_envelope, seal_envelope};

use super::Target;

pub(super) const TARGET: Target = Target { name: "data_envelope", max_len: 1024, seeds, run };

const DATA_KEY: [u8; 32] = [0x42; 32];
const AAD: &[u8] = b"customer 42";
/// "KRE", the version and the length of the wrapped key.
const PREFIX: usize = 6;

fn seeds() -> Vec<Vec<u8>> {
    let contents: [(&[u8], &[u8]); 3] = [(b"w", b""), (b"wrapped", b"text"), (&[9; 200], &[8; 99])];
    let seal = |(wrapped, plaintext)| {
        seal_envelope(&DATA_KEY, wrapped, &[0x17; 32], plaintext, AAD).expect("it seals")
    };
    contents.into_iter().map(seal).collect()
}

fn run(input: &[u8]) {
    assert_eq!(open_envelope(&[0; 32], AAD, input), None, "it opens under another key");
    assert_eq!(open_envelope(&DATA_KEY, b"customer 43", input), None, "the context counts");
    let Some(plaintext) = open_envelope(&DATA_KEY, AAD, input) else { return };
    let wrapped_len = usize::from(u16::from_be_bytes([input[4], input[5]]));
    let (wrapped, rest) = input[PREFIX..].split_at(wrapped_len);
    let salt = rest.first_chunk().expect("it opened");
    let again = seal_envelope(&DATA_KEY, wrapped, salt, &plaintext, AAD);
    assert_eq!(again.as_deref(), Some(input), "a second form of one envelope");
}
