//! Which mechanism runs which algorithm, and what the token really offers.

use cryptoki::{
    context::Pkcs11,
    error::Error as Pkcs11Error,
    mechanism::{
        Mechanism, MechanismInfo, MechanismType,
        eddsa::{EddsaParams, EddsaSignatureScheme},
        rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource, PkcsPssParams},
        vendor_defined::VendorDefinedMechanism,
    },
    slot::Slot as SlotId,
};
use keyreeve_backend::{Capabilities, Custody, Error};
use keyreeve_pkcs11_raw::AES_KEY_WRAP_KWP;
use keyreeve_types::{
    AesMode, Digest, EncryptionAlgorithm, KeySpec, KeyType, MacAlgorithm, RsaPadding,
    SignatureAlgorithm, WrapAlgorithm,
};

use crate::{
    error::{classify, describe},
    profile::{AES_KW, Profile, Quirks},
};

/// How a signature is made: the mechanism, and what is put before the digest.
pub(crate) struct SignMechanism {
    pub(crate) mechanism: Mechanism<'static>,
    /// `DigestInfo` up to the digest, for PKCS#1 v1.5 (RFC 8017 section 9.2, note 1).
    pub(crate) prefix: &'static [u8],
}

/// The mechanism that signs a ready digest (or a message, for EdDSA).
///
/// The hashing mechanisms (`CKM_ECDSA_SHA256` and the like) are not used: SoftHSM
/// has none for ECDSA, and the digest is made where the message is.
pub(crate) fn sign(algorithm: SignatureAlgorithm) -> Option<SignMechanism> {
    use SignatureAlgorithm as A;
    let plain = |mechanism| Some(SignMechanism { mechanism, prefix: &[] });
    let pkcs1 = |prefix| Some(SignMechanism { mechanism: Mechanism::RsaPkcs, prefix });
    match algorithm {
        A::Rs256 => pkcs1(&SHA256_PREFIX),
        A::Rs384 => pkcs1(&SHA384_PREFIX),
        A::Rs512 => pkcs1(&SHA512_PREFIX),
        A::Ps256 => plain(pss(MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, 32)),
        A::Ps384 => plain(pss(MechanismType::SHA384, PkcsMgfType::MGF1_SHA384, 48)),
        A::Ps512 => plain(pss(MechanismType::SHA512, PkcsMgfType::MGF1_SHA512, 64)),
        A::Es256 | A::Es384 | A::Es512 | A::Es256K => plain(Mechanism::Ecdsa),
        A::EdDsa => plain(Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure))),
        A::MlDsa65 => None,
    }
}

/// The mechanism of an HMAC.
pub(crate) const fn mac(algorithm: MacAlgorithm) -> Mechanism<'static> {
    match algorithm.digest() {
        Digest::Sha256 => Mechanism::Sha256Hmac,
        Digest::Sha384 => Mechanism::Sha384Hmac,
        Digest::Sha512 => Mechanism::Sha512Hmac,
    }
}

/// The mechanism that decrypts RSA. The label of OAEP is empty.
pub(crate) fn rsa(padding: RsaPadding) -> Mechanism<'static> {
    let oaep =
        |hash, mgf| Mechanism::RsaPkcsOaep(PkcsOaepParams::new(hash, mgf, PkcsOaepSource::empty()));
    match padding {
        RsaPadding::Oaep => oaep(MechanismType::SHA1, PkcsMgfType::MGF1_SHA1),
        RsaPadding::Oaep256 => oaep(MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
        RsaPadding::Pkcs1V15 => Mechanism::RsaPkcs,
    }
}

/// The mechanism that is RFC 5649 here, if the token has it.
pub(crate) fn kwp(quirks: &Quirks, offered: &Offered) -> Option<MechanismType> {
    let mechanism = rfc_5649(quirks);
    offered.has(mechanism, |info| info.wrap() && info.unwrap()).then_some(mechanism)
}

/// What RFC 5649 is called: by PKCS#11 3.0, or as the profile vouches.
pub(crate) fn rfc_5649(quirks: &Quirks) -> MechanismType {
    match quirks.kwp.as_deref() {
        Some("CKM_AES_KEY_WRAP_PAD") => MechanismType::AES_KEY_WRAP_PAD,
        _ => AES_KEY_WRAP_KWP,
    }
}

/// A mechanism that takes no parameter.
pub(crate) fn unparametrised(mechanism: MechanismType) -> Mechanism<'static> {
    Mechanism::VendorDefined(VendorDefinedMechanism::new::<()>(mechanism, None))
}

/// The mechanism that generates a key of kind `spec`.
pub(crate) const fn generate(spec: KeySpec) -> Option<Mechanism<'static>> {
    Some(match spec.key_type() {
        KeyType::Rsa => Mechanism::RsaPkcsKeyPairGen,
        KeyType::Ec => Mechanism::EccKeyPairGen,
        KeyType::Okp => Mechanism::EccEdwardsKeyPairGen,
        KeyType::Oct if spec.is_hmac() => Mechanism::GenericSecretKeyGen,
        KeyType::Oct => Mechanism::AesKeyGen,
        KeyType::Akp => return None,
    })
}

/// The mechanisms of a token with what each may do.
pub(crate) struct Offered(Vec<(MechanismType, MechanismInfo)>);

