//! From PKCS#11 return values to the contract's errors, by who can mend it.
//!
//! The text always names the function and the return value: `C_Sign:
//! CKR_DEVICE_ERROR`. Some values mean one thing in one place and another
//! elsewhere (`CKR_GENERAL_ERROR` is a bad ciphertext in `C_Decrypt` and a dying
//! device in `C_GetTokenInfo`), so the operations that take a caller's ciphertext
//! have a judgement of their own, [`of_ciphertext`].

use cryptoki::error::{Error as Pkcs11Error, RvError};
use keyreeve_backend::{Error, InvalidInput};

use crate::profile::{DEVICE_ERROR, Quirks};

/// The class of an error that does not depend on a caller's ciphertext.
pub(crate) fn classify(error: &Pkcs11Error) -> Error {
    let text = describe(error);
    let Pkcs11Error::Pkcs11(value, _) = error else {
        return Error::DeviceFailed(text);
    };
    match value {
        // The token no longer knows the object behind a handle, or the handle is of
        // an earlier login. Who holds the key opens it anew.
        RvError::KeyHandleInvalid
        | RvError::ObjectHandleInvalid
        | RvError::UnwrappingKeyHandleInvalid
        | RvError::WrappingKeyHandleInvalid => {
            tracing::warn!(error = %text, "the token does not know a key handle");
            Error::KeyMissing
        }

        RvError::SessionHandleInvalid
        | RvError::SessionClosed
        | RvError::SessionCount
        | RvError::OperationActive
        | RvError::OperationNotInitialized
        | RvError::BufferTooSmall
        | RvError::FunctionCanceled
        | RvError::FunctionFailed
        | RvError::GeneralError => Error::SessionFailed(text),

        RvError::PinIncorrect
        | RvError::PinInvalid
        | RvError::PinLenRange
        | RvError::PinExpired
        | RvError::PinLocked
        | RvError::UserPinNotInitialized
        | RvError::UserAnotherAlreadyLoggedIn
        | RvError::TokenWriteProtected => Error::NeedsOperator(text),

        RvError::DataLenRange => InvalidInput::TooLong.into(),

        // A caller's data or this configuration: nothing that a fresh process would mend,
        // and nothing that speaks against the device.
        RvError::MechanismInvalid
        | RvError::MechanismParamInvalid
        | RvError::ArgumentsBad
        | RvError::AttributeReadOnly
        | RvError::AttributeSensitive
        | RvError::AttributeTypeInvalid
        | RvError::AttributeValueInvalid
        | RvError::TemplateIncomplete
        | RvError::TemplateInconsistent
        | RvError::DataInvalid
        | RvError::EncryptedDataInvalid
        | RvError::EncryptedDataLenRange
        | RvError::SignatureInvalid
        | RvError::SignatureLenRange
        | RvError::WrappedKeyInvalid
        | RvError::WrappedKeyLenRange
        | RvError::ActionProhibited
        | RvError::KeyNotWrappable
        | RvError::KeyUnextractable
        | RvError::FunctionNotSupported
        | RvError::CurveNotSupported
        | RvError::KeySizeRange
        | RvError::KeyTypeInconsistent
        | RvError::KeyFunctionNotPermitted
        | RvError::DomainParamsInvalid
        | RvError::WrappingKeySizeRange
        | RvError::WrappingKeyTypeInconsistent
        | RvError::UnwrappingKeySizeRange
        | RvError::UnwrappingKeyTypeInconsistent => {
            tracing::warn!(error = %text, "the token refuses what its mechanism list promised");
            Error::Unsupported
        }

        // Everything else, a vendor's own values among them, and above all what a
        // lost connection looks like: DEVICE_ERROR, DEVICE_REMOVED, TOKEN_NOT_PRESENT,
        // CRYPTOKI_NOT_INITIALIZED, USER_NOT_LOGGED_IN (only a fresh process logs in).
        _ => Error::DeviceFailed(text),
    }
}

