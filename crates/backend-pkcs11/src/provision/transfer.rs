//! Carrying a wrapping key from one slot of its group to another.
//!
//! ```text
//! target  makes a transport pair; its private half unwraps, once, and never leaves
//! source  officer: the public half becomes a session object, wraps, and is trusted
//!         user:    wraps the group's key under it (RSA-OAEP)
//! target  user:    unwraps it in its place
//! each    wraps a throwaway key, the other opens it, both encrypt one challenge
//! ```
//!
//! Nothing of a transfer stays in either token but the key itself.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use cryptoki::{
    mechanism::Mechanism,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session as Raw, UserType},
};
use keyreeve_backend::Error;
use keyreeve_publickey::PublicKey;
use keyreeve_types::{Name, RsaPadding, Secret};
use serde::{Deserialize, Serialize};

use super::{Export, Module, Token, module::auth, wrapping_key};
use crate::{error::classify, mechanism, module::trimmed, profile::TokenSelector, slot::Slot};

/// The private half of a transport pair, in the target; gone with this value.
pub struct Transport {
    session: Raw,
    private: ObjectHandle,
    /// The public half.
    pub public: TransportKey,
}

/// The public half of a transport pair: RSA, big-endian.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransportKey {
    /// The modulus.
    pub modulus: Vec<u8>,
    /// The public exponent.
    pub exponent: Vec<u8>,
}

