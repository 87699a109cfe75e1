//! A key that was wrapped in one vendor's token opens in another's that holds the same
//! wrapping key: the blob is RFC 5649 around PKCS#8, whatever a module calls the mechanism.

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use cryptoki::{
    mechanism::Mechanism,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session,
};
use keyreeve_publickey::PublicKey;
use keyreeve_testkit::with_direct_and_kryoptic;
use keyreeve_types::{Curve, SignatureAlgorithm};
use pkcs8::{PrivateKeyInfoRef, der::Decode};

use crate::raw::RawToken;

const WRAPPING: [u8; 32] = [0x4b; 32];

/// Guards against wrapped keys that are bound to the vendor whose token made them, and
/// against two modules that mean different things by padding.
#[test]
fn a_key_wrapped_in_one_token_opens_in_another() {
    with_direct_and_kryoptic(|token| {
        let softhsm = RawToken::open(token);
        let kryoptic = RawToken::open(&token.kryoptic_beside().unwrap());
        for (from, to, way) in [
            (&softhsm, &kryoptic, "from SoftHSM to kryoptic"),
            (&kryoptic, &softhsm, "from kryoptic to SoftHSM"),
        ] {
            for kind in [KeyType::EC, KeyType::RSA] {
                let (blob, public) = wrapped(from, kind);
                assert_is_rfc_5649(&blob, way);
                signs(to, kind, &blob, &public, way);
            }
        }
    });
}

/// Makes a key pair that may leave wrapped, and wraps it.
fn wrapped(token: &RawToken, kind: KeyType) -> (Vec<u8>, PublicKey) {
    let session = token.session();
    let (mechanism, mut public) = match kind {
        KeyType::RSA => (
            Mechanism::RsaPkcsKeyPairGen,
            vec![
                Attribute::ModulusBits(2048.into()),
                Attribute::PublicExponent(vec![0x01, 0x00, 0x01]),
            ],
        ),
        _ => (Mechanism::EccKeyPairGen, vec![Attribute::EcParams(P256.to_vec())]),
    };
    public.extend([Attribute::Token(false), Attribute::Private(false)]);
    let private = [
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(true),
        Attribute::Sign(true),
    ];
    let (public, private) = session.generate_key_pair(&mechanism, &public, &private).unwrap();
    let kek = wrapping_key(&session);
    let mut blob = session.wrap_key(&token.kwp(), kek, private).unwrap();
    // The binding returns a buffer as long as it was asked for.
    blob.truncate(blob.len() / 8 * 8);
    (blob, public_key(&session, public, kind))
}

/// Opens the blob, as a key that never leaves, and signs with it.
fn signs(token: &RawToken, kind: KeyType, blob: &[u8], public: &PublicKey, way: &str) {
    let session = token.session();
    let template = [
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::KeyType(kind),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
    ];
    let kek = wrapping_key(&session);
    let key = session
        .unwrap_key(&token.kwp(), kek, blob, &template)
        .unwrap_or_else(|error| panic!("{kind} {way}: {error}"));
    let digest = [7; 32];
    let (algorithm, mechanism, data) = match kind {
        KeyType::RSA => {
            (SignatureAlgorithm::Rs256, Mechanism::RsaPkcs, [&SHA_256[..], &digest].concat())
        }
        _ => (SignatureAlgorithm::Es256, Mechanism::Ecdsa, digest.to_vec()),
    };
    let signature = session.sign(&mechanism, key, &data).unwrap();
    assert_eq!(public.verify(algorithm, &digest, &signature), Ok(true), "{kind} {way}");
}

/// Whether an implementation that has nothing to do with either module opens it.
fn assert_is_rfc_5649(blob: &[u8], way: &str) {
    let kek = AesKek::new(&AES_256, &WRAPPING).unwrap();
    let mut plaintext = vec![0; blob.len()];
    let plaintext =
        kek.unwrap_with_padding(blob, &mut plaintext).unwrap_or_else(|_| panic!("{way}"));
    // SoftHSM fills up with zeros before it wraps; DER says how long it is.
    let header: usize = if plaintext[1] == 0x82 {
        4
    } else if plaintext[1] == 0x81 {
        3
    } else {
        2
    };
    let content = match header {
        4 => usize::from(plaintext[2]) << 8 | usize::from(plaintext[3]),
        3 => usize::from(plaintext[2]),
        _ => usize::from(plaintext[1]),
    };
    let (key, padding) = plaintext.split_at(header + content);
    assert!(padding.len() < 8 && padding.iter().all(|byte| *byte == 0), "{way}: {padding:?}");
    PrivateKeyInfoRef::from_der(key).unwrap_or_else(|error| panic!("{way}: {error}"));
}

fn wrapping_key(session: &Session) -> ObjectHandle {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Sensitive(true),
        Attribute::Wrap(true),
        Attribute::Unwrap(true),
        Attribute::Value(WRAPPING.to_vec()),
    ];
    session.create_object(&template).unwrap()
}

fn public_key(session: &Session, object: ObjectHandle, kind: KeyType) -> PublicKey {
    let wanted: &[_] = match kind {
        KeyType::RSA => &[AttributeType::Modulus, AttributeType::PublicExponent],
        _ => &[AttributeType::EcPoint],
    };
    match session.get_attributes(object, wanted).unwrap().as_slice() {
        [Attribute::Modulus(n), Attribute::PublicExponent(e)] => PublicKey::from_rsa(n, e).unwrap(),
        [Attribute::EcPoint(point)] => {
            PublicKey::from_ec_point(Curve::P256, &point[point.len() - 65..]).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

/// 1.2.840.10045.3.1.7
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// `DigestInfo` of SHA-256 (RFC 8017 section 9.2, note 1).
const SHA_256: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
