//! The search for a way out: every pair of calls that might reveal a planted key.
//!
//! Keys with known values are planted by the templates that the backend uses. Then
//! whoever has the PIN tries everything: reading, changing attributes, copying with other
//! ones, deriving, and wrapping under each key of the token and under keys of the
//! attacker's own, each by every mechanism; what comes of it is decrypted with every key,
//! unwrapped into an object that can be read, and searched for the planted bytes.
//!
//! That the search would find a way if there were one is shown with templates that are
//! weak on purpose.

use aws_lc_rs::{
    encoding::{AsBigEndian, AsDer, Pkcs8V1Der},
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair},
};
use cryptoki::{
    mechanism::{
        Mechanism, MechanismType,
        aead::GcmParams,
        rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource},
    },
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
};
use keyreeve_backend::Session as _;
use keyreeve_testkit::{Token, with_direct, with_kryoptic};
use keyreeve_types::{KeyOps, KeySpec, Secret};

use crate::{
    custody::SECRET,
    fixture::{DECRYPT, SIGN, WRAP, id, session},
    raw::RawToken,
};

/// Guards against the attacks of Clulow (2003) and of Delaune, Kremer and Steel (2008) on
/// every template that is in use, in SoftHSM.
#[test]
fn nothing_reveals_a_planted_key_in_softhsm() {
    with_direct(|token| assert_nothing_reveals(token, &TEMPLATES));
}

/// Guards against the same where another module fills in what a template leaves open.
#[test]
fn nothing_reveals_a_planted_key_in_kryoptic() {
    with_kryoptic(|token| assert_nothing_reveals(token, &TEMPLATES));
}

/// Guards against a search that finds nothing because it does not search.
#[test]
fn the_search_finds_a_weak_key_in_softhsm() {
    with_direct(|token| assert_weak_is_found(token, &WEAK));
}

/// Guards against the same in kryoptic.
#[test]
fn the_search_finds_a_weak_key_in_kryoptic() {
    with_kryoptic(|token| assert_weak_is_found(token, &WEAK));
}

fn assert_nothing_reveals(token: &Token, templates: &[(KeySpec, KeyOps)]) {
    let mut session = session(token);
    let raw = RawToken::open(token);
    let mut search = Search::new(&raw);
    let mut targets = Vec::new();
    for (n, &(spec, ops)) in (1..).zip(templates) {
        let (private, planted) = key_of(spec);
        session.import(id(n), spec, ops, private).unwrap();
        let handle = raw.private(n);
        search.keys.push((format!("{spec} for {ops:?}"), handle));
        targets.push((format!("{spec} for {ops:?}"), handle, planted));
    }
    for (name, handle, planted) in &targets {
        search.reveal(name, *handle, planted);
    }
    eprintln!("{}: {} attempts over {} templates", token.vendor, search.attempts, targets.len());
    assert!(search.found.is_empty(), "ways out:\n{}", search.found.join("\n"));
    assert!(search.attempts > 1000, "only {} attempts", search.attempts);
}

fn assert_weak_is_found(token: &Token, weaknesses: &[(&str, bool)]) {
    let _session = session(token);
    let raw = RawToken::open(token);
    for (weakness, sensitive) in weaknesses {
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(*sensitive),
            Attribute::Extractable(true),
            Attribute::Modifiable(false),
            Attribute::Copyable(false),
            Attribute::Value(PLANTED.to_vec()),
        ];
        let handle = raw.session().create_object(&template).unwrap();
        let mut search = Search::new(&raw);
        search.reveal(weakness, handle, &PLANTED);
        eprintln!("{}: {weakness}: {}", token.vendor, search.found.join("; "));
        assert!(!search.found.is_empty(), "{weakness}: no way found in {}", search.attempts);
    }
}

/// Every kind of template that the backend makes.
const TEMPLATES: [(KeySpec, KeyOps); 8] = [
    (KeySpec::EcP256, SIGN),
    (KeySpec::Ed25519, SIGN),
    (KeySpec::Rsa2048, SIGN),
    (KeySpec::Rsa2048, DECRYPT),
    (KeySpec::Aes256, DECRYPT),
    (KeySpec::Aes256, WRAP),
    (KeySpec::Aes128, WRAP),
    (KeySpec::Hmac256, SIGN),
];

/// What is wrong with a template, and whether its key is sensitive at least.
const WEAK: [(&str, bool); 2] = [("can be wrapped", true), ("can be read", false)];

