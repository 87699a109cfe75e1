//! Which attributes an update sets.

use keyreeve_proto::v1;
use keyreeve_service::{Error, keys::Changes};
use prost_types::FieldMask;

use crate::{key_message, timestamp};

/// Reads the fields of `key` that `mask` names.
pub(crate) fn changes(key: &v1::Key, mask: Option<&FieldMask>) -> Result<Changes, Error> {
    let paths = mask.map_or(&[][..], |mask| &mask.paths);
    if paths.is_empty() {
        return Err(Error::invalid(
            "update_mask",
            "name what to set: enabled, not_before_time, expire_time, operations, tags",
        ));
    }
    let mut changes = Changes::default();
    for path in paths {
        match path.as_str() {
            "enabled" => {
                changes.enabled = Some(key.enabled.ok_or_else(|| {
                    Error::invalid("key.enabled", "enabled is in the mask and has no value")
                })?);
            }
            "not_before_time" => {
                changes.not_before = Some(key.not_before_time.map(timestamp::from_proto));
            }
            "expire_time" => changes.expires = Some(key.expire_time.map(timestamp::from_proto)),
            "operations" => changes.operations = Some(key_message::operations(&key.operations)?),
            "tags" => changes.tags = Some(key.tags.clone().into_iter().collect()),
            _ => {
                return Err(Error::invalid(
                    "update_mask",
                    "only enabled, not_before_time, expire_time, operations and tags can change",
                ));
            }
        }
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    fn mask(paths: &[&str]) -> Option<FieldMask> {
        Some(FieldMask { paths: paths.iter().map(|&p| p.to_owned()).collect() })
    }

    /// Guards against an update that clears what it does not name.
    #[test]
    fn only_what_is_named_changes() {
        let key = v1::Key {
            enabled: Some(false),
            expire_time: Some(Timestamp { seconds: 9, nanos: 5 }),
            ..v1::Key::default()
        };
        let read = changes(&key, mask(&["enabled"]).as_ref()).expect("a mask");
        assert_eq!(read.enabled, Some(false));
        assert!(read.expires.is_none() && read.tags.is_none() && read.operations.is_none());
        let read = changes(&key, mask(&["not_before_time", "tags"]).as_ref()).expect("a mask");
        assert_eq!(read.not_before, Some(None), "in the mask and absent: cleared");
        assert_eq!(read.tags.map(|tags| tags.len()), Some(0));
    }

    /// Guards against a mask that is taken for "everything" or silently ignored.
    #[test]
    fn a_mask_that_makes_no_sense_is_refused() {
        let key = v1::Key::default();
        for paths in [&[][..], &["*"], &["key_type"], &["enabled"], &["Enabled"], &["tags.a"]] {
            assert!(changes(&key, mask(paths).as_ref()).is_err(), "{paths:?}");
        }
        assert!(changes(&key, None).is_err());
    }
}
