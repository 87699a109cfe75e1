//! What a caller may say about a key version, and the rules for it.

use std::collections::BTreeMap;

use keyreeve_types::UnixTime;

use crate::{
    Error,
    settings::{MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAGS},
};

/// The attributes of a new key version.
#[derive(Debug, Clone)]
pub struct Attributes {
    /// Whether it may be used.
    pub enabled: bool,
    /// Not usable before.
    pub not_before: Option<UnixTime>,
    /// Makes nothing new from then on.
    pub expires: Option<UnixTime>,
    /// The caller's tags.
    pub tags: BTreeMap<String, String>,
}

impl Default for Attributes {
    fn default() -> Self {
        Self { enabled: true, not_before: None, expires: None, tags: BTreeMap::new() }
    }
}

impl Attributes {
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_times(self.not_before, self.expires)?;
        check_tags(&self.tags)
    }
}

/// A key must be valid at some time, and within what every client can write down:
/// the years 1 to 9999 (`google.protobuf.Timestamp`).
pub(crate) fn check_times(
    not_before: Option<UnixTime>,
    expires: Option<UnixTime>,
) -> Result<(), Error> {
    if not_before.is_some_and(|t| !is_writable(t)) {
        return Err(Error::invalid("key.not_before_time", "the time is out of range"));
    }
    if expires.is_some_and(|t| !is_writable(t)) {
        return Err(Error::invalid("key.expire_time", "the time is out of range"));
    }
    match (not_before, expires) {
        (Some(from), Some(until)) if from >= until => {
            Err(Error::invalid("key.expire_time", "expire_time must be after not_before_time"))
        }
        _ => Ok(()),
    }
}

/// Whether every client can write the time down.
pub(crate) fn is_writable(time: UnixTime) -> bool {
    const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
    YEARS.contains(&time.0)
}

pub(crate) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    let too_long = tags.iter().any(|(k, v)| k.len() > MAX_TAG_KEY || v.len() > MAX_TAG_VALUE);
    if tags.len() > MAX_TAGS || too_long || tags.contains_key("") {
        return Err(Error::invalid(
            "key.tags",
            format!(
                "at most {MAX_TAGS} tags, with names of 1 to {MAX_TAG_KEY} bytes and values of \
                 up to {MAX_TAG_VALUE}"
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a key that is valid at no time, which nobody would notice
    /// before it is needed.
    #[test]
    fn a_key_must_be_valid_at_some_time() {
        let at = |t| Some(UnixTime(t));
        assert!(check_times(at(1), at(2)).is_ok());
        assert!(check_times(at(2), at(2)).is_err());
        assert!(check_times(at(3), at(2)).is_err());
        assert!(check_times(None, at(i64::MAX)).is_err());
        assert!(check_times(at(i64::MIN), None).is_err());
    }

    /// Guards against tags that outgrow the record, at each limit.
    #[test]
    fn tags_are_bounded() {
        let tags = |n: usize, key: usize, value: usize| {
            (0..n).map(|i| (format!("{i:0>key$}"), "v".repeat(value))).collect()
        };
        assert!(check_tags(&tags(15, 512, 256)).is_ok());
        assert!(check_tags(&tags(16, 2, 1)).is_err());
        assert!(check_tags(&tags(1, 513, 1)).is_err());
        assert!(check_tags(&tags(1, 1, 257)).is_err());
    }
}
