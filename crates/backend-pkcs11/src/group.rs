//! What a slot shares with the others of its group: the wrapping key.
//!
//! Slots that hold the same one serve the same wrapped keys. It is made by an operator
//! ([`crate::provision`]), not here: a slot that made its own would be alone with the keys
//! it wraps.

use cryptoki::{
    error::Error as Pkcs11Error,
    mechanism::MechanismType,
    object::{Attribute, AttributeType, ObjectHandle},
    session::Session as Raw,
};
use keyreeve_backend::Error;
use keyreeve_types::{KeyOps, KeySpec, KeyType, Name, VersionId};
use serde::{Deserialize, Serialize};

use crate::{
    backend::Shared,
    curve,
    error::{classify, describe},
    generate::add_size,
    mechanism,
    profile::Quirks,
    provision::wrapping_key,
    sign::is_verified,
    template::{Template, is_asymmetric},
};

/// The group that a slot belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupConfig {
    /// Its name, which labels its wrapping key and its canaries.
    pub name: Name,
    /// Where new keys are kept.
    pub keys: KeysIn,
}

/// Where new keys of a slot group are kept. Existing ones are served wherever they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeysIn {
    /// Wrapped, if the slot holds the group's wrapping key; else resident.
    #[default]
    Auto,
    /// In the store, wrapped: any slot of the group serves them.
    Wrapped,
    /// In the slot that made them.
    Resident,
}

/// What [`KeysIn`] found.
pub(crate) struct Group {
    /// Wraps and unwraps.
    pub(crate) wrapping: ObjectHandle,
    /// How private keys are wrapped: RFC 5649, by the module's name for it.
    pub(crate) mechanism: MechanismType,
    /// Whether the security officer marked it `CKA_TRUSTED`.
    pub(crate) trusted: bool,
    /// New keys of these kinds are wrapped; none where new keys are to be resident.
    pub(crate) wraps: Vec<KeySpec>,
}

impl Group {
    /// Finds the wrapping key and tries what it can wrap; `None` if there is none and
    /// none is demanded.
    pub(crate) fn find(shared: &Shared, config: &GroupConfig) -> Result<Option<Self>, Error> {
        let session = shared.slot.open_session()?;
        let missing = |why: String| match config.keys {
            KeysIn::Wrapped => Err(Error::NeedsOperator(why)),
            KeysIn::Auto | KeysIn::Resident => {
                tracing::info!(group = %config.name, why, "keys are resident");
                Ok(None)
            }
        };
        let Some(mechanism) = shared.kwp else {
            return missing("the token does not offer RFC 5649 (CKM_AES_KEY_WRAP_KWP)".to_owned());
        };
        let Some(wrapping) = wrapping_key::find(&session, &config.name)? else {
            shared.slot.confirm_present()?;
            return missing(format!(
                "the token holds no wrapping key for group {}; provision it",
                config.name
            ));
        };
        let trusted = is_trusted(&session, wrapping);
        let wraps = match config.keys {
            KeysIn::Resident => Vec::new(),
            KeysIn::Auto | KeysIn::Wrapped => {
                let kinds = shared.capabilities.generate.iter().copied();
                kinds
                    .filter(|spec| can_be_wrapped(*spec, &shared.quirks))
                    .filter(|spec| comes_back(shared, mechanism, wrapping, trusted, *spec))
                    .collect()
            }
        };
        Ok(Some(Self { wrapping, mechanism, trusted, wraps }))
    }
}

/// Whether the security officer marked the key as one that others may leave under.
fn is_trusted(raw: &Raw, key: ObjectHandle) -> bool {
    let read = raw.get_attributes(key, &[AttributeType::Trusted]).unwrap_or_default();
    matches!(read.as_slice(), [Attribute::Trusted(true)])
}

/// Whether what is wrapped is all that is needed to use a key of that kind. Where its
/// signatures are verified before they leave, its public half is too, which RSA keys alone
/// have in the private one.
const fn can_be_wrapped(spec: KeySpec, quirks: &Quirks) -> bool {
    matches!(spec.key_type(), KeyType::Rsa) || !is_verified(spec, quirks)
}

/// Whether a key of that kind that is wrapped can be unwrapped. RSA is taken on trust:
/// making a key for the trial would take seconds at every start.
fn comes_back(
    shared: &Shared,
    mechanism: MechanismType,
    wrapping: ObjectHandle,
    trusted: bool,
    spec: KeySpec,
) -> bool {
    if spec.key_type() == KeyType::Rsa {
        return true;
    }
    // A session of its own: its end is the end of the trial's objects.
    let tried = shared.slot.open_session().and_then(|raw| {
        round_trip(&raw, shared, mechanism, wrapping, trusted, spec)
            .map_err(|error| classify(&error))
    });
    match tried {
        Ok(done) => done,
        Err(error) => {
            tracing::info!(%spec, %error, "cannot be wrapped: new keys are resident");
            false
        }
    }
}

fn round_trip(
    raw: &Raw,
    shared: &Shared,
    wrap: MechanismType,
    wrapping: ObjectHandle,
    trusted: bool,
    spec: KeySpec,
) -> Result<bool, Pkcs11Error> {
    let (Some(mechanism), Some(key_type)) = (mechanism::generate(spec), curve::key_type(spec))
    else {
        return Ok(false);
    };
    let wrap = mechanism::unparametrised(wrap);
    let id = VersionId::from_bytes(*b"keyreeve-trial-1");
    let template = Template { id, spec, ops: KeyOps::NONE, quirks: &shared.quirks };
    let mut private = template.leaving(key_type, trusted);
    let mut public = template.passing(key_type);
    if add_size(spec, &mut private, &mut public).is_err() {
        return Ok(false);
    }
    let key = if is_asymmetric(spec) {
        raw.generate_key_pair(&mechanism, &public, &private)?.1
    } else {
        raw.generate_key(&mechanism, &private)?
    };
    let blob = raw.wrap_key(&wrap, wrapping, key)?;
    let unwrapped = template.unwrapped(key_type);
    let opened = raw.unwrap_key(&wrap, wrapping, &blob, &unwrapped);
    if let Err(error) = &opened {
        tracing::debug!(%spec, error = %describe(error), "the trial's key does not open");
    }
    opened.map(|_| true)
}
