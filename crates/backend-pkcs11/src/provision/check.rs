//! What the module does with each of our algorithms, tried on throwaway session
//! objects and judged in software, and how fast.
//!
//! The operations run through the very code that serves, with capabilities that list
//! everything: so what the service would not offer is tried as well, and the report
//! can say which of the two, the profile or the module, is in the way.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aws_lc_rs::{hmac, key_wrap, rand};
use cryptoki::{
    mechanism::{MechanismInfo, MechanismType},
    object::{Attribute, ObjectHandle},
    session::Session as Raw,
};
use keyreeve_backend::{Capabilities, Error, Sealed, Session as _};
use keyreeve_publickey::PublicKey;
use keyreeve_types::{
    Digest, EncryptionAlgorithm, KeyOps, KeySpec, KeyType, MacAlgorithm, Operation,
    SignatureAlgorithm, VersionId, WrapAlgorithm,
};
use serde::{Deserialize, Serialize};

use super::Token;
use crate::{
    backend::Shared,
    curve,
    error::{classify, describe},
    mechanism::{self, Offered},
    public,
    session::{Pkcs11Key, Pkcs11Session},
    template::{Template, is_asymmetric},
    trial,
};

/// How long an operation is repeated to learn its speed.
const MEASURED: Duration = Duration::from_millis(40);

/// One algorithm with one kind of key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The kind of key, as `EC P-256`.
    pub key: String,
    /// The algorithm, or `generate`.
    pub algorithm: String,
    /// The mechanism that runs it, as `CKM_ECDSA`.
    pub mechanism: String,
    /// Whether the module lists the mechanism.
    pub listed: bool,
    /// Whether the service offers the algorithm on this slot.
    pub offered: bool,
    /// What a trial gave.
    pub verdict: Verdict,
    /// Why not, where it did not work.
    pub detail: String,
    /// Operations a second in one session; `None` where it did not work. Encrypting
    /// and decrypting together are one, and so are wrapping and unwrapping.
    pub per_second: Option<u64>,
}

/// What a trial gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The result is right.
    Works,
    /// The module refused.
    Refused,
    /// The module answered, and the result is not right.
    Wrong,
}

impl Token {
    /// Tries every algorithm of ours with every kind of key that fits.
    ///
    /// # Errors
    ///
    /// If the token cannot be asked for its mechanisms, or gives no session.
    pub fn algorithms(&self) -> Result<Vec<Row>, Error> {
        let (shared, offered) = Shared::of(Arc::clone(&self.slot), self.profile.clone())?;
        let capabilities = shared.capabilities.clone();
        let shared = Arc::new(Shared { capabilities: everything(&capabilities), ..shared });
        let mut bench = Bench { shared, offered, capabilities, rows: Vec::new() };
        for spec in KeySpec::ALL {
            if curve::key_type(spec).is_some() {
                bench.kind(spec)?;
            }
        }
        Ok(bench.rows)
    }
}

/// As if the slot could do all there is.
fn everything(real: &Capabilities) -> Capabilities {
    Capabilities {
        generate: KeySpec::ALL.to_vec(),
        import: KeySpec::ALL.to_vec(),
        sign: SignatureAlgorithm::ALL.to_vec(),
        mac: MacAlgorithm::ALL.to_vec(),
        decrypt: EncryptionAlgorithm::ALL.to_vec(),
        unwrap: WrapAlgorithm::ALL.to_vec(),
        ..real.clone()
    }
}

struct Bench {
    shared: Arc<Shared>,
    offered: Offered,
    /// What the service offers.
    capabilities: Capabilities,
    rows: Vec<Row>,
}

impl Bench {
    fn kind(&mut self, spec: KeySpec) -> Result<(), Error> {
        let Some(generate) = mechanism::generate(spec) else { return Ok(()) };
        let mechanism = generate.mechanism_type();
        let listed =
            self.offered.has(mechanism, |info| info.generate() || info.generate_key_pair());
        let offered = self.capabilities.generate.contains(&spec);
        // The throwaway keys of this kind live as long as this session.
        let keeper = self.shared.slot.open_session()?;
        let started = Instant::now();
        let first = first_use(spec);
        let made = self.generate(&keeper, spec, first);
        let took = started.elapsed();
        let (verdict, detail) = match &made {
            Ok(_) => (Verdict::Works, String::new()),
            Err(error) => (Verdict::Refused, text(error)),
        };
        let works = made.is_ok();
        self.rows.push(Row {
            key: spec.to_string(),
            algorithm: "generate".to_owned(),
            mechanism: mechanism.to_string(),
            listed,
            offered,
            verdict,
            detail,
            per_second: works.then(|| per_second(1, took)),
        });
        let Ok(key) = made else { return Ok(()) };
        for algorithm in SignatureAlgorithm::ALL.into_iter().filter(|a| a.fits(spec)) {
            self.sign(&key, algorithm)?;
        }
        for algorithm in MacAlgorithm::ALL.into_iter().filter(|a| a.fits(spec)) {
            self.mac(&keeper, spec, algorithm)?;
        }
        for algorithm in EncryptionAlgorithm::ALL.into_iter().filter(|a| a.fits(spec)) {
            self.crypt(&key, algorithm)?;
        }
        for algorithm in WrapAlgorithm::ALL.into_iter().filter(|a| a.fits(spec)) {
            // RSA unwraps by decrypting, which was tried.
            if !matches!(algorithm, WrapAlgorithm::Rsa(_)) {
                self.wrap(&keeper, spec, algorithm)?;
            }
        }
        Ok(())
    }

