//! What a key of ours refuses, by asking for it: the calls that PKCS#11 has for
//! bringing a key out of a token (Clulow 2003, Tookan 2010), each tried on a
//! throwaway key made from the template that real ones are made from.

use cryptoki::{
    mechanism::Mechanism,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session as Raw,
};
use keyreeve_backend::Error;
use keyreeve_types::{KeyOps, KeySpec, Name, Operation};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::{
    Export, Token,
    check::{random_id, session_object},
    guard, wrapping_key,
};
use crate::{
    curve,
    error::{classify, describe},
    mechanism,
    template::{Template, is_asymmetric},
};

/// One forbidden thing that was tried.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// On which key, as `AES 256 for wrapping`.
    pub key: String,
    /// What was tried.
    pub tried: String,
    /// Whether the module refused it.
    pub held: bool,
    /// What the module answered.
    pub answer: String,
}

impl Token {
    /// Tries what is forbidden with a key of each kind that the token makes.
    ///
    /// # Errors
    ///
    /// If the token gives no session.
    pub fn hardening(&self) -> Result<Vec<Attempt>, Error> {
        let content = KeyOps::of(&[Operation::Encrypt, Operation::Decrypt]);
        let wrapping = KeyOps::of(&[Operation::WrapKey, Operation::UnwrapKey]);
        let sign = KeyOps::of(&[Operation::Sign, Operation::Verify]);
        let kinds = [
            (KeySpec::EcP256, sign, "EC P-256 for signing"),
            (KeySpec::Rsa2048, content, "RSA 2048 for decrypting"),
            (KeySpec::Aes256, content, "AES 256 for content"),
            (KeySpec::Aes256, wrapping, "AES 256 for wrapping"),
            (KeySpec::Hmac256, sign, "HMAC 256"),
        ];
        let mut attempts = Vec::new();
        for (spec, ops, name) in kinds {
            let keeper = self.session()?;
            // What cannot be made was reported with the algorithms.
            let Ok(key) = self.throwaway(&keeper, spec, ops) else { continue };
            let mut trial = Trial { token: self, name, key, attempts: &mut attempts };
            trial.read()?;
            trial.change()?;
            trial.wrap()?;
            trial.other_use(ops)?;
        }
        Ok(attempts)
    }

    /// Tries what is forbidden with the wrapping key of `group`: on the real one what
    /// cannot harm it, on one like it what could. Nothing of it stays.
    ///
    /// # Errors
    ///
    /// [`Error::KeyMissing`] if there is none.
    pub fn wrapping_key_hardening(&self, group: &Name) -> Result<Vec<Attempt>, Error> {
        let session = self.session()?;
        let key = wrapping_key::find(&session, group)?.ok_or(Error::KeyMissing)?;
        let export = wrapping_key::export(&session, key)?;
        let name = "the group's wrapping key";
        let mut attempts = Vec::new();
        let mut trial = Trial { token: self, name, key, attempts: &mut attempts };
        trial.read()?;
        trial.other_use(KeyOps::of(&[Operation::WrapKey, Operation::UnwrapKey]))?;
        // An open one can be wrapped and changed: that it is open is the finding.
        if export != Export::Open {
            trial.wrap()?;
            trial.key = wrapping_key::throwaway(&session, &self.profile.quirks, group, export)?;
            trial.change()?;
        }
        let mut note = |tried: &str, held: bool| {
            let answer = if held { "refused" } else { "done" }.to_owned();
            attempts.push(Attempt { key: name.to_owned(), tried: tried.to_owned(), held, answer });
        };
        let opens = guard::opens_only_sensitive(&self.session()?, key)?;
        note("open a wrapped key as readable or extractable", opens);
        if export == Export::Trusted {
            let enforced = guard::trust_is_enforced(&self.session()?);
            note("make a key trusted without the security officer", enforced);
        }
        Ok(attempts)
    }

    fn throwaway(&self, keeper: &Raw, spec: KeySpec, ops: KeyOps) -> Result<ObjectHandle, Error> {
        let (Some(mechanism), Some(key_type)) = (mechanism::generate(spec), curve::key_type(spec))
        else {
            return Err(Error::Unsupported);
        };
        let template = Template { id: random_id()?, spec, ops, quirks: &self.profile.quirks };
        let mut private = session_object(template.private(key_type));
        if !is_asymmetric(spec) {
            private.push(Attribute::ValueLen(32.into()));
            return keeper.generate_key(&mechanism, &private).map_err(|e| classify(&e));
        }
        let mut public = session_object(template.public(key_type));
        match curve::ec_params(spec) {
            Some(params) => public.push(Attribute::EcParams(params.to_vec())),
            None => public.extend([
                Attribute::ModulusBits(2048.into()),
                Attribute::PublicExponent(vec![0x01, 0x00, 0x01]),
            ]),
        }
        let made = keeper.generate_key_pair(&mechanism, &public, &private);
        made.map(|(_, private)| private).map_err(|e| classify(&e))
    }
}

