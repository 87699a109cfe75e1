//! Traces: the `traceparent` header of W3C Trace Context.

use std::fmt;

/// Identifies the trace that a request is part of, 16 bytes, not all zero; with the
/// caller's span in it, and whether that is sampled.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId {
    id: [u8; 16],
    parent: [u8; 8],
    sampled: bool,
}

impl TraceId {
    /// Reads `traceparent` (W3C Trace Context, section 3.2): version, trace id, parent
    /// id and flags, in lower-case hex with dashes between. What is malformed is as
    /// good as absent. Of a later version the first four fields are read.
    pub fn from_traceparent(text: &str) -> Option<Self> {
        let fields = text.get(..55)?.as_bytes();
        let rest = text.get(55..)?;
        let dashes = [2, 35, 52].into_iter().all(|at| fields[at] == b'-');
        if !dashes {
            return None;
        }
        let version = hex(&fields[..2])?;
        let (trace, parent, flags) =
            (hex(&fields[3..35])?, hex(&fields[36..52])? as u64, hex(&fields[53..])?);
        let ends = match version {
            0xff => false,
            0 => rest.is_empty(),
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        (ends && trace != 0 && parent != 0).then(|| Self {
            id: trace.to_be_bytes(),
            parent: parent.to_be_bytes(),
            sampled: flags & 1 == 1,
        })
    }

    /// The bytes.
    pub const fn bytes(self) -> [u8; 16] {
        self.id
    }

    /// The caller's span: 8 bytes, not all zero.
    pub const fn parent(self) -> [u8; 8] {
        self.parent
    }

    /// Whether the caller's span is sampled.
    pub const fn is_sampled(self) -> bool {
        self.sampled
    }
}

/// Lower-case hex digits, at most 32.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.id))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    /// Guards against a trace that is lost, and one that is read from a broken header.
    #[test]
    fn a_well_formed_header_names_its_trace() {
        let read = |text: &str| TraceId::from_traceparent(text).map(|trace| trace.to_string());
        let good = format!("00-{TRACE}-b7ad6b7169203331-01");
        assert_eq!(read(&good).as_deref(), Some(TRACE));
        let later = format!("cc-{TRACE}-b7ad6b7169203331-01-what-comes");
        assert_eq!(read(&later).as_deref(), Some(TRACE));
        let zero = "0".repeat(32);
        for bad in [
            String::new(),
            good[..54].to_owned(),
            format!("{good}-x"),
            format!("{good}0"),
            good.replace("00-", "ff-"),
            good.replace(TRACE, &zero),
            good.replace("b7ad6b7169203331", &zero[..16]),
            good.to_ascii_uppercase(),
            good.replace('-', "_"),
            format!("cc-{TRACE}-b7ad6b7169203331-01.more"),
        ] {
            assert_eq!(read(&bad), None, "{bad}");
        }
    }

    /// Guards against a trace that is cut off from its caller's span, and one that is
    /// sampled though its caller's is not.
    #[test]
    fn the_callers_span_and_its_sampling_are_read() {
        let read =
            |flags| TraceId::from_traceparent(&format!("00-{TRACE}-b7ad6b7169203331-{flags}"));
        let sampled = read("01").expect("a trace");
        assert_eq!(sampled.parent(), 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
        assert!(sampled.is_sampled() && read("ff").is_some_and(TraceId::is_sampled));
        assert!(!read("00").expect("a trace").is_sampled());
    }

    proptest! {
        /// Guards against a header that brings the service down.
        #[test]
        fn no_header_panics(text in "(00|cc|ff)?-?[0-9a-f]{0,33}-[0-9a-f]{0,17}-\\PC{0,9}|\\PC{0,80}") {
            if let Some(trace) = TraceId::from_traceparent(&text) {
                prop_assert_eq!(&trace.to_string(), &text[3..35]);
            }
        }
    }
}
