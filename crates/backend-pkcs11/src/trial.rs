//! Trials: what a mechanism list promises is used once before it is offered, what a
//! template may hold is found out, and a new key signs once before it is handed out.

use cryptoki::{
    error::Error as Pkcs11Error,
    mechanism::{Mechanism, MechanismInfo, MechanismType},
    object::Attribute,
    session::Session as Raw,
};
use keyreeve_backend::{Error, NewKey, Session as _};
use keyreeve_publickey::PublicKey;
use keyreeve_types::{KeyOps, KeySpec, Operation, SignInput, SignatureAlgorithm, VersionId};

use crate::{
    curve,
    error::describe,
    mechanism::{self, Offered},
    profile::Quirks,
    public,
    session::{Pkcs11Key, Pkcs11Session},
    slot::Slot,
    template::{OMITTABLE, Template},
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
        match somewhere(|token| Ok(signs(&slot.open_session()?, spec, algorithm, token)))? {
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

/// Leaves CBC with padding out where the token decrypts what is not padded: whoever reads
/// the plaintext would take the end of a damaged message for its end.
pub(crate) fn cbc_padding(slot: &Slot, offered: &mut Offered) -> Result<(), Error> {
    let mechanisms = [MechanismType::AES_CBC, MechanismType::AES_CBC_PAD];
    let crypts = |m| offered.has(m, |info| info.encrypt() && info.decrypt());
    if !mechanisms.into_iter().all(crypts) || !offered.can_generate(KeySpec::Aes256) {
        return Ok(());
    }
    let raw = slot.open_session()?;
    let template = [
        Attribute::Token(false),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::ValueLen(32.into()),
    ];
    // Ends in 9, and the bytes before that are no padding of 9.
    let block = [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 8, 9];
    let sealed = raw.generate_key(&Mechanism::AesKeyGen, &template).and_then(|key| {
        raw.encrypt(&Mechanism::AesCbc([0; 16]), key, &block).map(|sealed| (key, sealed))
    });
    match sealed {
        Ok((key, sealed)) if raw.decrypt(&Mechanism::AesCbcPad([0; 16]), key, &sealed).is_ok() => {
            tracing::warn!("not offered: CKM_AES_CBC_PAD decrypts what is not padded");
            offered.exclude(MechanismType::AES_CBC_PAD);
        }
        Ok(_) => {}
        Err(error) => tracing::info!(error = %describe(&error), "CBC cannot be tried"),
    }
    Ok(())
}

/// The attributes to leave out of templates: those of the profile, and those without
/// which a key can be made here and with which it cannot. Only what a profile might name
/// as well is ever left out, so that no trial ends in a weaker key than that.
pub(crate) fn refused_attributes(
    slot: &Slot,
    quirks: &Quirks,
    offered: &Offered,
    curves: &[KeySpec],
) -> Result<Vec<String>, Error> {
    let mut refused = quirks.refused_attributes.clone();
    let aes = Some(KeySpec::Aes256).filter(|spec| offered.can_generate(*spec));
    for spec in aes.into_iter().chain(curves.first().copied()) {
        // Nothing, each alone, then one more at a time.
        let growing = (2..=OMITTABLE.len()).map(|n| &OMITTABLE[..n]);
        let attempts = std::iter::once(&[][..]).chain(OMITTABLE.chunks(1)).chain(growing);
        for left_out in attempts {
            let more = left_out.iter().map(|name| (*name).to_owned());
            let attributes: Vec<_> = refused.iter().cloned().chain(more).collect();
            let quirks = Quirks { refused_attributes: attributes, ..quirks.clone() };
            // A session of its own: a failed trial may leave it unusable.
            let outcome = somewhere(|token| Ok(made(&slot.open_session()?, spec, &quirks, token)))?;
            match outcome {
                Ok(()) if left_out.is_empty() => break,
                Ok(()) => {
                    tracing::warn!(%spec, attributes = ?left_out, "left out of templates");
                    refused = quirks.refused_attributes;
                    break;
                }
                Err(error) => {
                    let error = describe(&error);
                    tracing::info!(%spec, %error, ?left_out, "a template is refused");
                }
            }
        }
    }
    Ok(refused)
}

/// Tries with session objects, which leave nothing in the token, and where a module has
/// none, with token objects that are destroyed. `attempt` is told which; what it fails
/// with by itself is not part of the trial.
fn somewhere<T>(
    mut attempt: impl FnMut(bool) -> Result<Result<T, Pkcs11Error>, Error>,
) -> Result<Result<T, Pkcs11Error>, Error> {
    match attempt(false)? {
        Ok(outcome) => Ok(Ok(outcome)),
        Err(first) => Ok(attempt(true)?.map_err(|_| first)),
    }
}

/// Makes a key by the whole template.
fn made(raw: &Raw, spec: KeySpec, quirks: &Quirks, token: bool) -> Result<(), Pkcs11Error> {
    let (Some(mechanism), Some(key_type)) = (mechanism::generate(spec), curve::key_type(spec))
    else {
        return Ok(());
    };
    let ops = if spec.is_aes() {
        KeyOps::of(&[Operation::Encrypt, Operation::Decrypt])
    } else {
        spec.operations()
    };
    let template = Template { id: VersionId::from_bytes([0; 16]), spec, ops, quirks };
    let mut private = kept(template.private(key_type), token);
    let objects = if let Some(params) = curve::ec_params(spec) {
        let mut public = kept(template.public(key_type), token);
        public.push(Attribute::EcParams(params.to_vec()));
        let (public, private) = raw.generate_key_pair(&mechanism, &public, &private)?;
        vec![private, public]
    } else {
        let bytes = spec.bits().map_or(0, |bits| u64::from(bits / 8));
        private.push(Attribute::ValueLen(bytes.into()));
        vec![raw.generate_key(&mechanism, &private)?]
    };
    objects.into_iter().try_for_each(|object| raw.destroy_object(object))
}

/// The template, for an object that the token keeps or not.
fn kept(mut attributes: Vec<Attribute>, token: bool) -> Vec<Attribute> {
    attributes.retain(|attribute| !matches!(attribute, Attribute::Token(_)));
    attributes.push(Attribute::Token(token));
    attributes
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

fn signs(
    raw: &Raw,
    spec: KeySpec,
    algorithm: SignatureAlgorithm,
    token: bool,
) -> Result<bool, Pkcs11Error> {
    let (Some(generate), Some(sign), Some(params)) =
        (mechanism::generate(spec), mechanism::sign(algorithm), curve::ec_params(spec))
    else {
        return Ok(false);
    };
    let public =
        [Attribute::Token(token), Attribute::Private(false), Attribute::EcParams(params.to_vec())];
    let private = [
        Attribute::Token(token),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
    ];
    let (public, private) = raw.generate_key_pair(&generate, &public, &private)?;
    let input = trial_input(algorithm);
    let signature = raw.sign(&sign.mechanism, private, &input);
    let key = public::attributes(raw, public, spec);
    raw.destroy_object(private)?;
    raw.destroy_object(public)?;
    let (signature, key) = (signature?, key?.parse());
    Ok(key.is_ok_and(|key| matches!(key.verify(algorithm, &input, &signature), Ok(true))))
}

/// Some bytes of the right length; what they are does not matter.
pub(crate) fn trial_input(algorithm: SignatureAlgorithm) -> Vec<u8> {
    match algorithm.input() {
        SignInput::Digest(digest) => vec![0x5a; digest.len()],
        SignInput::Message => b"keyreeve trial signature".to_vec(),
    }
}
