//! What a keyhost's errors mean to a caller.

use std::time::Duration;

use keyreeve_backend::Error as BackendError;
use keyreeve_keyhost::CallError;
use keyreeve_types::KeyState;

use super::{Error, Kind};

/// When to try again after a device has failed: its keyhost opens a new session
/// or is started anew, which takes about that long.
const DEVICE_RETRY: Duration = Duration::from_secs(1);

/// When to try again after the record a call went by had changed.
const STALE_RETRY: Duration = Duration::from_millis(50);

impl Error {
    /// Translates what `backend` answered to an operation that makes something
    /// (signs, encrypts, wraps, generates). `field` is where the request carries
    /// the input a backend can find fault with.
    pub(crate) fn from_call(error: CallError, backend: &str, field: &'static str) -> Self {
        match error {
            CallError::Backend(error) => Self::from_backend(error, backend, field),
            CallError::NotAllowed(state) => Self::from_state(state),
            CallError::WrongAlgorithm => Self::internal(
                "KEYHOST_REFUSED",
                format!("{backend}: an algorithm passed here and not there"),
            ),
            CallError::PolicyWidens => Self::precondition(
                "OPERATIONS_NOT_ALLOWED",
                "the operations of a key can only be fewer than it was made with",
            ),
            CallError::StaleRecord => {
                let mut error = Self::new(
                    Kind::Unavailable { retry_after: Some(STALE_RETRY) },
                    "RECORD_CHANGED",
                    "the key is being changed; try again",
                );
                error.0.stale = true;
                error
            }
            CallError::WrongRecipient => Self::precondition(
                "IMPORT_RECIPIENT_CHANGED",
                "the key is sealed to a recipient that is no longer current; call \
                 GetImportRecipient and seal it again",
            ),
            CallError::Unavailable { retry_after } => Self::keyhost_down(backend, retry_after),
            CallError::TooFewReplicas { have, need } => Self::new(
                Kind::Unavailable { retry_after: Some(DEVICE_RETRY) },
                "TOO_FEW_REPLICAS",
                format!(
                    "{have} of the slots of backend {backend} can use the new key, and {need} \
                     must; it was not made. Try again when more of them serve"
                ),
            ),
            CallError::Overloaded { retry_after } => Self::new(
                Kind::ResourceExhausted { retry_after: Some(retry_after) },
                "KEYHOST_OVERLOADED",
                format!("too many operations wait for backend {backend}; try again"),
            ),
            CallError::DeadlineExceeded => Self::deadline_exceeded(),
            CallError::TooLarge => {
                Self::invalid(field, "the request is larger than the service takes")
            }
            CallError::Protocol => Self::internal(
                "KEYHOST_PROTOCOL",
                format!("{backend}: front and keyhost do not understand each other"),
            ),
        }
    }

    /// Translates what `backend` answered to an operation that opens something
    /// (decrypts, unwraps): whatever the backend finds wrong with the input is the
    /// one failure without a reason.
    pub(crate) fn from_opening_call(error: CallError, backend: &str) -> Self {
        match error {
            CallError::Backend(BackendError::InvalidInput(_) | BackendError::CryptoFailed) => {
                Self::decryption_failed()
            }
            other => Self::from_call(other, backend, "ciphertext"),
        }
    }

    /// The key's policy does not allow the operation now.
    pub(crate) fn from_state(state: KeyState) -> Self {
        let (reason, message) = match state {
            KeyState::Disabled => ("KEY_DISABLED", "the key version is disabled; enable it first"),
            KeyState::NotYetValid => {
                ("KEY_NOT_YET_VALID", "the key version is not valid yet: see its not_before_time")
            }
            KeyState::Expired => {
                ("KEY_EXPIRED", "the key version has expired; rotate the key for a new one")
            }
            KeyState::OperationNotAllowed => {
                ("OPERATION_NOT_ALLOWED", "the operation is not among the key's operations")
            }
        };
        Self::precondition(reason, message)
    }

    /// There is no keyhost for `backend` now.
    pub(crate) fn keyhost_down(backend: &str, retry_after: Duration) -> Self {
        Self::new(
            Kind::Unavailable { retry_after: Some(retry_after) },
            "KEYHOST_RESTARTING",
            format!("backend {backend} is being started; try again"),
        )
    }

    fn from_backend(error: BackendError, backend: &str, field: &'static str) -> Self {
        let unwell = |retry_after, reason, message: String| {
            Self::new(Kind::Unavailable { retry_after }, reason, message)
        };
        let log = format!("{backend}: {error}");
        match error {
            BackendError::InvalidInput(why) => Self::invalid(field, why.to_string()),
            BackendError::Unsupported => Self::precondition(
                "ALGORITHM_NOT_SUPPORTED_BY_BACKEND",
                format!("backend {backend} does not support this with this key"),
            ),
            BackendError::CryptoFailed => Self::decryption_failed(),
            BackendError::KeyMissing => unwell(
                Some(DEVICE_RETRY),
                "DEVICE_FAILED",
                format!("backend {backend} does not show the key now; its record is intact"),
            )
            .with_log(log),
            BackendError::SessionFailed(_) | BackendError::DeviceFailed(_) => unwell(
                Some(DEVICE_RETRY),
                "DEVICE_FAILED",
                format!("backend {backend} failed; try again"),
            )
            .with_log(log),
            BackendError::NeedsOperator(_) => unwell(
                None,
                "OPERATOR_NEEDED",
                format!(
                    "backend {backend} needs an operator, as after a refused login; trying again \
                     does not help"
                ),
            )
            .with_log(log),
            BackendError::CorruptKey => Self::internal("CORRUPT_KEY", log),
            BackendError::FaultyResult => unwell(
                Some(DEVICE_RETRY),
                "FAULTY_RESULT",
                format!("a result of backend {backend} was wrong and was withheld; try again"),
            )
            .with_log(log),
        }
    }
}

#[cfg(test)]
mod tests {
    use keyreeve_backend::InvalidInput;

    use super::*;

    /// Guards against an oracle: a ciphertext of the wrong length that fails in
    /// another way than one with a wrong tag.
    #[test]
    fn every_failed_opening_looks_the_same() {
        let inputs = [
            BackendError::CryptoFailed,
            InvalidInput::IvOrTagLength.into(),
            InvalidInput::NotWholeBlocks.into(),
            InvalidInput::TooLong.into(),
            InvalidInput::Empty.into(),
        ];
        for input in inputs {
            let error = Error::from_opening_call(CallError::Backend(input), "software");
            assert_eq!(error.kind(), Kind::DecryptionFailed);
            assert_eq!(error.caller_message(), "decryption failed");
            assert_eq!(error.log_message(), None);
        }
    }

    /// Guards against "not found" for a key that a device does not show, and
    /// against a PIN that is tried again because a caller was told to.
    #[test]
    fn a_fault_of_the_device_is_unavailable() {
        let of = |e| Error::from_call(CallError::Backend(e), "slot-a", "digest");
        let missing = of(BackendError::KeyMissing);
        assert_eq!(missing.kind(), Kind::Unavailable { retry_after: Some(DEVICE_RETRY) });
        let pin = of(BackendError::NeedsOperator("C_Login: CKR_PIN_INCORRECT".to_owned()));
        assert_eq!(pin.kind(), Kind::Unavailable { retry_after: None });
        assert!(!pin.caller_message().contains("CKR"));
        assert!(pin.log_message().is_some_and(|log| log.contains("CKR_PIN_INCORRECT")));
    }
}
