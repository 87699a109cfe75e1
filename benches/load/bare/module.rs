//! SoftHSM's module with nothing around it: no checks, no queue, one session.
//!
//! The key is a token object with the protections that Keyreeve gives its own.

use std::env;

use anyhow::{Context, Result, ensure};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::{Mechanism, MechanismType},
    object::{Attribute, KeyType},
    session::UserType,
};

use super::Operation;
use crate::work::digest;

/// The variables that tell the child which module to load and the token's PIN.
pub(super) const MODULE: &str = "KEYREEVE_LOAD_MODULE";
pub(super) const PIN: &str = "KEYREEVE_LOAD_PIN";

pub(super) fn sign_p256() -> Result<Operation> {
    let path = env::var_os(MODULE).context("the child was started without a token")?;
    let pin = env::var(PIN).context("the child was started without a PIN")?;
    let module = Pkcs11::new(path)?;
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
    let slot = module.get_slots_with_initialized_token()?.first().copied().context("no token")?;
    let session = module.open_rw_session(slot)?;
    session.login(UserType::User, Some(&pin.into()))?;
    let (_, key) = session.generate_key_pair(
        &Mechanism::EccKeyPairGen,
        &[
            Attribute::KeyType(KeyType::EC),
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::EcParams(P256.to_vec()),
        ],
        &[
            Attribute::KeyType(KeyType::EC),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Modifiable(false),
            Attribute::Copyable(false),
            Attribute::Id(vec![1; 16]),
            Attribute::Sign(true),
            Attribute::Derive(false),
            Attribute::AllowedMechanisms(vec![MechanismType::ECDSA]),
        ],
    )?;
    Ok(Box::new(move |n| {
        let signature = session.sign(&Mechanism::Ecdsa, key, &digest(0, n))?;
        ensure!(signature.len() == 64, "a signature of {} bytes", signature.len());
        // The session ends with the module it came from.
        let _ = &module;
        Ok(())
    }))
}

/// The DER of the object identifier 1.2.840.10045.3.1.7 (RFC 5480 section 2.1.1.1).
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
