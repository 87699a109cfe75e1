//! Messages about keys, and what an update sets.
//!
//! A message that is read is written and read again as the same; an update sets what
//! its mask names and nothing else.

use keyreeve_grpc::fuzzing::{changes, wanted_key};
use keyreeve_proto::v1::{Key, UpdateKeyRequest};
use prost::Message;
use prost_types::{FieldMask, Timestamp};

use super::Target;

pub(super) const TARGET: Target = Target { name: "protobuf", max_len: 1024, seeds, run };

const FIELDS: [&str; 5] = ["enabled", "not_before_time", "expire_time", "operations", "tags"];

fn seeds() -> Vec<Vec<u8>> {
    let key = Key {
        name: "vaults/prod/keys/jwt".into(),
        key_type: "EC".into(),
        curve: "P-256".into(),
        operations: vec!["sign".into(), "verify".into()],
        enabled: Some(false),
        not_before_time: Some(Timestamp { seconds: 1_700_000_000, nanos: 5 }),
        tags: [("team".to_owned(), "a".to_owned())].into(),
        etag: "1".into(),
        ..Key::default()
    };
    let request = |key: &Key, paths: &[&str]| {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        UpdateKeyRequest { key: Some(key.clone()), update_mask: Some(FieldMask { paths }) }
            .encode_to_vec()
    };
    let sized = Key { key_type: "RSA".into(), size: 3072, curve: String::new(), ..key.clone() };
    vec![request(&key, &FIELDS), request(&key, &["enabled"]), request(&sized, &["tags", "*"])]
}

fn run(input: &[u8]) {
    let Ok(request) = UpdateKeyRequest::decode(input) else { return };
    let again = UpdateKeyRequest::decode(&request.encode_to_vec()[..]);
    assert_eq!(again.as_ref(), Ok(&request));
    let key = request.key.unwrap_or_default();
    let _ = wanted_key(&key);
    let mask = request.update_mask.as_ref();
    let Ok(set) = changes(&key, mask) else { return };
    let set = [
        set.enabled.is_some(),
        set.not_before.is_some(),
        set.expires.is_some(),
        set.operations.is_some(),
        set.tags.is_some(),
    ];
    let paths = mask.map_or(&[][..], |mask| &mask.paths);
    assert!(!paths.is_empty(), "an update without a mask");
    assert!(paths.iter().all(|path| FIELDS.contains(&path.as_str())), "{paths:?}");
    let named = FIELDS.map(|field| paths.iter().any(|path| path == field));
    assert_eq!(set, named, "{paths:?}");
}
