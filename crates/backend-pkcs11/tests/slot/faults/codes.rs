//! The return values, and what each says about who can mend it.

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A new session, or opening the key anew.
    Session,
    /// A fresh process, or another slot.
    Token,
    /// The canary says who: with a caller's ciphertext, the caller is the first guess.
    Ambiguous,
    /// A person.
    Operator,
    /// The caller, or whoever wrote the profile.
    Caller,
}

/// Names and numbers of PKCS#11 2.40, and one of a vendor's own.
pub(crate) const CODES: [(&str, u64, Class); 33] = [
    ("CKR_SESSION_HANDLE_INVALID", 0xb3, Class::Session),
    ("CKR_SESSION_CLOSED", 0xb0, Class::Session),
    ("CKR_SESSION_COUNT", 0xb1, Class::Session),
    ("CKR_OPERATION_ACTIVE", 0x90, Class::Session),
    ("CKR_OPERATION_NOT_INITIALIZED", 0x91, Class::Session),
    ("CKR_KEY_HANDLE_INVALID", 0x60, Class::Session),
    ("CKR_OBJECT_HANDLE_INVALID", 0x82, Class::Session),
    ("CKR_HOST_MEMORY", 0x02, Class::Token),
    ("CKR_SLOT_ID_INVALID", 0x03, Class::Token),
    ("CKR_DEVICE_ERROR", 0x30, Class::Token),
    ("CKR_DEVICE_MEMORY", 0x31, Class::Token),
    ("CKR_DEVICE_REMOVED", 0x32, Class::Token),
    ("CKR_TOKEN_NOT_PRESENT", 0xe0, Class::Token),
    ("CKR_TOKEN_NOT_RECOGNIZED", 0xe1, Class::Token),
    // A keyhost logs in once: a login that is lost is got back by a fresh one.
    ("CKR_USER_NOT_LOGGED_IN", 0x101, Class::Token),
    ("CKR_CRYPTOKI_NOT_INITIALIZED", 0x190, Class::Token),
    ("vendor's own", 0x8000_0001, Class::Token),
    ("CKR_GENERAL_ERROR", 0x05, Class::Ambiguous),
    ("CKR_FUNCTION_FAILED", 0x06, Class::Ambiguous),
    ("CKR_PIN_INCORRECT", 0xa0, Class::Operator),
    ("CKR_PIN_EXPIRED", 0xa3, Class::Operator),
    ("CKR_PIN_LOCKED", 0xa4, Class::Operator),
    ("CKR_ARGUMENTS_BAD", 0x07, Class::Caller),
    ("CKR_ATTRIBUTE_VALUE_INVALID", 0x13, Class::Caller),
    ("CKR_DATA_INVALID", 0x20, Class::Caller),
    ("CKR_DATA_LEN_RANGE", 0x21, Class::Caller),
    ("CKR_ENCRYPTED_DATA_INVALID", 0x40, Class::Caller),
    ("CKR_KEY_SIZE_RANGE", 0x62, Class::Caller),
    ("CKR_KEY_TYPE_INCONSISTENT", 0x63, Class::Caller),
    ("CKR_KEY_FUNCTION_NOT_PERMITTED", 0x68, Class::Caller),
    ("CKR_MECHANISM_INVALID", 0x70, Class::Caller),
    ("CKR_MECHANISM_PARAM_INVALID", 0x71, Class::Caller),
    ("CKR_TEMPLATE_INCONSISTENT", 0xd1, Class::Caller),
];
