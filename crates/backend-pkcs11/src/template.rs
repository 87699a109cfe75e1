//! Templates: what a new object may do, attribute by attribute.
//!
//! Nothing is left to a module's default. SoftHSM, for one, makes an AES key that
//! may wrap and is not sensitive when it is not told otherwise.

use cryptoki::{
    mechanism::MechanismType,
    object::{Attribute, AttributeType, KeyType, ObjectClass},
};
use keyreeve_types::{KeyOps, KeySpec, KeyType as JoseKeyType, Operation, VersionId};
use zeroize::Zeroize;

use crate::{mechanism, profile::Quirks};

/// Attributes a profile may leave out. None of them guards the key's bytes:
/// `CKA_SENSITIVE` and `CKA_EXTRACTABLE` are always set.
pub(crate) const OMITTABLE: &[&str] = &[
    "CKA_COPYABLE",
    "CKA_MODIFIABLE",
    "CKA_DERIVE",
    "CKA_SIGN_RECOVER",
    "CKA_VERIFY_RECOVER",
    "CKA_LABEL",
];

/// Usage flags that a profile may leave out of a public half.
pub(crate) const OMITTABLE_IN_PUBLIC: &[&str] =
    &["CKA_ENCRYPT", "CKA_VERIFY", "CKA_VERIFY_RECOVER", "CKA_WRAP", "CKA_DERIVE"];

/// What a template is made from.
pub(crate) struct Template<'a> {
    /// Becomes `CKA_ID`.
    pub(crate) id: VersionId,
    /// Fixes class, key type and the usage flags that can be true at all.
    pub(crate) spec: KeySpec,
    /// Fixes which of them are.
    pub(crate) ops: KeyOps,
    /// What the module wants otherwise.
    pub(crate) quirks: &'a Quirks,
}