impl TransportKey {
    /// SHA-256 over its SubjectPublicKeyInfo (RFC 5280), in hex: what two people
    /// compare.
    ///
    /// # Errors
    ///
    /// If it is no RSA key that can be used.
    pub fn fingerprint(&self) -> Result<String, Error> {
        let key = PublicKey::from_rsa(&self.modulus, &self.exponent)?;
        let hash = digest(&SHA256, key.spki());
        Ok(hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// What shows that two slots hold one key: a throwaway key wrapped under it, and what
/// the throwaway key makes of a challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The throwaway key, wrapped (RFC 3394).
    pub wrapped: Vec<u8>,
    /// One block, encrypted with it (AES-256-CBC, zero IV).
    pub answer: Vec<u8>,
}

impl Token {
    /// Makes a transport pair, RSA-3072, as session objects.
    ///
    /// # Errors
    ///
    /// As a generation has them.
    pub fn make_transport(&self) -> Result<Transport, Error> {
        let session = self.session()?;
        let id = super::check::random_id()?;
        let public = [
            Attribute::Class(ObjectClass::PUBLIC_KEY),
            Attribute::KeyType(KeyType::RSA),
            Attribute::Token(false),
            Attribute::Private(false),
            Attribute::Id(id.as_bytes().to_vec()),
            Attribute::ModulusBits(3072.into()),
            Attribute::PublicExponent(vec![0x01, 0x00, 0x01]),
            Attribute::Encrypt(false),
            Attribute::Verify(false),
            Attribute::Wrap(true),
        ];
        let private = [
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::KeyType(KeyType::RSA),
            Attribute::Token(false),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Id(id.as_bytes().to_vec()),
            Attribute::Sign(false),
            Attribute::Decrypt(false),
            Attribute::Unwrap(true),
            Attribute::Derive(false),
        ];
        let made = session.generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private);
        let (public, private) = made.map_err(|error| classify(&error))?;
        let wanted = [AttributeType::Modulus, AttributeType::PublicExponent];
        let read = session.get_attributes(public, &wanted).map_err(|error| classify(&error))?;
        let [Attribute::Modulus(modulus), Attribute::PublicExponent(exponent)] = read.as_slice()
        else {
            return Err(Error::CorruptKey);
        };
        let public = TransportKey { modulus: modulus.clone(), exponent: exponent.clone() };
        Ok(Transport { session, private, public })
    }

    /// Unwraps the group's wrapping key in its place.
    ///
    /// # Errors
    ///
    /// [`Error::CorruptKey`] if the slot has a wrapping key of its own: it is not
    /// replaced.
    pub fn take_in(
        &self,
        transport: &Transport,
        group: &Name,
        export: Export,
        wrapped: &[u8],
    ) -> Result<(), Error> {
        if self.wrapping_key(group)?.is_some() {
            return Err(Error::CorruptKey);
        }
        let attributes = wrapping_key::attributes(&self.profile.quirks, group, export);
        let mechanism = mechanism::rsa(RsaPadding::Oaep);
        wrapping_key::with_unwrap_template(attributes, |template| {
            transport.session.unwrap_key(&mechanism, transport.private, wrapped, template)
        })
        .map(|_| ())
    }

    /// Wraps a throwaway key under the group's wrapping key and has it encrypt
    /// `challenge`.
    ///
    /// # Errors
    ///
    /// [`Error::KeyMissing`] if there is no wrapping key.
    pub fn prove_wrapping_key(&self, group: &Name, challenge: &[u8; 16]) -> Result<Proof, Error> {
        let session = self.session()?;
        let wrapping = wrapping_key::find(&session, group)?.ok_or(Error::KeyMissing)?;
        let mut template = throwaway(true);
        template.push(Attribute::ValueLen(32.into()));
        let prove = || {
            let key = session.generate_key(&Mechanism::AesKeyGen, &template)?;
            let mut wrapped = session.wrap_key(&Mechanism::AesKeyWrap, wrapping, key)?;
            // The binding returns the buffer as long as it was asked for.
            wrapped.truncate(32 + 8);
            let answer = session.encrypt(&Mechanism::AesCbc([0; 16]), key, challenge)?;
            session.destroy_object(key)?;
            Ok(Proof { wrapped, answer })
        };
        prove().map_err(|error| classify(&error))
    }

    /// Opens another slot's throwaway key and has it encrypt `challenge`.
    ///
    /// # Errors
    ///
    /// As `C_UnwrapKey`, which fails if the wrapping key is another one.
    pub fn answer_proof(
        &self,
        group: &Name,
        wrapped: &[u8],
        challenge: &[u8; 16],
    ) -> Result<Vec<u8>, Error> {
        let session = self.session()?;
        let wrapping = wrapping_key::find(&session, group)?.ok_or(Error::KeyMissing)?;
        let answer = || {
            let template = throwaway(false);
            let key = session.unwrap_key(&Mechanism::AesKeyWrap, wrapping, wrapped, &template)?;
            let answer = session.encrypt(&Mechanism::AesCbc([0; 16]), key, challenge)?;
            session.destroy_object(key)?;
            Ok(answer)
        };
        answer().map_err(|error| crate::error::of_ciphertext(&error, &self.profile.quirks))
    }

    /// Replaces an open wrapping key by a copy that never leaves. Does nothing with
    /// one that is not open. A crash between the two leaves both under one id, and
    /// [`wrapping_key::find`] says so; the original is the one that is extractable.
    ///
    /// # Errors
    ///
    /// As `C_CopyObject` and `C_DestroyObject`.
    pub fn close_wrapping_key(&self, group: &Name) -> Result<bool, Error> {
        let session = self.session()?;
        let key = wrapping_key::find(&session, group)?.ok_or(Error::KeyMissing)?;
        if wrapping_key::export(&session, key)? != Export::Open {
            return Ok(false);
        }
        let close = || {
            let mut closed = vec![Attribute::Token(true), Attribute::Extractable(false)];
            // While it was open, whoever has the PIN could change these.
            closed.extend(wrapping_key::USAGE);
            closed.extend([Attribute::Copyable(false), Attribute::Modifiable(false)]);
            if session.copy_object(key, &closed).is_err() {
                // SoftHSM keeps this one as it was: the closed key can be copied, and no
                // copy is more than it.
                closed.retain(|a| a.attribute_type() != AttributeType::Copyable);
                session.copy_object(key, &closed)?;
            }
            session.destroy_object(key)
        };
        close().map_err(|error| classify(&error))?;
        Ok(true)
    }
}

impl Module {
    /// Wraps the group's key for a target's transport key. Where the key asks for trust,
    /// `officer` gives it for this one transfer.
    ///
    /// # Errors
    ///
    /// [`Error::NeedsOperator`] if the key never leaves, if it asks for trust and there
    /// is no officer, or if either PIN is refused; each is tried once.
    pub fn wrap_out(
        &self,
        token: TokenSelector,
        user: &Secret<String>,
        officer: Option<&Secret<String>>,
        group: &Name,
        transport: &TransportKey,
    ) -> Result<(Vec<u8>, Export), Error> {
        let token = token.or(&self.profile.token);
        // Refuses what is no sound key before anybody trusts it.
        transport.fingerprint()?;
        let object = |trusted| transport_object(transport, trusted);
        let found = Slot::locate(&self.pkcs11, &token)?;
        // One session throughout: the trusted key lives as long as it does.
        let session = self.pkcs11.open_rw_session(found).map_err(|e| classify(&e))?;
        let login = |who, pin| session.login(who, Some(&auth(pin))).map_err(|e| classify(&e));
        let trusted = match officer {
            Some(pin) => {
                login(UserType::So, pin)?;
                let created = session.create_object(&object(true));
                session.logout().map_err(|error| classify(&error))?;
                Some(created.map_err(|error| classify(&error))?)
            }
            None => None,
        };
        login(UserType::User, user)?;
        let key = wrapping_key::find(&session, group)?.ok_or(Error::KeyMissing)?;
        let export = wrapping_key::export(&session, key)?;
        let transport = match (export, trusted) {
            (Export::Never, _) => {
                return Err(Error::NeedsOperator(
                    "the wrapping key never leaves its slot; a group of several slots starts with \
                     `keyreeve hsm provision --export`"
                        .to_owned(),
                ));
            }
            (Export::Trusted, None) => {
                return Err(Error::NeedsOperator(
                    "the wrapping key leaves only under a key that the security officer trusts: \
                     give that PIN as well"
                        .to_owned(),
                ));
            }
            (_, Some(trusted)) => trusted,
            (Export::Open, None) => {
                session.create_object(&object(false)).map_err(|error| classify(&error))?
            }
        };
        let mechanism = mechanism::rsa(RsaPadding::Oaep);
        let wrapped = session.wrap_key(&mechanism, transport, key).map_err(|e| classify(&e))?;
        // A transfer must leave nothing behind that is trusted.
        session.destroy_object(transport).map_err(|error| classify(&error))?;
        Ok((wrapped, export))
    }