    fn sign(&mut self, key: &Key, algorithm: SignatureAlgorithm) -> Result<(), Error> {
        let Some(sign) = mechanism::sign(algorithm) else { return Ok(()) };
        let mechanism = sign.mechanism.mechanism_type();
        let listed = self.offered.has(mechanism, MechanismInfo::sign);
        let offered = listed && self.capabilities.sign.contains(&algorithm);
        let input = trial::trial_input(algorithm);
        let mut signature = Vec::new();
        self.row(key.key.spec, algorithm.name(), mechanism, listed, offered, |session, judge| {
            signature.clear();
            session.sign(&key.key, algorithm, &input, &mut signature)?;
            if !judge {
                return Ok(true);
            }
            let public = key.public.as_ref().ok_or(Error::CorruptKey)?;
            Ok(matches!(public.verify(algorithm, &input, &signature), Ok(true)))
        })
    }

    fn mac(&mut self, keeper: &Raw, spec: KeySpec, algorithm: MacAlgorithm) -> Result<(), Error> {
        let mechanism = mechanism::mac(algorithm).mechanism_type();
        let listed = self.offered.has(mechanism, MechanismInfo::sign);
        let offered = listed && self.capabilities.mac.contains(&algorithm);
        let (key, value) = match self.known(keeper, spec, KeyOps::of(&[Operation::Sign])) {
            Ok(known) => known,
            Err(error) => {
                self.refused(spec, algorithm.name(), mechanism, listed, offered, &error);
                return Ok(());
            }
        };
        let sha = match algorithm.digest() {
            Digest::Sha256 => hmac::HMAC_SHA256,
            Digest::Sha384 => hmac::HMAC_SHA384,
            Digest::Sha512 => hmac::HMAC_SHA512,
        };
        let message = b"keyreeve trial message";
        let expected = hmac::sign(&hmac::Key::new(sha, &value), message);
        self.row(spec, algorithm.name(), mechanism, listed, offered, |session, _| {
            let mut tag = Vec::new();
            session.mac(&key, algorithm, message, &mut tag)?;
            Ok(tag == expected.as_ref())
        })
    }

    fn crypt(&mut self, key: &Key, algorithm: EncryptionAlgorithm) -> Result<(), Error> {
        let plaintext = [0x5a; 32];
        let offered = self.capabilities.decrypt.contains(&algorithm);
        let key_ = key.key.clone();
        let spec = key.key.spec;
        match algorithm {
            EncryptionAlgorithm::Rsa(padding) => {
                let mechanism = mechanism::rsa(padding).mechanism_type();
                let listed = self.offered.has(mechanism, MechanismInfo::decrypt);
                let public = key.public.as_ref().ok_or(Error::CorruptKey)?;
                let mut sealed = Vec::new();
                public.encrypt(padding, &plaintext, &mut sealed)?;
                // PKCS#1 v1.5 may work and is still not offered: its answers are an oracle.
                self.row(spec, algorithm.name(), mechanism, listed, offered, |session, _| {
                    let mut out = Vec::new();
                    session.decrypt(&key_, algorithm, Sealed::rsa(&sealed), &mut out)?;
                    Ok(out == plaintext)
                })
            }
            EncryptionAlgorithm::Aes(_, mode) => {
                use keyreeve_types::AesMode as M;
                let mechanism = match mode {
                    M::Gcm => MechanismType::AES_GCM,
                    M::Cbc => MechanismType::AES_CBC,
                    M::CbcPad => MechanismType::AES_CBC_PAD,
                };
                let listed = self.offered.has(mechanism, MechanismInfo::decrypt);
                self.row(spec, algorithm.name(), mechanism, listed, offered, |session, _| {
                    let (aad, mut ciphertext, mut out) = (&b""[..], Vec::new(), Vec::new());
                    let made = session.encrypt(&key_, mode, aad, &plaintext, &mut ciphertext)?;
                    let sealed =
                        Sealed { iv: made.iv(), aad, ciphertext: &ciphertext, tag: made.tag() };
                    session.decrypt(&key_, algorithm, sealed, &mut out)?;
                    Ok(out == plaintext && ciphertext != plaintext)
                })
            }
        }
    }

