//! Keys for seeds, fresh from the software backend.

use keyreeve_backend::{KeyBackend, Material, Session};
use keyreeve_backend_software::SoftwareBackend;
use keyreeve_types::{KeySpec, VersionId};

/// A key as the backend made it.
pub(super) struct Key {
    /// In the one encoding of `keyreeve_backend::PrivateKey`.
    pub(super) private: Vec<u8>,
    /// `SubjectPublicKeyInfo` DER; empty for symmetric keys.
    pub(super) public: Vec<u8>,
}

/// Makes a key of that kind.
pub(super) fn make(spec: KeySpec) -> Key {
    let backend = SoftwareBackend::new();
    let mut session = backend.open_session().expect("a session");
    let made = session.generate(VersionId::from_bytes([1; 16]), spec, spec.operations());
    let made = made.expect("a key");
    let Material::Portable(private) = made.material else { panic!("the software backend") };
    Key { private: private.expose().clone(), public: made.public.unwrap_or_default() }
}