impl Template<'_> {
    /// The attributes of the private or secret half, without its value.
    pub(crate) fn private(&self, key_type: KeyType) -> Vec<Attribute> {
        let Usage { sign, encrypt, decrypt, wrap, unwrap } = self.usage();
        let asymmetric = is_asymmetric(self.spec);
        let class = if asymmetric { ObjectClass::PRIVATE_KEY } else { ObjectClass::SECRET_KEY };
        let mut attributes = staying(class, key_type, self.id.as_bytes().to_vec(), self.label());
        attributes.extend([
            Attribute::Sign(sign),
            Attribute::Decrypt(decrypt),
            Attribute::Unwrap(unwrap),
            Attribute::Derive(false),
        ]);
        if asymmetric {
            attributes.push(Attribute::SignRecover(false));
        } else {
            attributes.extend([
                Attribute::Verify(false),
                Attribute::Encrypt(encrypt),
                Attribute::Wrap(wrap),
            ]);
        }
        let allowed = self.mechanisms();
        if self.quirks.allowed_mechanisms && !allowed.is_empty() {
            attributes.push(Attribute::AllowedMechanisms(allowed));
        }
        self.accepted(attributes)
    }

    /// The attributes of a private or secret half that is to be wrapped at once: a
    /// session object which can do nothing but leave under a wrapping key, and, where
    /// the wrapping key is `trusted`, under such a one alone.
    pub(crate) fn leaving(&self, key_type: KeyType, trusted: bool) -> Vec<Attribute> {
        let mut attributes = self.private(key_type);
        attributes.retain(|attribute| {
            !matches!(attribute, Attribute::AllowedMechanisms(_) | Attribute::Id(_))
        });
        for attribute in &mut attributes {
            match attribute {
                Attribute::Token(value)
                | Attribute::Sign(value)
                | Attribute::Decrypt(value)
                | Attribute::Unwrap(value)
                | Attribute::Encrypt(value)
                | Attribute::Wrap(value) => *value = false,
                Attribute::Extractable(value) => *value = true,
                _ => {}
            }
        }
        if trusted {
            attributes.push(Attribute::WrapWithTrusted(true));
        }
        attributes
    }

    /// The attributes that a wrapped key is opened with: those of a resident one, but for
    /// the time of a session.
    pub(crate) fn unwrapped(&self, key_type: KeyType) -> Vec<Attribute> {
        let mut attributes = in_session(self.private(key_type));
        // SoftHSM sets them one by one, and after this one no other.
        attributes.sort_by_key(|attribute| matches!(attribute, Attribute::Modifiable(_)));
        attributes
    }

    /// The attributes of a public half that is read once.
    pub(crate) fn passing(&self, key_type: KeyType) -> Vec<Attribute> {
        in_session(self.public(key_type))
    }

    /// The attributes of the public half, without its value.
    pub(crate) fn public(&self, key_type: KeyType) -> Vec<Attribute> {
        idle_public(self.quirks, key_type, self.id.as_bytes().to_vec(), self.label())
    }

    /// The flags on the private half. RSA unwraps by `C_Decrypt`, because the
    /// caller gets the bytes; an HMAC is verified by computing it again.
    fn usage(&self) -> Usage {
        let may = |operation| self.ops.contains(operation);
        let none =
            Usage { sign: false, encrypt: false, decrypt: false, wrap: false, unwrap: false };
        match self.spec.key_type() {
            JoseKeyType::Rsa => Usage {
                sign: may(Operation::Sign),
                decrypt: may(Operation::Decrypt) || may(Operation::UnwrapKey),
                ..none
            },
            JoseKeyType::Ec | JoseKeyType::Okp | JoseKeyType::Akp => {
                Usage { sign: may(Operation::Sign), ..none }
            }
            JoseKeyType::Oct if self.spec.is_hmac() => {
                Usage { sign: may(Operation::Sign) || may(Operation::Verify), ..none }
            }
            JoseKeyType::Oct => Usage {
                sign: false,
                encrypt: may(Operation::Encrypt),
                decrypt: may(Operation::Decrypt),
                wrap: may(Operation::WrapKey),
                unwrap: may(Operation::UnwrapKey),
            },
        }
    }

    /// The mechanisms the private half is pinned to.
    fn mechanisms(&self) -> Vec<MechanismType> {
        let Usage { sign, encrypt, decrypt, wrap, unwrap } = self.usage();
        let mut allowed = Vec::new();
        match self.spec.key_type() {
            JoseKeyType::Rsa => {
                if sign || (decrypt && self.quirks.rsa1_5) {
                    allowed.push(MechanismType::RSA_PKCS);
                }
                if sign {
                    allowed.push(MechanismType::RSA_PKCS_PSS);
                }
                if decrypt {
                    allowed.push(MechanismType::RSA_PKCS_OAEP);
                }
            }
            JoseKeyType::Ec if sign => allowed.push(MechanismType::ECDSA),
            JoseKeyType::Okp if sign => allowed.push(MechanismType::EDDSA),
            JoseKeyType::Oct if self.spec.is_hmac() && sign => allowed.extend([
                MechanismType::SHA256_HMAC,
                MechanismType::SHA384_HMAC,
                MechanismType::SHA512_HMAC,
            ]),
            JoseKeyType::Oct => {
                if encrypt || decrypt {
                    allowed.extend([
                        MechanismType::AES_GCM,
                        MechanismType::AES_CBC,
                        MechanismType::AES_CBC_PAD,
                    ]);
                }
                if wrap || unwrap {
                    allowed.extend([MechanismType::AES_KEY_WRAP, mechanism::rfc_5649(self.quirks)]);
                }
            }
            JoseKeyType::Ec | JoseKeyType::Okp | JoseKeyType::Akp => {}
        }
        allowed
    }

    /// For people who list the token: which program made the object, and its kind.
    fn label(&self) -> Vec<u8> {
        format!("keyreeve {} {}", self.spec, self.id).into_bytes()
    }

    fn accepted(&self, attributes: Vec<Attribute>) -> Vec<Attribute> {
        accepted(self.quirks, attributes)
    }
}

