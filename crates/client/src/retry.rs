//! When a call is repeated, and how long to wait first.
//!
//! Only `UNAVAILABLE` is worth repeating, only calls that change nothing may be,
//! and never past the caller's deadline. What waits for a person is not repeated.
//! The service knows best when it is back: a `google.rpc.RetryInfo` sets the least
//! wait. Without one, as when nothing listens at all, a few attempts are enough to
//! bridge a restart and to fail soon otherwise.

use std::{error::Error as _, time::Duration};

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::error::NOT_CURED;

/// Attempts without a hint from the service.
const ATTEMPTS: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How long to wait before attempt number `done + 1`, or `None` to give up.
/// `jitter` is 0 to 255: it spreads callers who failed together.
pub(crate) fn wait_before_next(
    status: &Status,
    done: u32,
    remaining: Duration,
    jitter: u8,
) -> Option<Duration> {
    // A connection lost in the middle of a call comes as UNKNOWN with a cause.
    let lost = status.code() == Code::Unknown && status.source().is_some();
    if status.code() != Code::Unavailable && !lost {
        return None;
    }
    let reason = status.get_details_error_info().map(|info| info.reason);
    if reason.is_some_and(|reason| NOT_CURED.contains(&reason.as_str())) {
        return None;
    }
    let hint = status.get_details_retry_info().and_then(|info| info.retry_delay);
    if hint.is_none() && done >= ATTEMPTS {
        return None;
    }
    let doubled = FIRST_WAIT.saturating_mul(1 << done.saturating_sub(1).min(10)).min(LONGEST_WAIT);
    let spread = doubled.mul_f64(0.5 + f64::from(jitter) / 512.0);
    let wait = match hint {
        Some(hint) => hint.saturating_add(spread / 4),
        None => spread,
    };
    (wait < remaining).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tonic_types::ErrorDetails;

    fn unavailable(hint: Option<Duration>) -> Status {
        Status::with_error_details(
            Code::Unavailable,
            "restarting",
            hint.map_or_else(ErrorDetails::new, |h| ErrorDetails::with_retry_info(Some(h))),
        )
    }

    /// Guards against callers who keep trying what only a person can mend.
    #[test]
    fn what_waits_for_a_person_is_not_repeated() {
        let details = ErrorDetails::with_error_info("OPERATOR_NEEDED", "keyreeve", []);
        let status = Status::with_error_details(Code::Unavailable, "m", details);
        assert_eq!(wait_before_next(&status, 1, Duration::from_secs(60), 0), None);
    }

    /// Guards against repeating what the service refused or may have done.
    #[test]
    fn only_unavailable_is_repeated() {
        for code in (0..17).map(Code::from).filter(|c| *c != Code::Unavailable) {
            let wait = wait_before_next(&Status::new(code, ""), 1, Duration::MAX, 0);
            assert_eq!(wait, None, "{code:?}");
        }
    }

    /// Guards against a service that is restarted in the middle of a call being noticed
    /// by callers who could simply ask again.
    #[test]
    fn a_lost_connection_is_repeated() {
        let cause = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let status = Status::from_error(Box::new(cause));
        assert!(wait_before_next(&status, 1, Duration::MAX, 0).is_some(), "{status:?}");
    }

    /// Guards against a command that hangs until its deadline because of a typing
    /// error in the address.
    #[test]
    fn without_a_hint_it_gives_up_soon() {
        let status = unavailable(None);
        let waits: Vec<_> =
            (1..).map_while(|n| wait_before_next(&status, n, Duration::MAX, 255)).collect();
        assert_eq!(waits.len(), 4);
        assert!(waits.iter().sum::<Duration>() < Duration::from_secs(1), "{waits:?}");
    }

    proptest! {
        /// Guards against hammering a service sooner than it asked, and against
        /// sleeping past the caller's deadline.
        #[test]
        fn the_hint_and_the_deadline_are_honoured(
            hint_ms in 0_u64..10_000,
            remaining_ms in 0_u64..10_000,
            done in 1_u32..1_000,
            jitter: u8,
        ) {
            let hint = Duration::from_millis(hint_ms);
            let remaining = Duration::from_millis(remaining_ms);
            match wait_before_next(&unavailable(Some(hint)), done, remaining, jitter) {
                Some(wait) => prop_assert!(hint <= wait && wait < remaining),
                None => prop_assert!(remaining < hint + LONGEST_WAIT),
            }
        }
    }
}