const PLANTED: [u8; 32] = *b"planted: nobody may ever see it!";

/// A key to import, and bytes that only its private part has.
fn key_of(spec: KeySpec) -> (Secret<Vec<u8>>, Vec<u8>) {
    let (bytes, planted) = match spec {
        KeySpec::Rsa2048 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref().to_vec();
            // Within the last part, the coefficient of the Chinese remainder theorem.
            let planted = der[der.len() - 48..der.len() - 16].to_vec();
            (der, planted)
        }
        KeySpec::EcP256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            let scalar = pair.private_key().as_be_bytes().unwrap().as_ref().to_vec();
            (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), scalar)
        }
        KeySpec::Aes128 => (PLANTED[..16].to_vec(), PLANTED[..16].to_vec()),
        _ => (PLANTED.to_vec(), PLANTED.to_vec()),
    };
    (Secret::new(bytes), planted)
}

/// What was tried, and what of it revealed a key.
struct Search<'a> {
    raw: &'a RawToken,
    /// Keys to attack with: those of the token, and the attacker's own.
    keys: Vec<(String, ObjectHandle)>,
    attempts: usize,
    found: Vec<String>,
}

impl<'a> Search<'a> {
    /// With keys that anybody with the PIN can make: one that may do everything, of which
    /// the attacker knows the value, and one that was made in the token.
    fn new(raw: &'a RawToken) -> Self {
        let all = |value: Option<Vec<u8>>| {
            let mut template = vec![
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::KeyType(KeyType::AES),
                Attribute::Token(true),
                Attribute::Wrap(true),
                Attribute::Unwrap(true),
                Attribute::Encrypt(true),
                Attribute::Decrypt(true),
                Attribute::Derive(true),
            ];
            template.extend(value.map(Attribute::Value));
            template
        };
        let session = raw.session();
        let known = session.create_object(&all(Some(vec![7; 32]))).unwrap();
        let mut made = all(None);
        made.retain(|attribute| !matches!(attribute, Attribute::Class(_) | Attribute::KeyType(_)));
        made.push(Attribute::ValueLen(32.into()));
        let made = session.generate_key(&Mechanism::AesKeyGen, &made).unwrap();
        let keys = vec![("the attacker's".to_owned(), known), ("a new one".to_owned(), made)];
        Self { raw, keys, attempts: 0, found: Vec::new() }
    }

    /// Tries everything on `target`, whose private part has the bytes `planted`.
    fn reveal(&mut self, name: &str, target: ObjectHandle, planted: &[u8]) {
        self.read(&format!("{name}: read"), target, planted);
        for change in changes() {
            let how = format!("{name}: changed to {change:?}");
            self.attempts += 1;
            let _ = self.raw.session().update_attributes(target, std::slice::from_ref(&change));
            self.read(&how, target, planted);
            for token in [false, true] {
                self.attempts += 1;
                let template = [Attribute::Token(token), change.clone()];
                let session = self.raw.session();
                if let Ok(copy) = session.copy_object(target, &template) {
                    self.read(&format!("{name}: copied with {change:?}"), copy, planted);
                    self.wrap(&format!("{name}: copied with {change:?}"), copy, planted);
                    let _ = session.destroy_object(copy);
                }
            }
        }
        self.wrap(name, target, planted);
        self.derive(name, target, planted);
    }

    fn read(&mut self, how: &str, object: ObjectHandle, planted: &[u8]) {
        for attribute in SECRET {
            self.attempts += 1;
            let read = self.raw.session().get_attributes(object, &[attribute]).unwrap_or_default();
            for attribute in &read {
                if let Attribute::Value(bytes)
                | Attribute::PrivateExponent(bytes)
                | Attribute::Prime1(bytes)
                | Attribute::Prime2(bytes)
                | Attribute::Exponent1(bytes)
                | Attribute::Exponent2(bytes)
                | Attribute::Coefficient(bytes) = attribute
                {
                    self.look(how, bytes, planted);
                }
            }
        }
    }

    /// Wraps it under every key by every mechanism, and opens what comes of that.
    fn wrap(&mut self, name: &str, target: ObjectHandle, planted: &[u8]) {
        for (wrapper, key) in self.keys.clone() {
            for n in 0..MECHANISMS {
                let (mut iv, mut iv_too) = ([0; 12], [0; 12]);
                self.attempts += 1;
                let session = self.raw.session();
                let mechanism = mechanism(n, self.raw, &mut iv);
                let Ok(blob) = session.wrap_key(&mechanism, key, target) else { continue };
                let how = format!("{name}: wrapped under {wrapper} by {mechanism:?}");
                self.look(&how, &blob, planted);
                self.open(&how, &blob, planted, &mut iv_too);
            }
        }
    }