struct Trial<'a> {
    token: &'a Token,
    name: &'static str,
    key: ObjectHandle,
    attempts: &'a mut Vec<Attempt>,
}

impl Trial<'_> {
    fn read(&mut self) -> Result<(), Error> {
        let session = self.token.session()?;
        for attribute in
            [AttributeType::Value, AttributeType::PrivateExponent, AttributeType::Prime1]
        {
            let mut readable = false;
            for mut read in session.get_attributes(self.key, &[attribute]).unwrap_or_default() {
                if let Attribute::Value(v) | Attribute::PrivateExponent(v) | Attribute::Prime1(v) =
                    &mut read
                {
                    readable |= !v.is_empty();
                    v.zeroize();
                }
            }
            let answer = if readable { "done" } else { "no value" };
            self.note(format!("read {attribute}"), !readable, answer.to_owned());
        }
        Ok(())
    }

    fn change(&mut self) -> Result<(), Error> {
        let changes = [
            ("CKA_SENSITIVE false", Attribute::Sensitive(false)),
            ("CKA_WRAP true", Attribute::Wrap(true)),
            ("CKA_DECRYPT true", Attribute::Decrypt(true)),
            ("CKA_SIGN true", Attribute::Sign(true)),
            ("CKA_DERIVE true", Attribute::Derive(true)),
            ("CKA_MODIFIABLE true", Attribute::Modifiable(true)),
        ];
        for (name, change) in changes {
            let session = self.token.session()?;
            // What is so already is no change.
            let before = session.get_attributes(self.key, &[change.attribute_type()]);
            if before.unwrap_or_default().contains(&change) {
                continue;
            }
            let set = session.update_attributes(self.key, std::slice::from_ref(&change));
            self.outcome(format!("set {name}"), set);
            let session = self.token.session()?;
            let template = [Attribute::Token(false), change];
            let copied = session.copy_object(self.key, &template);
            self.outcome(format!("copy with {name}"), copied.map(|_| ()));
        }
        Ok(())
    }

    /// With a wrapping key that anybody with the PIN can make.
    fn wrap(&mut self) -> Result<(), Error> {
        let session = self.token.session()?;
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Token(false),
            Attribute::Private(true),
            Attribute::Wrap(true),
            Attribute::Decrypt(true),
            Attribute::Value(vec![7; 32]),
        ];
        let own = match session.create_object(&template) {
            Ok(own) => own,
            Err(error) => {
                self.note("wrap with a key of one's own".to_owned(), true, describe(&error));
                return Ok(());
            }
        };
        for mechanism in
            [Mechanism::AesKeyWrap, Mechanism::AesKeyWrapPad, Mechanism::AesCbcPad([0; 16])]
        {
            let what = format!("wrap with a key of one's own, {}", mechanism.mechanism_type());
            let wrapped = session.wrap_key(&mechanism, own, self.key);
            self.outcome(what, wrapped.map(|mut bytes| bytes.zeroize()));
        }
        Ok(())
    }

    /// Decrypting with a key that wraps, wrapping with one that decrypts.
    fn other_use(&mut self, ops: KeyOps) -> Result<(), Error> {
        let session = self.token.session()?;
        if !ops.contains(Operation::Decrypt) {
            let decrypted = session.decrypt(&Mechanism::AesCbc([0; 16]), self.key, &[0; 32]);
            self.outcome("decrypt what it wrapped".to_owned(), decrypted.map(|_| ()));
        }
        if !ops.contains(Operation::WrapKey) {
            let session = self.token.session()?;
            let target = [
                Attribute::Token(false),
                Attribute::ValueLen(32.into()),
                Attribute::Sensitive(true),
                Attribute::Extractable(true),
            ];
            if let Ok(other) = session.generate_key(&Mechanism::AesKeyGen, &target) {
                let wrapped = session.wrap_key(&Mechanism::AesKeyWrap, self.key, other);
                self.outcome("wrap another key with it".to_owned(), wrapped.map(|_| ()));
            }
        }
        Ok(())
    }

    fn outcome(&mut self, tried: String, done: Result<(), cryptoki::error::Error>) {
        let answer = match &done {
            Ok(()) => "done".to_owned(),
            Err(error) => describe(error),
        };
        self.note(tried, done.is_err(), answer);
    }

    fn note(&mut self, tried: String, held: bool, answer: String) {
        self.attempts.push(Attempt { key: self.name.to_owned(), tried, held, answer });
    }
}
