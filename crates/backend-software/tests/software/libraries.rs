//! Cross-checks with ring, rsa and p256: what one signs or seals the other must
//! verify or open.

use keyreeve_backend::{KeyBackend, Material, NewKey, Sealed, Session};
use keyreeve_backend_software::{Key, SoftwareBackend, SoftwareSession};
use keyreeve_publickey::{Input, PublicKey};
use keyreeve_types::{
    AesMode, Curve, EncryptionAlgorithm, KeyOps, KeySpec, MacAlgorithm, RsaPadding, Secret,
    SignatureAlgorithm, VersionId,
};
use ring::{aead, hmac, rand::SystemRandom, signature as ring_signature};
use rsa::pkcs8::DecodePrivateKey;

use crate::outside::Rng;

const MESSAGE: &[u8] = b"what one library signs the other must verify";

pub(crate) fn generate(spec: KeySpec) -> (SoftwareSession, NewKey<Key>) {
    let mut session = SoftwareBackend::new().open_session().unwrap();
    let id = VersionId::from_bytes([0; 16]);
    let new = session.generate(id, spec, KeyOps::NONE).unwrap();
    (session, new)
}

pub(crate) fn sign(
    session: &mut SoftwareSession,
    key: &Key,
    algorithm: SignatureAlgorithm,
    message: &[u8],
) -> Vec<u8> {
    let mut signature = Vec::new();
    let input = Input::new(algorithm, message);
    session.sign(key, algorithm, input.as_ref(), &mut signature).unwrap();
    signature
}

pub(crate) fn private(new: &NewKey<Key>) -> &[u8] {
    match &new.material {
        Material::Portable(private) => private.expose(),
        Material::Wrapped { .. } | Material::Resident => {
            panic!("the software keystore is portable")
        }
    }
}

fn verifies(public: &PublicKey, algorithm: SignatureAlgorithm, signature: &[u8]) -> bool {
    public.verify(algorithm, Input::new(algorithm, MESSAGE).as_ref(), signature).unwrap()
}

/// Guards against signatures that ring does not take.
#[test]
fn ring_verifies_our_signatures() {
    use SignatureAlgorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    let cases: [(KeySpec, SignatureAlgorithm, &dyn ring_signature::VerificationAlgorithm); 9] = [
        (KeySpec::EcP256, Es256, &ring_signature::ECDSA_P256_SHA256_FIXED),
        (KeySpec::EcP384, Es384, &ring_signature::ECDSA_P384_SHA384_FIXED),
        (KeySpec::Ed25519, EdDsa, &ring_signature::ED25519),
        (KeySpec::Rsa2048, Rs256, &ring_signature::RSA_PKCS1_2048_8192_SHA256),
        (KeySpec::Rsa2048, Rs384, &ring_signature::RSA_PKCS1_2048_8192_SHA384),
        (KeySpec::Rsa3072, Rs512, &ring_signature::RSA_PKCS1_2048_8192_SHA512),
        (KeySpec::Rsa2048, Ps256, &ring_signature::RSA_PSS_2048_8192_SHA256),
        (KeySpec::Rsa2048, Ps384, &ring_signature::RSA_PSS_2048_8192_SHA384),
        (KeySpec::Rsa3072, Ps512, &ring_signature::RSA_PSS_2048_8192_SHA512),
    ];
    for (spec, algorithm, theirs) in cases {
        let (mut session, new) = generate(spec);
        let signature = sign(&mut session, &new.key, algorithm, MESSAGE);
        let spki = new.public.as_ref().unwrap();
        // ring takes the key inside the SubjectPublicKeyInfo: the BIT STRING.
        let inside = rsa::pkcs8::spki::SubjectPublicKeyInfoRef::try_from(&spki[..]).unwrap();
        let key = inside.subject_public_key.raw_bytes();
        let answer =
            ring_signature::UnparsedPublicKey::new(theirs, key).verify(MESSAGE, &signature);
        assert!(answer.is_ok(), "{algorithm} with {spec}");
    }
}

