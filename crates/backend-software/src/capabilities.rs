//! What the software keystore can do: everything that Keyreeve has a name for.
//!
//! RSA1_5 is listed because it can be done; whether it may be is the service's
//! configuration.

use keyreeve_backend::{Capabilities, Custody};
use keyreeve_types::{
    EncryptionAlgorithm, KeySpec, MacAlgorithm, SignatureAlgorithm, WrapAlgorithm,
};

pub(crate) fn capabilities() -> Capabilities {
    Capabilities {
        backend: "software".to_owned(),
        custody: Custody::Portable,
        wrapped: Vec::new(),
        generate: KeySpec::ALL.to_vec(),
        import: KeySpec::ALL.to_vec(),
        sign: SignatureAlgorithm::ALL.to_vec(),
        mac: MacAlgorithm::ALL.to_vec(),
        decrypt: EncryptionAlgorithm::ALL.to_vec(),
        unwrap: WrapAlgorithm::ALL.to_vec(),
        wrap_with_decrypt: true,
    }
}
