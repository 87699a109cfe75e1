//! Keys of the store, as an engine reads them back.
//!
//! Bytes are a path only if the path gives the same bytes.

use keyreeve_store::Key;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "store_key",
    max_len: 128,
    seeds: || {
        let paths: [&[&[u8]]; 4] =
            [&[], &[b"vaults", b"prod"], &[b"keys", b"prod", b"jwt"], &[b"a\0b", b"", b"\xff/\\"]];
        paths.map(|path| Key::new(path).as_bytes().to_vec()).to_vec()
    },
    run: |input| {
        let key = Key::from_bytes(input.to_vec());
        let shown = key.to_string();
        assert!(shown.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{shown:?}");
        if let Some(segments) = key.segments() {
            assert_eq!(Key::new(segments), key);
        }
        if let Some(end) = key.prefix_end() {
            assert!(end.as_slice() > input && !end.starts_with(input));
        }
    },
};