    /// Decrypts and unwraps a blob with every key by every mechanism.
    fn open(&mut self, how: &str, blob: &[u8], planted: &[u8], iv: &mut [u8; 12]) {
        let readable = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::GENERIC_SECRET),
            Attribute::Token(false),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
        ];
        for (opener, key) in self.keys.clone() {
            for n in 0..MECHANISMS {
                self.attempts += 2;
                // The binding's buffer may be longer than what was written into it.
                for len in [blob.len(), blob.len() / 8 * 8, blob.len() / 16 * 16] {
                    let blob = &blob[..len];
                    let session = self.raw.session();
                    if let Ok(bytes) = session.decrypt(&mechanism(n, self.raw, iv), key, blob) {
                        self.look(&format!("{how}, decrypted with {opener}"), &bytes, planted);
                    }
                    let session = self.raw.session();
                    let unwrapped =
                        session.unwrap_key(&mechanism(n, self.raw, iv), key, blob, &readable);
                    if let Ok(object) = unwrapped {
                        let how = format!("{how}, unwrapped with {opener}");
                        let value = session.get_attributes(object, &[AttributeType::Value]);
                        for attribute in value.unwrap_or_default() {
                            if let Attribute::Value(bytes) = attribute {
                                self.look(&how, &bytes, planted);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Derives readable keys from it, by mechanisms that let its bytes through.
    fn derive(&mut self, name: &str, target: ObjectHandle, planted: &[u8]) {
        let readable = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::GENERIC_SECRET),
            Attribute::Token(false),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
            Attribute::ValueLen((planted.len() as u64).into()),
        ];
        let zeros = [0; 32];
        let first = cryptoki::mechanism::misc::ExtractParams::new(0);
        let data = cryptoki::mechanism::misc::KeyDerivationStringData::new(&zeros);
        for mechanism in [
            Mechanism::ConcatenateBaseAndData(data),
            Mechanism::ConcatenateDataAndBase(data),
            Mechanism::XorBaseAndData(data),
            Mechanism::ExtractKeyFromKey(first),
        ] {
            self.attempts += 1;
            let session = self.raw.session();
            if let Ok(object) = session.derive_key(&mechanism, target, &readable) {
                self.read(&format!("{name}: derived by {mechanism:?}"), object, planted);
            }
        }
    }

    /// Whether `bytes` show what was planted, or a good part of it.
    fn look(&mut self, how: &str, bytes: &[u8], planted: &[u8]) {
        let part = &planted[..planted.len().min(16)];
        if bytes.windows(part.len()).any(|window| window == part) {
            self.found.push(how.to_owned());
        }
    }
}

/// Changes of an attribute that would weaken a key.
fn changes() -> Vec<Attribute> {
    vec![
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
        Attribute::Modifiable(true),
        Attribute::Copyable(true),
        Attribute::Private(false),
        Attribute::Wrap(true),
        Attribute::Unwrap(true),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Sign(true),
        Attribute::Derive(true),
        Attribute::AllowedMechanisms(vec![MechanismType::AES_ECB, MechanismType::RSA_X_509]),
    ]
}

const MECHANISMS: usize = 10;

/// The mechanisms that wrap, decrypt and unwrap, by number.
fn mechanism<'a>(n: usize, raw: &RawToken, iv: &'a mut [u8; 12]) -> Mechanism<'a> {
    let oaep = |hash, mgf| PkcsOaepParams::new(hash, mgf, PkcsOaepSource::empty());
    match n {
        0 => Mechanism::AesKeyWrap,
        1 => raw.kwp(),
        2 => Mechanism::AesKeyWrapPad,
        3 => Mechanism::AesCbcPad([0; 16]),
        4 => Mechanism::AesCbc([0; 16]),
        5 => Mechanism::AesEcb,
        6 => Mechanism::AesGcm(GcmParams::new(iv, &[], 128.into()).unwrap()),
        7 => Mechanism::RsaPkcs,
        8 => Mechanism::RsaX509,
        _ => Mechanism::RsaPkcsOaep(oaep(MechanismType::SHA1, PkcsMgfType::MGF1_SHA1)),
    }
}
