//! Opening the fixture's token as a keyhost would.

use std::path::{Path, PathBuf};

use keyreeve_backend::{KeyBackend, NewKey, Session};
use keyreeve_backend_pkcs11::{
    Pkcs11Backend, Pkcs11Key, Pkcs11Session, Profile, SlotConfig, TokenSelector,
};
use keyreeve_publickey::PublicKey;
use keyreeve_testkit::SoftHsm;
use keyreeve_types::{KeyOps, KeySpec, Operation, Secret, VersionId};

/// The shipped profile, pointed at the fixture's token.
pub(crate) fn config(token: &SoftHsm) -> SlotConfig {
    SlotConfig {
        profile: Profile::parse(&token.profile().unwrap()).unwrap(),
        token: TokenSelector { label: Some(token.label.clone()), serial: None },
        pin: Secret::new(token.pin.clone()),
    }
}

pub(crate) fn backend(token: &SoftHsm) -> Pkcs11Backend {
    Pkcs11Backend::open(config(token)).unwrap()
}

pub(crate) fn session(token: &SoftHsm) -> Pkcs11Session {
    backend(token).open_session().unwrap()
}

pub(crate) fn hsm_config() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hsm-config")
}

pub(crate) const fn id(n: u8) -> VersionId {
    VersionId::from_bytes([n; 16])
}

pub(crate) const SIGN: KeyOps = KeyOps::of(&[Operation::Sign, Operation::Verify]);
pub(crate) const DECRYPT: KeyOps = KeyOps::of(&[Operation::Encrypt, Operation::Decrypt]);
pub(crate) const WRAP: KeyOps = KeyOps::of(&[Operation::WrapKey, Operation::UnwrapKey]);

/// A new key and its public half.
pub(crate) fn generated(
    session: &mut Pkcs11Session,
    n: u8,
    spec: KeySpec,
    ops: KeyOps,
) -> (Pkcs11Key, Option<PublicKey>) {
    let NewKey { key, public, .. } = session.generate(id(n), spec, ops).unwrap();
    (key, public.map(|spki| PublicKey::from_spki(&spki).unwrap()))
}
