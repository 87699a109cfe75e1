//! Times, in whole seconds.

use keyreeve_types::UnixTime;
use prost_types::Timestamp;

/// As the interface has it.
pub(crate) fn to_proto(time: UnixTime) -> Timestamp {
    Timestamp { seconds: time.0, nanos: 0 }
}

/// As the service has it; a fraction of a second is dropped.
pub(crate) fn from_proto(time: Timestamp) -> UnixTime {
    UnixTime(time.seconds)
}
