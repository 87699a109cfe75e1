//! Points in time as people write them.

use std::{
    str::FromStr,
    time::{Duration, SystemTime},
};

use prost_types::Timestamp;

/// A time: `2027-01-31`, `2027-01-31T12:00:00Z`, or from now: `90d`, `12h`, `30m`,
/// `45s`. Whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

/// A time, or `none` to clear one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MomentOrNone(pub(crate) Option<Timestamp>);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = from_now(text).or_else(|| at(text));
        known.map(Self).ok_or_else(|| {
            "a time is written 2027-01-31, 2027-01-31T12:00:00Z, or from now as 90d, 12h, 30m"
                .to_owned()
        })
    }
}

impl FromStr for MomentOrNone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        text.parse().map(|Moment(time)| Self(Some(time)))
    }
}

fn from_now(text: &str) -> Option<Timestamp> {
    let unit = match text.as_bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        b'd' => 86_400,
        _ => return None,
    };
    let count: u64 = text[..text.len() - 1].parse().ok()?;
    let then = SystemTime::now().checked_add(Duration::from_secs(count.checked_mul(unit)?))?;
    whole_seconds(then.into())
}

fn at(text: &str) -> Option<Timestamp> {
    // The library takes shorter forms of a time than RFC 3339 has.
    let plausible = text.len() >= 10 && text.is_ascii() && text.as_bytes()[4] == b'-';
    whole_seconds(Timestamp::from_str(text).ok().filter(|_| plausible)?)
}

fn whole_seconds(time: Timestamp) -> Option<Timestamp> {
    // Year 9999: what JSON and the protocol can say.
    (0..=253_402_300_799).contains(&time.seconds).then_some(Timestamp { nanos: 0, ..time })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Guards against a date read as another day.
    #[test]
    fn dates_and_times_are_read_as_utc() {
        let seconds = |text: &str| text.parse::<Moment>().map(|m| m.0.seconds);
        assert_eq!(seconds("2027-01-31"), Ok(1_801_353_600));
        assert_eq!(seconds("2027-01-31T12:00:00Z"), Ok(1_801_396_800));
        assert_eq!(seconds("2027-01-31T12:00:00+01:00"), Ok(1_801_393_200));
        assert_eq!("none".parse(), Ok(MomentOrNone(None)));
        for text in ["", "d", "5", "-5d", "tomorrow", "1e3d", "99999999999999999999d", "é"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    /// Guards against a period of the wrong length.
    #[test]
    fn periods_count_from_now() {
        let now = Timestamp::from(SystemTime::now()).seconds;
        let then = "90d".parse::<Moment>().expect("a period").0.seconds;
        assert!((90 * 86_400..90 * 86_400 + 5).contains(&(then - now)), "{then} {now}");
    }

    proptest! {
        /// Guards against a parser that panics.
        #[test]
        fn parsing_anything_ends_well(text in "\\PC{0,40}") {
            if let Ok(Moment(time)) = text.parse::<Moment>() {
                prop_assert_eq!(time.nanos, 0);
            }
        }
    }
}