/// The attributes of a private or secret half that stays in its token, and as it is,
/// without its usage flags.
pub(crate) fn staying(
    class: ObjectClass,
    key_type: KeyType,
    id: Vec<u8>,
    label: Vec<u8>,
) -> Vec<Attribute> {
    vec![
        Attribute::Class(class),
        Attribute::KeyType(key_type),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Modifiable(false),
        Attribute::Copyable(false),
        Attribute::Id(id),
        Attribute::Label(label),
    ]
}

/// The attributes of a public half. It is kept so that the public key can be read again,
/// and may do nothing in the token: verifying and encrypting to it happen outside.
pub(crate) fn idle_public(
    quirks: &Quirks,
    key_type: KeyType,
    id: Vec<u8>,
    label: Vec<u8>,
) -> Vec<Attribute> {
    let mut attributes = accepted(
        quirks,
        vec![
            Attribute::Class(ObjectClass::PUBLIC_KEY),
            Attribute::KeyType(key_type),
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Modifiable(false),
            Attribute::Copyable(false),
            Attribute::Id(id),
            Attribute::Label(label),
            Attribute::Encrypt(false),
            Attribute::Verify(false),
            Attribute::VerifyRecover(false),
            Attribute::Wrap(false),
            Attribute::Derive(false),
        ],
    );
    attributes.retain(|attribute| {
        let name = cka_name(attribute.attribute_type());
        !quirks.refused_public_attributes.iter().any(|refused| *refused == name)
    });
    attributes
}

/// Without the attributes that the module refuses.
pub(crate) fn accepted(quirks: &Quirks, mut attributes: Vec<Attribute>) -> Vec<Attribute> {
    attributes.retain(|attribute| {
        let name = cka_name(attribute.attribute_type());
        !quirks.refused_attributes.iter().any(|refused| *refused == name)
    });
    attributes
}

fn in_session(mut attributes: Vec<Attribute>) -> Vec<Attribute> {
    for attribute in &mut attributes {
        if let Attribute::Token(token) = attribute {
            *token = false;
        }
    }
    attributes
}

/// A session object that holds `value` for the time of one wrapping.
pub(crate) fn to_be_wrapped(value: Vec<u8>) -> Wiped {
    let mut attributes = temporary();
    attributes.push(Attribute::Value(value));
    Wiped(attributes)
}

/// A session object that takes unwrapped bytes until they are read.
pub(crate) fn unwrapped() -> Vec<Attribute> {
    temporary()
}

fn temporary() -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
        Attribute::Sign(false),
        Attribute::Verify(false),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
    ]
}

/// Attributes that may hold the private value of a key, wiped when dropped.
pub(crate) struct Wiped(pub(crate) Vec<Attribute>);

impl Drop for Wiped {
    fn drop(&mut self) {
        for attribute in &mut self.0 {
            match attribute {
                Attribute::Value(value)
                | Attribute::PrivateExponent(value)
                | Attribute::Prime1(value)
                | Attribute::Prime2(value)
                | Attribute::Exponent1(value)
                | Attribute::Exponent2(value)
                | Attribute::Coefficient(value) => value.zeroize(),
                _ => {}
            }
        }
    }
}

/// Whether a key of kind `spec` has a public half.
pub(crate) const fn is_asymmetric(spec: KeySpec) -> bool {
    !matches!(spec.key_type(), JoseKeyType::Oct)
}

#[derive(Clone, Copy)]
struct Usage {
    sign: bool,
    encrypt: bool,
    decrypt: bool,
    wrap: bool,
    unwrap: bool,
}

