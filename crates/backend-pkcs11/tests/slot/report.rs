//! What a module offers and what it does not, line by line: made from the live slot, and
//! held against `docs/hsm-modules.md`.

use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::Path};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::MechanismType as M,
};
use keyreeve_backend::{Capabilities, KeyBackend};
use keyreeve_backend_pkcs11::Pkcs11Backend;
use keyreeve_testkit::Token;
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeySpec, KeyType, MacAlgorithm, RsaPadding, SignatureAlgorithm,
    WrapAlgorithm,
};

/// Asserts that the page says of the module behind `token` what its slot says of itself;
/// with `KEYREEVE_BLESS` set, makes it say so. A module without a section is printed.
pub(crate) fn check(token: &Token, backend: &Pkcs11Backend) {
    let made = section(backend.capabilities(), &listed(token));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hsm-modules.md");
    let page = fs::read_to_string(&path).unwrap();
    let begin = format!("<!-- generated: {} -->\n", token.vendor);
    let end = format!("<!-- end: {} -->\n", token.vendor);
    let Some((before, rest)) = page.split_once(&begin) else {
        return eprintln!("{}\n{made}", backend.capabilities().backend);
    };
    let (there, after) = rest.split_once(&end).expect("where the section ends");
    eprintln!("{}\n{made}", backend.capabilities().backend);
    if env::var_os("KEYREEVE_BLESS").is_some() {
        fs::write(&path, format!("{before}{begin}{made}{end}{after}")).unwrap();
    } else {
        assert!(
            there == made,
            "docs/hsm-modules.md is not what {} reports: run `KEYREEVE_BLESS=1 cargo test -p \
             keyreeve-backend-pkcs11 --test slot conformance -- --test-threads 1` and read what \
             changed. It should be:\n{made}",
            token.vendor
        );
    }
}

/// The mechanisms that the module lists.
fn listed(token: &Token) -> BTreeSet<String> {
    let module = Pkcs11::new(&token.module).unwrap();
    // A module's second list of functions is the first, or one that is to be initialised.
    let _ = module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
    let slots = module.get_slots_with_token().unwrap();
    let lists = slots.into_iter().flat_map(|slot| module.get_mechanism_list(slot).unwrap());
    lists.map(|mechanism| mechanism.to_string()).collect()
}

fn section(has: &Capabilities, listed: &BTreeSet<String>) -> String {
    let mut lines = Lines { listed, offered: String::from("\n"), missing: String::new() };
    lines.of("Keys", &KeySpec::ALL, &has.generate, KeySpec::to_string, makes, |_| true);
    let key = |fits: &dyn Fn(KeySpec) -> bool| has.generate.iter().any(|spec| fits(*spec));
    let name = |a: &SignatureAlgorithm| a.name().to_owned();
    lines.of("Sign", &SignatureAlgorithm::ALL, &has.sign, name, signs, |a| {
        key(&|spec| a.fits(spec))
    });
    let name = |a: &MacAlgorithm| a.name().to_owned();
    lines.of("MAC", &MacAlgorithm::ALL, &has.mac, name, macs, |a| key(&|spec| a.fits(spec)));
    let name = |a: &EncryptionAlgorithm| a.name().to_owned();
    lines.of("Decrypt", &EncryptionAlgorithm::ALL, &has.decrypt, name, decrypts, |a| {
        key(&|spec| a.fits(spec))
    });
    let name = |a: &WrapAlgorithm| a.name().to_owned();
    lines.of("Unwrap", &WrapAlgorithm::ALL, &has.unwrap, name, unwraps, |a| {
        key(&|spec| a.fits(spec))
    });
    format!("{}\n| not offered | why |\n|---|---|\n{}\n", lines.offered, lines.missing)
}

struct Lines<'a> {
    listed: &'a BTreeSet<String>,
    offered: String,
    missing: String,
}

