//! Two things that `cryptoki` has no words for, in `unsafe`, and nothing else:
//!
//! - [`mechanism_type`]: a mechanism by its number. `cryptoki` 0.12 has no name for
//!   `CKM_AES_KEY_WRAP_KWP` (PKCS#11 3.0) and takes no number but a vendor's.
//! - [`TokenInfo::read`]: what a token says of itself, where `cryptoki` gives up on it
//!   because the token's clock shows no time (openCryptoki).
//!
//! It refuses to call a module for anything else: that is `cryptoki`'s.

mod token_info;

pub use token_info::{NotReadable, TokenInfo};

use cryptoki::mechanism::MechanismType;
use cryptoki_sys::{CK_MECHANISM_TYPE, CKM_AES_KEY_WRAP_KWP};

/// AES key wrap with padding by RFC 5649 (PKCS#11 3.0, section 2.15), under the name
/// that leaves no doubt; `CKM_AES_KEY_WRAP_PAD` has meant PKCS#7 padding as well.
pub const AES_KEY_WRAP_KWP: MechanismType = mechanism_type(CKM_AES_KEY_WRAP_KWP);

/// The mechanism with that number.
pub const fn mechanism_type(number: CK_MECHANISM_TYPE) -> MechanismType {
    // SAFETY: MechanismType is a transparent CK_MECHANISM_TYPE (it says so, so that it can
    // be passed to C in arrays), of which every value is valid: a vendor's may be any.
    unsafe { std::mem::transmute::<CK_MECHANISM_TYPE, MechanismType>(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a number that reaches the module as another one.
    #[test]
    fn a_mechanism_has_its_number() {
        assert_eq!(*AES_KEY_WRAP_KWP, 0x210b);
        assert_eq!(mechanism_type(0x2109), MechanismType::AES_KEY_WRAP);
    }
}
