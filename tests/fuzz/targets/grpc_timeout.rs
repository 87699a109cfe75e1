//! `grpc-timeout`, against the rule as the gRPC specification writes it: one to eight
//! digits and one of `HMSmun`.

use keyreeve_grpc::fuzzing::timeout;
use tonic::metadata::{MetadataMap, MetadataValue};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "grpc_timeout",
    max_len: 16,
    seeds: || {
        ["5S", "250m", "99999999H", "1M", "7u", "0n"].map(|text| text.as_bytes().to_vec()).to_vec()
    },
    run,
};

fn run(input: &[u8]) {
    let Ok(value) = MetadataValue::try_from(input) else { return };
    let mut metadata = MetadataMap::new();
    metadata.insert("grpc-timeout", value);
    assert_eq!(timeout(&metadata).map(|found| found.as_nanos()), expected(input));
}

/// In nanoseconds.
fn expected(input: &[u8]) -> Option<u128> {
    let (unit, digits) = input.split_last()?;
    if !(1..=8).contains(&digits.len()) || digits.iter().any(|digit| !digit.is_ascii_digit()) {
        return None;
    }
    let second = 1_000_000_000;
    let nanoseconds = match unit {
        b'H' => 3600 * second,
        b'M' => 60 * second,
        b'S' => second,
        b'm' => 1_000_000,
        b'u' => 1000,
        b'n' => 1,
        _ => return None,
    };
    Some(digits.iter().fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0')) * nanoseconds)
}