impl Lines<'_> {
    /// One line for what is offered, and one for each that is not.
    fn of<T: PartialEq>(
        &mut self,
        title: &str,
        all: &[T],
        has: &[T],
        name: impl Fn(&T) -> String,
        needs: impl Fn(&T) -> Vec<M>,
        has_key: impl Fn(&T) -> bool,
    ) {
        let offered: Vec<_> = all.iter().filter(|one| has.contains(one)).map(&name).collect();
        let offered = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
        writeln!(self.offered, "- {title}: {offered}").unwrap();
        for one in all.iter().filter(|one| !has.contains(one)) {
            let needed = needs(one).into_iter().map(|mechanism| mechanism.to_string());
            let missing: Vec<_> = needed.filter(|name| !self.listed.contains(name)).collect();
            let why = match (needs(one).is_empty(), missing.is_empty()) {
                (true, _) => "not over PKCS#11 yet".to_owned(),
                (_, false) => format!("the module lists no {}", missing.join(", ")),
                _ if !has_key(one) => "it has no key for it".to_owned(),
                _ if title == "Keys" => {
                    "the size or curve is not its, a trial failed, or the profile leaves it out"
                        .to_owned()
                }
                _ => "the profile leaves it out, or a trial failed".to_owned(),
            };
            writeln!(self.missing, "| {title}: {} | {why} |", name(one)).unwrap();
        }
    }
}

fn makes(spec: &KeySpec) -> Vec<M> {
    match spec.key_type() {
        KeyType::Rsa => vec![M::RSA_PKCS_KEY_PAIR_GEN],
        KeyType::Ec => vec![M::ECC_KEY_PAIR_GEN, M::ECDSA],
        KeyType::Okp => vec![M::ECC_EDWARDS_KEY_PAIR_GEN, M::EDDSA],
        KeyType::Oct if spec.is_hmac() => vec![M::GENERIC_SECRET_KEY_GEN],
        KeyType::Oct => vec![M::AES_KEY_GEN],
        KeyType::Akp => vec![],
    }
}

fn signs(algorithm: &SignatureAlgorithm) -> Vec<M> {
    use SignatureAlgorithm as A;
    match algorithm {
        A::Rs256 | A::Rs384 | A::Rs512 => vec![M::RSA_PKCS],
        A::Ps256 | A::Ps384 | A::Ps512 => vec![M::RSA_PKCS_PSS],
        A::Es256 | A::Es384 | A::Es512 | A::Es256K => vec![M::ECDSA],
        A::EdDsa => vec![M::EDDSA],
        A::MlDsa65 => vec![],
    }
}

fn macs(algorithm: &MacAlgorithm) -> Vec<M> {
    vec![match algorithm {
        MacAlgorithm::Hs256 => M::SHA256_HMAC,
        MacAlgorithm::Hs384 => M::SHA384_HMAC,
        MacAlgorithm::Hs512 => M::SHA512_HMAC,
    }]
}

fn decrypts(algorithm: &EncryptionAlgorithm) -> Vec<M> {
    vec![match algorithm {
        EncryptionAlgorithm::Rsa(padding) => rsa(*padding),
        EncryptionAlgorithm::Aes(_, AesMode::Gcm) => M::AES_GCM,
        EncryptionAlgorithm::Aes(_, AesMode::Cbc) => M::AES_CBC,
        EncryptionAlgorithm::Aes(_, AesMode::CbcPad) => M::AES_CBC_PAD,
    }]
}

fn unwraps(algorithm: &WrapAlgorithm) -> Vec<M> {
    vec![match algorithm {
        WrapAlgorithm::Rsa(padding) => rsa(*padding),
        WrapAlgorithm::AesKw(_) => M::AES_KEY_WRAP,
        WrapAlgorithm::AesKwp => M::AES_KEY_WRAP_PAD,
    }]
}

const fn rsa(padding: RsaPadding) -> M {
    match padding {
        RsaPadding::Oaep | RsaPadding::Oaep256 => M::RSA_PKCS_OAEP,
        RsaPadding::Pkcs1V15 => M::RSA_PKCS,
    }
}