/// The standard's name of the attributes that may be left out.
fn cka_name(attribute: AttributeType) -> &'static str {
    match attribute {
        AttributeType::Copyable => "CKA_COPYABLE",
        AttributeType::Modifiable => "CKA_MODIFIABLE",
        AttributeType::Derive => "CKA_DERIVE",
        AttributeType::SignRecover => "CKA_SIGN_RECOVER",
        AttributeType::VerifyRecover => "CKA_VERIFY_RECOVER",
        AttributeType::Label => "CKA_LABEL",
        AttributeType::Encrypt => "CKA_ENCRYPT",
        AttributeType::Verify => "CKA_VERIFY",
        AttributeType::Wrap => "CKA_WRAP",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private(spec: KeySpec, ops: KeyOps, quirks: &Quirks) -> Vec<Attribute> {
        let id = VersionId::from_bytes([7; 16]);
        Template { id, spec, ops, quirks }.private(KeyType::AES)
    }

    /// Guards against a key that leaves the token: through a value that can be
    /// read, a copy, or a flag the module defaults to true.
    #[test]
    fn every_private_template_is_explicit_and_never_extractable() {
        let quirks = Quirks::default();
        for spec in KeySpec::ALL {
            let attributes = private(spec, spec.operations(), &quirks);
            for expected in [
                Attribute::Token(true),
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Modifiable(false),
                Attribute::Copyable(false),
                Attribute::Derive(false),
            ] {
                assert!(attributes.contains(&expected), "{spec}: {expected:?}");
            }
            let mut flags =
                vec![AttributeType::Sign, AttributeType::Decrypt, AttributeType::Unwrap];
            if !is_asymmetric(spec) {
                flags.extend([AttributeType::Encrypt, AttributeType::Wrap, AttributeType::Verify]);
            }
            for flag in flags {
                assert!(attributes.iter().any(|a| a.attribute_type() == flag), "{spec}: {flag}");
            }
        }
    }

    /// Guards against a key that can be used while it can leave, or leave once it can
    /// be used.
    #[test]
    fn a_key_either_leaves_wrapped_or_works() {
        let quirks = Quirks { allowed_mechanisms: true, ..Quirks::default() };
        let id = VersionId::from_bytes([7; 16]);
        for spec in KeySpec::ALL {
            let template = Template { id, spec, ops: spec.operations(), quirks: &quirks };
            let leaving = template.leaving(KeyType::AES, true);
            for attribute in &leaving {
                let works = matches!(
                    attribute,
                    Attribute::Sign(true)
                        | Attribute::Decrypt(true)
                        | Attribute::Encrypt(true)
                        | Attribute::Wrap(true)
                        | Attribute::Unwrap(true)
                        | Attribute::Derive(true)
                        | Attribute::Token(true)
                        | Attribute::Sensitive(false)
                );
                assert!(!works, "{spec}: {attribute:?}");
            }
            assert!(leaving.contains(&Attribute::Extractable(true)));
            assert!(leaving.contains(&Attribute::WrapWithTrusted(true)));
            let unwrapped = template.unwrapped(KeyType::AES);
            for expected in [
                Attribute::Token(false),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Modifiable(false),
            ] {
                assert!(unwrapped.contains(&expected), "{spec}: {expected:?}");
            }
        }
    }

    /// Guards against a signing key that also decrypts: each flag is true only for
    /// an operation the key was made for.
    #[test]
    fn flags_follow_the_operations() {
        let quirks = Quirks::default();
        let attributes =
            private(KeySpec::Rsa2048, KeyOps::of(&[Operation::Sign, Operation::Verify]), &quirks);
        assert!(attributes.contains(&Attribute::Sign(true)));
        assert!(attributes.contains(&Attribute::Decrypt(false)));
        let attributes = private(
            KeySpec::Aes256,
            KeyOps::of(&[Operation::WrapKey, Operation::UnwrapKey]),
            &quirks,
        );
        for expected in [
            Attribute::Wrap(true),
            Attribute::Unwrap(true),
            Attribute::Encrypt(false),
            Attribute::Decrypt(false),
        ] {
            assert!(attributes.contains(&expected), "{expected:?}");
        }
    }

    /// Guards against a profile whose quirk has no effect.
    #[test]
    fn refused_attributes_are_left_out() {
        let quirks =
            Quirks { refused_attributes: vec!["CKA_COPYABLE".to_owned()], ..Quirks::default() };
        let attributes = private(KeySpec::Aes256, KeyOps::NONE, &quirks);
        assert!(attributes.iter().all(|a| a.attribute_type() != AttributeType::Copyable));
        assert!(attributes.contains(&Attribute::Extractable(false)));
    }
}