/// Guards against verifying by rules of our own.
#[test]
fn we_verify_the_signatures_of_ring() {
    use ring_signature::KeyPair;
    let random = SystemRandom::new();
    for (curve, algorithm, theirs) in [
        (Curve::P256, SignatureAlgorithm::Es256, &ring_signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        (Curve::P384, SignatureAlgorithm::Es384, &ring_signature::ECDSA_P384_SHA384_FIXED_SIGNING),
    ] {
        let pkcs8 = ring_signature::EcdsaKeyPair::generate_pkcs8(theirs, &random).unwrap();
        let pair =
            ring_signature::EcdsaKeyPair::from_pkcs8(theirs, pkcs8.as_ref(), &random).unwrap();
        let signature = pair.sign(&random, MESSAGE).unwrap();
        let public = PublicKey::from_ec_point(curve, pair.public_key().as_ref()).unwrap();
        assert!(verifies(&public, algorithm, signature.as_ref()), "{algorithm}");
    }
    let (_, new) = generate(KeySpec::Rsa2048);
    let pair = ring_signature::RsaKeyPair::from_pkcs8(private(&new)).unwrap();
    let public = PublicKey::from_spki(new.public.as_ref().unwrap()).unwrap();
    let cases: [(SignatureAlgorithm, &dyn ring_signature::RsaEncoding); 3] = [
        (SignatureAlgorithm::Rs256, &ring_signature::RSA_PKCS1_SHA256),
        (SignatureAlgorithm::Rs512, &ring_signature::RSA_PKCS1_SHA512),
        (SignatureAlgorithm::Ps384, &ring_signature::RSA_PSS_SHA384),
    ];
    for (algorithm, theirs) in cases {
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(theirs, &random, MESSAGE, &mut signature).unwrap();
        assert!(verifies(&public, algorithm, &signature), "{algorithm}");
    }
    let (_, new) = generate(KeySpec::Ed25519);
    let pair = ring_signature::Ed25519KeyPair::from_seed_unchecked(private(&new)).unwrap();
    let public = PublicKey::from_spki(new.public.as_ref().unwrap()).unwrap();
    assert!(verifies(&public, SignatureAlgorithm::EdDsa, pair.sign(MESSAGE).as_ref()));
}

/// Guards against a key or signature that p256 reads otherwise.
#[test]
fn p256_and_we_verify_each_other() {
    use p256::{
        ecdsa::{
            Signature, SigningKey, VerifyingKey,
            signature::{Signer, Verifier},
        },
        pkcs8::{DecodePrivateKey, DecodePublicKey},
    };
    let (mut session, new) = generate(KeySpec::EcP256);
    let spki = new.public.as_ref().unwrap();
    let signature = sign(&mut session, &new.key, SignatureAlgorithm::Es256, MESSAGE);
    let theirs = VerifyingKey::from_public_key_der(spki).unwrap();
    assert!(theirs.verify(MESSAGE, &Signature::from_slice(&signature).unwrap()).is_ok());
    let signing = SigningKey::from_pkcs8_der(private(&new)).unwrap();
    let signature: Signature = signing.sign(MESSAGE);
    let public = PublicKey::from_spki(spki).unwrap();
    assert!(verifies(&public, SignatureAlgorithm::Es256, &signature.to_bytes()));
}

/// Guards against an RSA ciphertext that only we can open. The other direction is
/// in the conformance suite.
#[test]
fn the_rsa_crate_decrypts_what_we_encrypt() {
    let (_, new) = generate(KeySpec::Rsa2048);
    let public = PublicKey::from_spki(new.public.as_ref().unwrap()).unwrap();
    let theirs = rsa::RsaPrivateKey::from_pkcs8_der(private(&new)).unwrap();
    for padding in RsaPadding::ALL {
        let mut ciphertext = Vec::new();
        public.encrypt(padding, MESSAGE, &mut ciphertext).unwrap();
        let plaintext = match padding {
            RsaPadding::Oaep => {
                theirs.decrypt_blinded(&mut Rng, rsa::Oaep::<sha1::Sha1>::new(), &ciphertext)
            }
            RsaPadding::Oaep256 => {
                theirs.decrypt_blinded(&mut Rng, rsa::Oaep::<rsa::sha2::Sha256>::new(), &ciphertext)
            }
            RsaPadding::Pkcs1V15 => {
                theirs.decrypt_blinded(&mut Rng, rsa::Pkcs1v15Encrypt, &ciphertext)
            }
        };
        assert_eq!(plaintext.unwrap(), MESSAGE, "{}", padding.name());
        let long = vec![0; padding.max_plaintext(256) + 1];
        assert!(public.encrypt(padding, &long, &mut ciphertext).is_err(), "{}", padding.name());
    }
}

/// Guards against GCM and HMAC that only agree with themselves.
#[test]
fn ring_opens_what_we_seal_and_computes_the_same_macs() {
    for (spec, theirs) in
        [(KeySpec::Aes128, &aead::AES_128_GCM), (KeySpec::Aes256, &aead::AES_256_GCM)]
    {
        let (mut session, new) = generate(spec);
        let key = aead::LessSafeKey::new(aead::UnboundKey::new(theirs, private(&new)).unwrap());
        let mut ciphertext = Vec::new();
        let made =
            session.encrypt(&new.key, AesMode::Gcm, b"aad", MESSAGE, &mut ciphertext).unwrap();
        let nonce = || aead::Nonce::try_assume_unique_for_key(made.iv()).unwrap();
        let mut sealed = [ciphertext.as_slice(), made.tag()].concat();
        let opened = key.open_in_place(nonce(), aead::Aad::from(b"aad"), &mut sealed).unwrap();
        assert_eq!(opened, MESSAGE, "{spec}");

        let mut theirs = MESSAGE.to_vec();
        let tag = key
            .seal_in_place_separate_tag(nonce(), aead::Aad::from(b"other"), &mut theirs)
            .unwrap();
        let sealed =
            Sealed { iv: made.iv(), aad: b"other", ciphertext: &theirs, tag: tag.as_ref() };
        let algorithm = EncryptionAlgorithm::Aes(spec, AesMode::Gcm);
        let mut plaintext = Vec::new();
        session.decrypt(&new.key, algorithm, sealed, &mut plaintext).unwrap();
        assert_eq!(plaintext, MESSAGE, "{spec}");
    }
    let (mut session, new) = generate(KeySpec::Hmac512);
    for (algorithm, theirs) in [
        (MacAlgorithm::Hs256, hmac::HMAC_SHA256),
        (MacAlgorithm::Hs384, hmac::HMAC_SHA384),
        (MacAlgorithm::Hs512, hmac::HMAC_SHA512),
    ] {
        let mut tag = Vec::new();
        session.mac(&new.key, algorithm, MESSAGE, &mut tag).unwrap();
        let key = hmac::Key::new(theirs, private(&new));
        assert_eq!(tag, hmac::sign(&key, MESSAGE).as_ref(), "{algorithm}");
    }
}

/// Guards against material that does not open to the key it was made with.
#[test]
fn every_generated_key_passes_the_checks_of_an_import() {
    for spec in KeySpec::ALL.into_iter().filter(|spec| *spec != KeySpec::Rsa4096) {
        let (_, new) = generate(spec);
        let private = Secret::new(private(&new).to_vec());
        assert_eq!(keyreeve_import::check(spec, &private), Ok(()), "{spec}");
    }
}
