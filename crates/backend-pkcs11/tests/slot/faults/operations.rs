//! The operations of a backend, each with the calls it is made of, and with a check of
//! its result.

use keyreeve_backend::{Encrypted, Error, KeyBackend, Material, Sealed, Session};
use keyreeve_publickey::PublicKey;
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeySpec, MacAlgorithm, SignatureAlgorithm, WrapAlgorithm,
};

use crate::fixture::{DECRYPT, SIGN, WRAP, id};

/// An operation, and the functions of PKCS#11 that it calls.
pub(crate) struct Operation<B: KeyBackend> {
    pub(crate) name: &'static str,
    pub(crate) functions: &'static [&'static str],
    /// Whether its input can be a caller's garbage.
    pub(crate) takes_ciphertext: bool,
    /// Runs it. Panics over a wrong result.
    pub(crate) run: fn(&mut Bench<B>, &mut Vec<u8>) -> Result<(), Error>,
}

/// A session with a key for each operation. The session is never replaced from outside.
pub(crate) struct Bench<B: KeyBackend> {
    session: B::Session,
    ec: B::Key,
    public: PublicKey,
    hmac: B::Key,
    tag: Vec<u8>,
    aes: B::Key,
    sealed: (Encrypted, Vec<u8>),
    wrapping: B::Key,
    wrapped: Vec<u8>,
}

const GCM: EncryptionAlgorithm = EncryptionAlgorithm::Aes(KeySpec::Aes256, AesMode::Gcm);
const PLAINTEXT: &[u8] = b"sixteen bytes ok";

impl<B: KeyBackend> Bench<B> {
    pub(crate) fn new(backend: &B) -> Self {
        let mut session = backend.open_session().unwrap();
        let ec = session.generate(id(1), KeySpec::EcP256, SIGN).unwrap();
        let hmac = session.generate(id(2), KeySpec::Hmac256, SIGN).unwrap().key;
        let aes = session.generate(id(3), KeySpec::Aes256, DECRYPT).unwrap().key;
        let wrapping = session.generate(id(4), KeySpec::Aes256, WRAP).unwrap().key;
        let (mut tag, mut sealed, mut wrapped) = (Vec::new(), Vec::new(), Vec::new());
        session.mac(&hmac, MacAlgorithm::Hs256, b"message", &mut tag).unwrap();
        let made = session.encrypt(&aes, AesMode::Gcm, b"aad", PLAINTEXT, &mut sealed).unwrap();
        session.wrap(&wrapping, false, PLAINTEXT, &mut wrapped).unwrap();
        let public = PublicKey::from_spki(&ec.public.unwrap()).unwrap();
        let sealed = (made, sealed);
        Self { session, ec: ec.key, public, hmac, tag, aes, sealed, wrapping, wrapped }
    }

    fn sign(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        self.session.sign(&self.ec, SignatureAlgorithm::Es256, &[7; 32], out)?;
        let sound = self.public.verify(SignatureAlgorithm::Es256, &[7; 32], &out[start..]);
        assert_eq!(sound, Ok(true), "a wrong signature");
        Ok(())
    }

    fn mac(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        self.session.mac(&self.hmac, MacAlgorithm::Hs256, b"message", out)?;
        assert_eq!(&out[start..], self.tag, "a wrong tag");
        Ok(())
    }

    fn encrypt(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let made = self.session.encrypt(&self.aes, AesMode::Gcm, b"aad", PLAINTEXT, out)?;
        let mut back = Vec::new();
        let sealed =
            Sealed { iv: made.iv(), aad: b"aad", ciphertext: &out[start..], tag: made.tag() };
        self.session.decrypt(&self.aes, GCM, sealed, &mut back).unwrap();
        assert_eq!(back, PLAINTEXT, "a wrong ciphertext");
        Ok(())
    }

    fn decrypt(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let (made, ciphertext) = &self.sealed;
        let sealed = Sealed { iv: made.iv(), aad: b"aad", ciphertext, tag: made.tag() };
        self.session.decrypt(&self.aes, GCM, sealed, out)?;
        assert_eq!(&out[start..], PLAINTEXT, "a wrong plaintext");
        Ok(())
    }

    fn wrap(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        self.session.wrap(&self.wrapping, false, PLAINTEXT, out)?;
        assert_eq!(&out[start..], self.wrapped, "a wrong wrapping");
        Ok(())
    }

    fn unwrap(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let algorithm = WrapAlgorithm::AesKw(KeySpec::Aes256);
        self.session.unwrap(&self.wrapping, algorithm, &self.wrapped, out)?;
        assert_eq!(&out[start..], PLAINTEXT, "a wrong key");
        Ok(())
    }

    /// Makes a key and destroys it.
    fn generate(&mut self, _: &mut Vec<u8>) -> Result<(), Error> {
        let new = self.session.generate(id(9), KeySpec::EcP256, SIGN)?;
        assert!(new.public.is_some());
        self.session.destroy(id(9), KeySpec::EcP256)
    }

    fn open(&mut self, _: &mut Vec<u8>) -> Result<(), Error> {
        self.session.open(id(1), KeySpec::EcP256, Material::Resident).map(drop)
    }

    fn random(&mut self, _: &mut Vec<u8>) -> Result<(), Error> {
        let mut bytes = [0; 32];
        self.session.random(&mut bytes)?;
        assert_ne!(bytes, [0; 32], "no random bytes");
        Ok(())
    }
}

// Not derived, which would ask that the backend be `Clone` as well.
impl<B: KeyBackend> Clone for Operation<B> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

/// All of them.
pub(crate) const fn operations<B: KeyBackend>() -> [Operation<B>; 9] {
    [
        Operation {
            name: "sign",
            functions: &["C_SignInit", "C_Sign"],
            takes_ciphertext: false,
            run: Bench::sign,
        },
        Operation {
            name: "mac",
            functions: &["C_SignInit", "C_Sign"],
            takes_ciphertext: false,
            run: Bench::mac,
        },
        Operation {
            name: "encrypt",
            functions: &["C_GenerateRandom", "C_EncryptInit", "C_Encrypt"],
            takes_ciphertext: false,
            run: Bench::encrypt,
        },
        Operation {
            name: "decrypt",
            functions: &["C_DecryptInit", "C_Decrypt"],
            takes_ciphertext: true,
            run: Bench::decrypt,
        },
        Operation {
            name: "wrap",
            functions: &["C_CreateObject", "C_WrapKey"],
            takes_ciphertext: false,
            run: Bench::wrap,
        },
        Operation {
            name: "unwrap",
            functions: &["C_UnwrapKey", "C_GetAttributeValue"],
            takes_ciphertext: true,
            run: Bench::unwrap,
        },
        Operation {
            name: "generate",
            functions: &["C_FindObjectsInit", "C_GenerateKeyPair"],
            takes_ciphertext: false,
            run: Bench::generate,
        },
        Operation {
            name: "open",
            functions: &["C_FindObjectsInit", "C_FindObjects"],
            takes_ciphertext: false,
            run: Bench::open,
        },
        Operation {
            name: "random",
            functions: &["C_GenerateRandom"],
            takes_ciphertext: false,
            run: Bench::random,
        },
    ]
}
