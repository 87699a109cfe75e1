//! What keys are for. One file for each operation.
//!
//! An operation reads one snapshot of the registry, checks the key, and asks a
//! keyhost, or does it here if the public key is enough. It reads no store, takes
//! no lock and parses no key.

mod decrypt;
mod encrypt;
mod generate_data_key;
mod input;
mod jwks;
pub(crate) mod jwt_json;
mod mac;
mod random;
mod re_encrypt;
mod sealed;
mod sign;
mod sign_each;
mod sign_jwt;
mod unwrap;
mod verify;
mod verify_mac;
mod wrap;

pub use decrypt::Decrypt;
pub use encrypt::Encrypt;
pub use generate_data_key::{GenerateDataKey, NewDataKey};
pub use input::Content;
pub use jwks::{Jwks, JwksOf};
pub use mac::{ComputedMac, Mac};
pub use re_encrypt::ReEncrypt;
pub use sealed::{DataKeyAlgorithm, Sealed, SealedRef};
pub use sign::{Sign, Signed};
pub use sign_each::{SignEach, SignedEach};
pub use sign_jwt::{JwtAlgorithm, SignJwt, SignedJwt};
pub use unwrap::UnwrapKey;
pub use verify::{Verified, Verify};
pub use verify_mac::VerifyMac;
pub use wrap::WrapKey;