/// The class of an error of a call that was given a caller's ciphertext.
///
/// Modules answer a bad tag or padding with whatever they like (SoftHSM 2.6 with
/// `CKR_GENERAL_ERROR`), so all that may stem from the ciphertext is one opaque
/// failure; only what certainly does not keeps its class. Whether the device is
/// unwell as well is for a health check to say, not for a caller's garbage. A profile may
/// say so of `CKR_DEVICE_ERROR`, where that is what its module answers.
pub(crate) fn of_ciphertext(error: &Pkcs11Error, quirks: &Quirks) -> Error {
    match error {
        Pkcs11Error::Pkcs11(RvError::DeviceError, _)
            if quirks.ciphertext_errors.iter().any(|value| value == DEVICE_ERROR) =>
        {
            Error::CryptoFailed
        }
        Pkcs11Error::Pkcs11(
            RvError::GeneralError
            | RvError::FunctionFailed
            | RvError::ArgumentsBad
            | RvError::DataInvalid
            | RvError::DataLenRange
            | RvError::EncryptedDataInvalid
            | RvError::EncryptedDataLenRange
            | RvError::SignatureInvalid
            | RvError::SignatureLenRange
            | RvError::WrappedKeyInvalid
            | RvError::WrappedKeyLenRange
            | RvError::KeySizeRange
            | RvError::AttributeValueInvalid
            | RvError::TemplateInconsistent,
            _,
        ) => Error::CryptoFailed,
        _ => classify(error),
    }
}

/// `C_SignInit: CKR_DEVICE_ERROR`, or what else went wrong in the binding.
pub(crate) fn describe(error: &Pkcs11Error) -> String {
    match error {
        Pkcs11Error::Pkcs11(RvError::VendorDefined(code) | RvError::UnknownErrorCode(code), f) => {
            format!("C_{f:?}: CKR {code:#x}")
        }
        Pkcs11Error::Pkcs11(value, function) => format!("C_{function:?}: {}", ckr_name(*value)),
        other => format!("PKCS#11 binding: {other}"),
    }
}

/// The name in the standard: `GeneralError` is `CKR_GENERAL_ERROR`.
fn ckr_name(value: RvError) -> String {
    let mut name = String::from("CKR");
    for c in format!("{value:?}").chars() {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    /// Guards against a log line that names neither the call nor the return value.
    #[test]
    fn an_error_names_its_function_and_return_value() {
        let error = Pkcs11Error::Pkcs11(RvError::DeviceError, Function::SignInit);
        assert_eq!(
            classify(&error),
            Error::DeviceFailed("C_SignInit: CKR_DEVICE_ERROR".to_owned())
        );
        let error = Pkcs11Error::Pkcs11(RvError::VendorDefined(0x8000_0001), Function::Sign);
        assert_eq!(describe(&error), "C_Sign: CKR 0x80000001");
    }

    /// Guards against a padding or tag oracle: what a ciphertext can cause has one answer.
    #[test]
    fn what_a_ciphertext_can_cause_is_one_opaque_failure() {
        for value in [
            RvError::GeneralError,
            RvError::EncryptedDataInvalid,
            RvError::EncryptedDataLenRange,
            RvError::WrappedKeyInvalid,
        ] {
            let error = Pkcs11Error::Pkcs11(value, Function::Decrypt);
            assert_eq!(of_ciphertext(&error, &Quirks::default()), Error::CryptoFailed);
        }
    }

    /// Guards against a refused PIN that is tried again until the token locks, and
    /// against a lost device that passes for a caller's bad ciphertext.
    #[test]
    fn classes_follow_who_can_mend_it() {
        let class = |value, function| classify(&Pkcs11Error::Pkcs11(value, function));
        assert!(matches!(
            class(RvError::PinIncorrect, Function::Login),
            Error::NeedsOperator(text) if text == "C_Login: CKR_PIN_INCORRECT"
        ));
        assert_eq!(class(RvError::KeyHandleInvalid, Function::SignInit), Error::KeyMissing);
        assert!(matches!(
            class(RvError::OperationActive, Function::SignInit),
            Error::SessionFailed(_)
        ));
        let lost = Pkcs11Error::Pkcs11(RvError::DeviceRemoved, Function::Decrypt);
        let quirks = Quirks::default();
        assert!(matches!(of_ciphertext(&lost, &quirks), Error::DeviceFailed(_)));
        let broken = Pkcs11Error::Pkcs11(RvError::DeviceError, Function::Decrypt);
        assert!(matches!(of_ciphertext(&broken, &quirks), Error::DeviceFailed(_)));
        let quirks = Quirks { ciphertext_errors: vec![DEVICE_ERROR.to_owned()], ..quirks };
        assert_eq!(of_ciphertext(&broken, &quirks), Error::CryptoFailed);
    }
}
