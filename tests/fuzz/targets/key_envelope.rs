//! The envelope of the keyhost: what stands in the store.
//!
//! Nobody who lacks the key can make one, so whatever opens was sealed by us: it is
//! one of the seeds. And what the input makes us seal opens as it was, and does not
//! after the change that the input asks for.

use keyreeve_keyhost::envelope::{OVERHEAD, open, seal};

use super::Target;

pub(super) const TARGET: Target = Target { name: "key_envelope", max_len: 512, seeds, run };

const KEY: [u8; 32] = [0x42; 32];
const AAD: &[u8] = b"installation, vault, key, version, policy";
const PLAINTEXTS: [&[u8]; 3] = [b"", b"a private key", &[7; 121]];

fn seeds() -> Vec<Vec<u8>> {
    PLAINTEXTS.iter().map(|plaintext| seal(&KEY, AAD, plaintext)).collect()
}

fn run(input: &[u8]) {
    if let Ok(opened) = open(&KEY, AAD, input) {
        assert!(PLAINTEXTS.contains(&&opened.expose()[..]), "a forged envelope opens");
        assert_eq!(input.len(), opened.expose().len() + OVERHEAD);
    }
    let [place_high, place_low, change, aad_len, rest @ ..] = input else { return };
    let (aad, plaintext) = rest.split_at(rest.len().min(usize::from(*aad_len)));
    let mut envelope = seal(&KEY, aad, plaintext);
    let opened = open(&KEY, aad, &envelope).map(|opened| opened.expose().clone());
    assert_eq!(opened.as_deref(), Ok(plaintext));
    let place = usize::from(u16::from_be_bytes([*place_high, *place_low])) % envelope.len();
    match change {
        0 => envelope.truncate(place),
        1 => envelope.insert(place, 0),
        change => envelope[place] ^= change,
    }
    assert!(open(&KEY, aad, &envelope).is_err(), "a changed envelope opens");
}
