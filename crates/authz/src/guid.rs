//! GUIDs: 128 bits, written 8-4-4-4-12 in lower-case hex, read in either case.

use std::fmt;

/// The text is not a GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadGuid;

pub(crate) fn parse(text: &str) -> Result<u128, BadGuid> {
    if text.len() != 36 {
        return Err(BadGuid);
    }
    text.bytes().enumerate().try_fold(0, |value, (i, byte)| {
        let digit = match byte {
            b'-' if matches!(i, 8 | 13 | 18 | 23) => return Ok(value),
            _ if matches!(i, 8 | 13 | 18 | 23) => return Err(BadGuid),
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return Err(BadGuid),
        };
        Ok(value << 4 | u128::from(digit))
    })
}

pub(crate) fn write(value: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let part = |shift: u32, mask: u128| value >> shift & mask;
    write!(
        f,
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        part(96, 0xffff_ffff),
        part(80, 0xffff),
        part(64, 0xffff),
        part(48, 0xffff),
        part(0, 0xffff_ffff_ffff)
    )
}

impl fmt::Display for BadGuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is a GUID: 32 hex digits as 8-4-4-4-12")
    }
}

impl std::error::Error for BadGuid {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::RoleId;

    proptest! {
        /// Guards against two ids that print alike, and a printed id that reads as
        /// another role.
        #[test]
        fn what_is_printed_reads_back(value: u128) {
            let id = RoleId::from_u128(value);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        }

        /// Guards against a parser that panics on a multi-byte character or reads
        /// digits and dashes where they do not belong.
        #[test]
        fn what_reads_is_in_the_one_form(text in "[0-9a-fA-F-]{36}|\\PC{0,40}") {
            if let Ok(id) = text.parse::<RoleId>() {
                prop_assert_eq!(id.to_string(), text.to_ascii_lowercase());
            }
        }
    }
}