    /// The serial number of the token, without a login.
    ///
    /// # Errors
    ///
    /// If there is no such token.
    pub fn serial(&self, token: TokenSelector) -> Result<String, Error> {
        let token = token.or(&self.profile.token);
        let slot = Slot::locate(&self.pkcs11, &token)?;
        let info = self.pkcs11.get_token_info(slot).map_err(|error| classify(&error))?;
        Ok(trimmed(info.serial_number()))
    }
}

/// 16 random bytes.
///
/// # Errors
///
/// If the machine gives none.
pub fn challenge() -> Result<[u8; 16], Error> {
    let mut challenge = [0; 16];
    rand::fill(&mut challenge)
        .map_err(|_| Error::DeviceFailed("this machine gives no random bytes".to_owned()))?;
    Ok(challenge)
}

fn transport_object(public: &TransportKey, trusted: bool) -> Vec<Attribute> {
    let mut attributes = vec![
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::KeyType(KeyType::RSA),
        Attribute::Token(false),
        Attribute::Private(false),
        Attribute::Label(b"keyreeve-transport".to_vec()),
        Attribute::Modulus(public.modulus.clone()),
        Attribute::PublicExponent(public.exponent.clone()),
        Attribute::Encrypt(false),
        Attribute::Verify(false),
        Attribute::Wrap(true),
    ];
    if trusted {
        attributes.push(Attribute::Trusted(true));
    }
    attributes
}

/// An AES-256 session object that encrypts a challenge.
fn throwaway(leaves: bool) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(leaves),
        Attribute::Encrypt(true),
        Attribute::Decrypt(false),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Sign(false),
        Attribute::Verify(false),
        Attribute::Derive(false),
    ]
}