impl Offered {
    /// Reads the live list, less what the profile excludes.
    pub(crate) fn read(module: &Pkcs11, slot: SlotId, quirks: &Quirks) -> Result<Self, Error> {
        let read = || -> Result<_, Pkcs11Error> {
            let mut offered = Vec::new();
            for mechanism in module.get_mechanism_list(slot)? {
                if quirks.excluded_mechanisms.contains(&mechanism.to_string()) {
                    continue;
                }
                match module.get_mechanism_info(slot, mechanism) {
                    Ok(info) => offered.push((mechanism, info)),
                    Err(error) => {
                        tracing::warn!(%mechanism, error = %describe(&error), "left out");
                    }
                }
            }
            // The binding drops from the list what it has no name for.
            if let Ok(info) = module.get_mechanism_info(slot, AES_KEY_WRAP_KWP) {
                offered.push((AES_KEY_WRAP_KWP, info));
            }
            Ok(offered)
        };
        read().map(Self).map_err(|error| classify(&error))
    }

    /// Whether `mechanism` is there and `can` says it may do what is wanted.
    pub(crate) fn has(
        &self,
        mechanism: MechanismType,
        can: impl Fn(&MechanismInfo) -> bool,
    ) -> bool {
        self.0.iter().any(|(offered, info)| *offered == mechanism && can(info))
    }

    /// Leaves `mechanism` out from now on.
    pub(crate) fn exclude(&mut self, mechanism: MechanismType) {
        self.0.retain(|(offered, _)| *offered != mechanism);
    }

    pub(crate) fn can_generate(&self, spec: KeySpec) -> bool {
        let Some(mechanism) = generate(spec) else { return false };
        let bits = spec.bits().and_then(|bits| usize::try_from(bits).ok()).unwrap_or(0);
        self.has(mechanism.mechanism_type(), |info| match spec.key_type() {
            KeyType::Rsa => {
                info.generate_key_pair()
                    && (info.min_key_size()..=info.max_key_size()).contains(&bits)
            }
            // Sizes of symmetric keys are in bytes in one module and in bits in the
            // next; curves are tried.
            KeyType::Oct => info.generate(),
            _ => info.generate_key_pair(),
        })
    }
}

/// What the slot can do: the profile, the mechanism list, and for curves the trial.
pub(crate) fn capabilities(
    profile: &Profile,
    offered: &Offered,
    curves: &[KeySpec],
) -> Capabilities {
    use MechanismType as M;
    let quirks = &profile.quirks;
    let named = |names: &[String], name: &str| names.iter().any(|n| n == name);
    let crypt = |m| offered.has(m, |info| info.encrypt() && info.decrypt());

    let is_curve = |spec: KeySpec| matches!(spec.key_type(), KeyType::Ec | KeyType::Okp);
    let generate: Vec<_> = KeySpec::ALL
        .into_iter()
        .filter(|spec| offered.can_generate(*spec))
        .filter(|spec| !is_curve(*spec) || curves.contains(spec))
        .collect();
    let has = |spec: KeySpec| generate.contains(&spec);

    let sign = SignatureAlgorithm::ALL.into_iter().filter(|algorithm| {
        generate.iter().any(|spec| algorithm.fits(*spec))
            && sign(*algorithm)
                .is_some_and(|s| offered.has(s.mechanism.mechanism_type(), MechanismInfo::sign))
    });
    let mac = MacAlgorithm::ALL.into_iter().filter(|algorithm| {
        generate.iter().any(|spec| algorithm.fits(*spec))
            && offered.has(mac(*algorithm).mechanism_type(), MechanismInfo::sign)
    });
    let rsa_decrypts = |padding: RsaPadding| {
        let allowed = match padding {
            RsaPadding::Pkcs1V15 => quirks.rsa1_5,
            RsaPadding::Oaep | RsaPadding::Oaep256 => named(&quirks.oaep, padding.name()),
        };
        let m = rsa(padding).mechanism_type();
        allowed && has(KeySpec::Rsa2048) && offered.has(m, MechanismInfo::decrypt)
    };
    let decrypt = EncryptionAlgorithm::ALL.into_iter().filter(|algorithm| match algorithm {
        EncryptionAlgorithm::Rsa(padding) => rsa_decrypts(*padding),
        EncryptionAlgorithm::Aes(spec, AesMode::Gcm) => has(*spec) && crypt(M::AES_GCM),
        EncryptionAlgorithm::Aes(spec, AesMode::Cbc) => has(*spec) && crypt(M::AES_CBC),
        EncryptionAlgorithm::Aes(spec, AesMode::CbcPad) => has(*spec) && crypt(M::AES_CBC_PAD),
    });
    let wraps = offered.has(M::AES_KEY_WRAP, |info| info.wrap() && info.unwrap());
    let aes_kw = named(&quirks.wrap, AES_KW) && wraps;
    let aes_kwp =
        named(&quirks.wrap, WrapAlgorithm::AesKwp.name()) && kwp(quirks, offered).is_some();
    let unwrap = WrapAlgorithm::ALL.into_iter().filter(|algorithm| match algorithm {
        WrapAlgorithm::Rsa(padding) => rsa_decrypts(*padding),
        WrapAlgorithm::AesKw(spec) => has(*spec) && aes_kw,
        WrapAlgorithm::AesKwp => has(KeySpec::Aes256) && aes_kwp,
    });

    Capabilities {
        backend: profile.name.clone(),
        custody: Custody::Resident,
        wrapped: Vec::new(),
        sign: sign.collect(),
        mac: mac.collect(),
        decrypt: decrypt.collect(),
        unwrap: unwrap.collect(),
        import: if quirks.import { generate.clone() } else { Vec::new() },
        generate,
        wrap_with_decrypt: false,
    }
}

fn pss(hash_alg: MechanismType, mgf: PkcsMgfType, salt: u32) -> Mechanism<'static> {
    Mechanism::RsaPkcsPss(PkcsPssParams { hash_alg, mgf, s_len: u64::from(salt).into() })
}

const SHA256_PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
const SHA384_PREFIX: [u8; 19] = [
    0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05,
    0x00, 0x04, 0x30,
];
const SHA512_PREFIX: [u8; 19] = [
    0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05,
    0x00, 0x04, 0x40,
];