    /// A wrapped key must be what RFC 3394 and RFC 5649 say, or no other slot opens it.
    fn wrap(&mut self, keeper: &Raw, spec: KeySpec, algorithm: WrapAlgorithm) -> Result<(), Error> {
        let padded = algorithm == WrapAlgorithm::AesKwp;
        let mechanism = match padded {
            true => mechanism::rfc_5649(&self.shared.quirks),
            false => MechanismType::AES_KEY_WRAP,
        };
        let listed = self.offered.has(mechanism, |info| info.wrap() && info.unwrap());
        let offered = self.capabilities.unwrap.contains(&algorithm);
        let ops = KeyOps::of(&[Operation::WrapKey, Operation::UnwrapKey]);
        let (key, value) = match self.known(keeper, spec, ops) {
            Ok(known) => known,
            Err(error) => {
                self.refused(spec, algorithm.name(), mechanism, listed, offered, &error);
                return Ok(());
            }
        };
        // A length that KWP has to pad.
        let plaintext = vec![0x5a; if padded { 27 } else { 32 }];
        let expected = in_software(&value, &plaintext, padded);
        self.row(spec, algorithm.name(), mechanism, listed, offered, |session, _| {
            let (mut wrapped, mut out) = (Vec::new(), Vec::new());
            session.wrap(&key, padded, &plaintext, &mut wrapped)?;
            let right = expected.as_ref().is_none_or(|expected| *expected == wrapped);
            session.unwrap(&key, algorithm, &wrapped, &mut out)?;
            Ok(right && out == plaintext)
        })
    }

    /// Runs `operation` once for the verdict, and again for its speed: it is told
    /// whether its result is to be judged.
    fn row(
        &mut self,
        spec: KeySpec,
        algorithm: &str,
        mechanism: MechanismType,
        listed: bool,
        offered: bool,
        mut operation: impl FnMut(&mut Pkcs11Session, bool) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut session = Pkcs11Session::open(Arc::clone(&self.shared))?;
        let (verdict, detail) = match operation(&mut session, true) {
            Ok(true) => (Verdict::Works, String::new()),
            Ok(false) => (Verdict::Wrong, "the result is not what software computes".to_owned()),
            Err(error @ (Error::CorruptKey | Error::FaultyResult)) => {
                (Verdict::Wrong, error.to_string())
            }
            Err(error) => (Verdict::Refused, text(&error)),
        };
        let mut speed = None;
        if verdict == Verdict::Works {
            let (started, mut count) = (Instant::now(), 0);
            while started.elapsed() < MEASURED {
                operation(&mut session, false)?;
                count += 1;
            }
            speed = Some(per_second(count, started.elapsed()));
        }
        let (key, algorithm) = (spec.to_string(), algorithm.to_owned());
        let mechanism = mechanism.to_string();
        let per_second = speed;
        self.rows.push(Row {
            key,
            algorithm,
            mechanism,
            listed,
            offered,
            verdict,
            detail,
            per_second,
        });
        Ok(())
    }

    fn refused(
        &mut self,
        spec: KeySpec,
        algorithm: &str,
        mechanism: MechanismType,
        listed: bool,
        offered: bool,
        error: &Error,
    ) {
        self.rows.push(Row {
            key: spec.to_string(),
            algorithm: algorithm.to_owned(),
            mechanism: mechanism.to_string(),
            listed,
            offered,
            verdict: Verdict::Refused,
            detail: text(error),
            per_second: None,
        });
    }

