//! Trials: what a mechanism list promises is used once before it is offered, and a
//! new key signs once before it is handed out.

use cryptoki::{
    error::Error as Pkcs11Error,
    mechanism::{MechanismInfo, MechanismType},
    object::Attribute,
    session::Session as Raw,
};
use keyreeve_backend::{Error, NewKey, Session as _};
use keyreeve_publickey::PublicKey;
use keyreeve_types::{KeyOps, KeySpec, Operation, SignInput, SignatureAlgorithm};

use crate::{
    curve,
    error::describe,
    mechanism::{self, Offered},
    profile::Quirks,
    public,
    session::{Pkcs11Key, Pkcs11Session},
    slot::Slot,
};

/// The curves of the profile on which a key pair can be made, signs, and verifies.
/// A mechanism list names mechanisms, not curves.
pub(crate) fn curves(
    slot: &Slot,
    quirks: &Quirks,
    offered: &Offered,
) -> Result<Vec<KeySpec>, Error> {
    let mut working = Vec::new();
    for name in &quirks.curves {
        let Some((spec, algorithm)) = on_curve(name) else { continue };
        let promised = mechanism::sign(algorithm)
            .map(|sign| sign.mechanism.mechanism_type())
            .is_some_and(|m: MechanismType| offered.has(m, MechanismInfo::sign));
        if !promised {
            continue;
        }
        // A session of its own: a failed trial may leave it unusable.
        let raw = slot.open_session()?;
        match signs(&raw, spec, algorithm) {
            Ok(true) => working.push(spec),
            Ok(false) => {
                tracing::warn!(curve = %name, "not offered: a trial signature did not verify");
            }
            Err(error) => {
                tracing::info!(curve = %name, error = %describe(&error), "not offered");
            }
        }
    }
    Ok(working)
}

/// Signs once with a new key and verifies with its public half, where the key may
/// sign. A device whose generator or memory failed shows it here.
pub(crate) fn pairwise(
    session: &mut Pkcs11Session,
    new: &NewKey<Pkcs11Key>,
    ops: KeyOps,
) -> Result<(), Error> {
    let Some(spki) = new.public.as_deref().filter(|_| ops.contains(Operation::Sign)) else {
        return Ok(());
    };
    let supported = &session.capabilities().sign;
    let Some(algorithm) = supported.iter().copied().find(|a| a.fits(new.key.spec)) else {
        return Ok(());
    };
    let public = PublicKey::from_spki(spki).map_err(|_| Error::CorruptKey)?;
    let input = trial_input(algorithm);
    let mut signature = Vec::new();
    session.sign(&new.key, algorithm, &input, &mut signature)?;
    match public.verify(algorithm, &input, &signature) {
        Ok(true) => Ok(()),
        _ => Err(Error::FaultyResult),
    }
}

fn on_curve(name: &str) -> Option<(KeySpec, SignatureAlgorithm)> {
    let spec = KeySpec::ALL.into_iter().find(|spec| spec.crv() == Some(name))?;
    let algorithm = SignatureAlgorithm::ALL.into_iter().find(|algorithm| algorithm.fits(spec))?;
    Some((spec, algorithm))
}

/// With a session object, which leaves nothing in the token.
fn signs(raw: &Raw, spec: KeySpec, algorithm: SignatureAlgorithm) -> Result<bool, Pkcs11Error> {
    let (Some(generate), Some(sign), Some(params)) =
        (mechanism::generate(spec), mechanism::sign(algorithm), curve::ec_params(spec))
    else {
        return Ok(false);
    };
    let public =
        [Attribute::Token(false), Attribute::Private(false), Attribute::EcParams(params.to_vec())];
    let private = [
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
    ];
    let (public, private) = raw.generate_key_pair(&generate, &public, &private)?;
    let input = trial_input(algorithm);
    let signature = raw.sign(&sign.mechanism, private, &input)?;
    let key = public::attributes(raw, public, spec)?.parse();
    Ok(key.is_ok_and(|key| matches!(key.verify(algorithm, &input, &signature), Ok(true))))
}

/// Some bytes of the right length; what they are does not matter.
fn trial_input(algorithm: SignatureAlgorithm) -> Vec<u8> {
    match algorithm.input() {
        SignInput::Digest(digest) => vec![0x5a; digest.len()],
        SignInput::Message => b"keyreeve trial signature".to_vec(),
    }
}
