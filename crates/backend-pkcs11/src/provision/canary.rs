//! A slot's canary: a key pair that signs challenges and nothing else.
//!
//! `C_GetSessionInfo` and `C_GenerateRandom` stay green on a token that is gone. A
//! signature over a challenge nobody has seen, verified in software, does not.
//!
//! P-256, or RSA-2048 where the module has no such curve.

use std::sync::Arc;

use aws_lc_rs::rand;
use cryptoki::{
    mechanism::MechanismType,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session as Raw,
};
use keyreeve_backend::Error;
use keyreeve_publickey::PublicKey;
use keyreeve_types::{KeySpec, KeyType as JoseKeyType, Name, SignatureAlgorithm};

use super::Purpose;
use crate::{curve, error::classify, mechanism, profile::Quirks, public, template};

/// The canary of a slot.
#[derive(Clone)]
pub(crate) struct Canary {
    private: ObjectHandle,
    public: Arc<PublicKey>,
    algorithm: SignatureAlgorithm,
}

/// The canary of `group` in this slot, if the token shows both its halves.
///
/// # Errors
///
/// [`Error::CorruptKey`] if what is there is of another kind.
pub(crate) fn find(session: &Raw, group: &Name) -> Result<Option<Canary>, Error> {
    let private = Purpose::Canary.find(session, group, ObjectClass::PRIVATE_KEY)?;
    let public = Purpose::Canary.find(session, group, ObjectClass::PUBLIC_KEY)?;
    let (Some(private), Some(object)) = (private, public) else { return Ok(None) };
    let kind = session
        .get_attributes(object, &[AttributeType::KeyType])
        .map_err(|error| classify(&error))?;
    let (spec, algorithm) = match kind.as_slice() {
        [Attribute::KeyType(KeyType::EC)] => KINDS[0],
        [Attribute::KeyType(KeyType::RSA)] => KINDS[1],
        _ => return Err(Error::CorruptKey),
    };
    let public =
        public::attributes(session, object, spec).map_err(|error| classify(&error))?.parse()?;
    Ok(Some(Canary { private, public: Arc::new(public), algorithm }))
}

/// Makes the canary of `group`, and has it sing once. The caller has seen that there
/// is none; half a pair that a crash has left is removed.
///
/// # Errors
///
/// As [`prove`], or as a generation has them.
pub(crate) fn make(session: &Raw, quirks: &Quirks, group: &Name) -> Result<Canary, Error> {
    for class in [ObjectClass::PUBLIC_KEY, ObjectClass::PRIVATE_KEY] {
        if let Some(half) = Purpose::Canary.find(session, group, class)? {
            session.destroy_object(half).map_err(|error| classify(&error))?;
        }
    }
    let mut failed = Error::Unsupported;
    for (spec, _) in KINDS {
        match generate(session, quirks, group, spec) {
            Ok(()) => {
                let canary = find(session, group)?.ok_or(Error::KeyMissing)?;
                return prove(session, &canary).map(|()| canary);
            }
            Err(error) => {
                tracing::info!(%spec, ?error, "no canary of this kind");
                failed = error;
            }
        }
    }
    Err(failed)
}

/// Has the canary sign a fresh challenge and verifies that in software.
///
/// # Errors
///
/// [`Error::FaultyResult`] if the signature is wrong; otherwise as `C_Sign`. The
/// caller replaces the session after either.
pub(crate) fn prove(session: &Raw, canary: &Canary) -> Result<(), Error> {
    let mut challenge = [0; 32];
    rand::fill(&mut challenge)
        .map_err(|_| Error::DeviceFailed("this machine gives no random bytes".to_owned()))?;
    let sign = mechanism::sign(canary.algorithm).ok_or(Error::Unsupported)?;
    let data = [sign.prefix, &challenge].concat();
    let signature =
        session.sign(&sign.mechanism, canary.private, &data).map_err(|error| classify(&error))?;
    match canary.public.verify(canary.algorithm, &challenge, &signature) {
        Ok(true) => Ok(()),
        _ => Err(Error::FaultyResult),
    }
}

fn generate(session: &Raw, quirks: &Quirks, group: &Name, spec: KeySpec) -> Result<(), Error> {
    let (Some(mechanism), Some(key_type)) = (mechanism::generate(spec), curve::key_type(spec))
    else {
        return Err(Error::Unsupported);
    };
    let id = || Purpose::Canary.id(group).to_vec();
    let label = || Purpose::Canary.label(group).into_bytes();
    let mut private = template::staying(ObjectClass::PRIVATE_KEY, key_type, id(), label());
    private.extend([
        Attribute::Sign(true),
        Attribute::SignRecover(false),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
    ]);
    let mut public = template::idle_public(quirks, key_type, id(), label());
    let allowed = match (spec.key_type(), curve::ec_params(spec)) {
        (JoseKeyType::Rsa, _) => {
            public.push(Attribute::ModulusBits(2048.into()));
            public.push(Attribute::PublicExponent(vec![0x01, 0x00, 0x01]));
            MechanismType::RSA_PKCS
        }
        (_, Some(params)) => {
            public.push(Attribute::EcParams(params.to_vec()));
            MechanismType::ECDSA
        }
        _ => return Err(Error::Unsupported),
    };
    if quirks.allowed_mechanisms {
        private.push(Attribute::AllowedMechanisms(vec![allowed]));
    }
    let private = template::accepted(quirks, private);
    session
        .generate_key_pair(&mechanism, &public, &private)
        .map(|_| ())
        .map_err(|error| classify(&error))
}

const KINDS: [(KeySpec, SignatureAlgorithm); 2] =
    [(KeySpec::EcP256, SignatureAlgorithm::Es256), (KeySpec::Rsa2048, SignatureAlgorithm::Rs256)];