    fn generate(&self, keeper: &Raw, spec: KeySpec, ops: KeyOps) -> Result<Key, Error> {
        let (Some(mechanism), Some(key_type)) = (mechanism::generate(spec), curve::key_type(spec))
        else {
            return Err(Error::Unsupported);
        };
        let template = Template { id: random_id()?, spec, ops, quirks: &self.shared.quirks };
        let mut private = session_object(template.private(key_type));
        let (handle, public) = if is_asymmetric(spec) {
            let mut public = session_object(template.public(key_type));
            match spec.key_type() {
                KeyType::Rsa => {
                    let bits = spec.bits().map_or(0, u64::from);
                    public.push(Attribute::ModulusBits(bits.into()));
                    public.push(Attribute::PublicExponent(vec![0x01, 0x00, 0x01]));
                }
                _ => {
                    let params = curve::ec_params(spec).ok_or(Error::Unsupported)?;
                    public.push(Attribute::EcParams(params.to_vec()));
                }
            }
            let made = keeper.generate_key_pair(&mechanism, &public, &private);
            let (public, private) = made.map_err(|error| failed(&error))?;
            let attributes = public::attributes(keeper, public, spec);
            let public = attributes.map_err(|error| failed(&error))?.parse()?;
            (private, Some(Arc::new(public)))
        } else {
            let bytes = spec.bits().map_or(0, |bits| u64::from(bits / 8));
            private.push(Attribute::ValueLen(bytes.into()));
            let made = keeper.generate_key(&mechanism, &private);
            (made.map_err(|error| failed(&error))?, None)
        };
        Ok(Key { key: opened(handle, spec, public.clone()), public })
    }

    /// A secret key whose value is known here, to compare with.
    fn known(
        &self,
        keeper: &Raw,
        spec: KeySpec,
        ops: KeyOps,
    ) -> Result<(Pkcs11Key, Vec<u8>), Error> {
        let mut value = vec![0; spec.bits().map_or(0, |bits| bits as usize / 8)];
        rand::fill(&mut value).map_err(|_| Error::FaultyResult)?;
        let key_type = curve::key_type(spec).ok_or(Error::Unsupported)?;
        let template = Template { id: random_id()?, spec, ops, quirks: &self.shared.quirks };
        let mut attributes = session_object(template.private(key_type));
        attributes.push(Attribute::Value(value.clone()));
        let handle = keeper.create_object(&attributes).map_err(|error| failed(&error))?;
        Ok((opened(handle, spec, None), value))
    }
}

struct Key {
    key: Pkcs11Key,
    public: Option<Arc<PublicKey>>,
}

fn opened(handle: ObjectHandle, spec: KeySpec, public: Option<Arc<PublicKey>>) -> Pkcs11Key {
    let verifier = public.filter(|_| spec.key_type() == KeyType::Rsa);
    Pkcs11Key { handle, spec, verifier, _object: None }
}

/// What the one key of a kind is made for: making one takes long. A key that wraps is
/// another, since none may both wrap and decrypt.
fn first_use(spec: KeySpec) -> KeyOps {
    match spec.key_type() {
        KeyType::Oct if spec.is_aes() => KeyOps::of(&[Operation::Encrypt, Operation::Decrypt]),
        KeyType::Rsa => KeyOps::of(&[
            Operation::Sign,
            Operation::Verify,
            Operation::Encrypt,
            Operation::Decrypt,
        ]),
        _ => KeyOps::of(&[Operation::Sign, Operation::Verify]),
    }
}

/// The same as a session object: nothing of a trial stays in the token.
pub(super) fn session_object(mut attributes: Vec<Attribute>) -> Vec<Attribute> {
    for attribute in &mut attributes {
        if let Attribute::Token(token) = attribute {
            *token = false;
        }
    }
    attributes
}

pub(super) fn random_id() -> Result<VersionId, Error> {
    let mut id = [0; 16];
    rand::fill(&mut id)
        .map_err(|_| Error::DeviceFailed("this machine gives no random bytes".to_owned()))?;
    Ok(VersionId::from_bytes(id))
}

/// `None` where there is no such key size in software.
fn in_software(key: &[u8], plaintext: &[u8], padded: bool) -> Option<Vec<u8>> {
    use key_wrap::{AES_128, AES_256, AesKek, KeyWrap as _, KeyWrapPadded as _};
    let algorithm = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return None,
    };
    let kek = AesKek::new(algorithm, key).ok()?;
    let mut out = vec![0; plaintext.len() + 16];
    let wrapped = if padded {
        kek.wrap_with_padding(plaintext, &mut out)
    } else {
        kek.wrap(plaintext, &mut out)
    };
    wrapped.ok().map(|wrapped| wrapped.to_vec())
}

fn failed(error: &cryptoki::error::Error) -> Error {
    match classify(error) {
        // Which call, and what it said, is the point of the report.
        Error::Unsupported => Error::SessionFailed(describe(error)),
        other => other,
    }
}

fn text(error: &Error) -> String {
    match error {
        Error::SessionFailed(text) | Error::DeviceFailed(text) | Error::NeedsOperator(text) => {
            text.clone()
        }
        other => other.to_string(),
    }
}

fn per_second(count: u32, took: Duration) -> u64 {
    (f64::from(count) / took.as_secs_f64().max(1e-9)).round() as u64
}
