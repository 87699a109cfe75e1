//! The backends and the envelope, each operation by itself.
//!
//! The same list of operations runs through the software keystore and through a
//! SoftHSM token, by way of the contract that both keep; what a backend does not
//! list among its capabilities is left out. `cargo bench --bench backends -- FILTER`
//! runs a part.
//!
//! SoftHSM is told where its token is by the environment, which a process cannot
//! set for itself once it has threads: so this program makes the token and starts
//! itself again with the variables set.
//!
//! It refuses to compare with anything: the limits and the whole service are the
//! load generator's.

use std::{
    env,
    error::Error,
    hint::black_box,
    process::{Command, ExitCode},
};

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use keyreeve_backend::{Capabilities, KeyBackend, Material, NewKey, Sealed, Session};
use keyreeve_backend_pkcs11::{Pkcs11Backend, Profile, SlotConfig, TokenSelector};
use keyreeve_backend_software::SoftwareBackend;
use keyreeve_keyhost::envelope;
use keyreeve_publickey::PublicKey;
use keyreeve_testkit::SoftHsm;
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeyOps, KeySpec, MacAlgorithm, Operation, SignInput,
    SignatureAlgorithm, VersionId, WrapAlgorithm,
};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("backends: {error}\n"),
            );
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let (Some(module), Some(label), Some(pin)) =
        (env::var_os(MODULE), env::var(LABEL).ok(), env::var(PIN).ok())
    else {
        let token = SoftHsm::direct()?;
        let status = Command::new(env::current_exe()?)
            .args(env::args_os().skip(1))
            .envs(token.environment.clone())
            .env(MODULE, &token.module)
            .env(LABEL, &token.label)
            .env(PIN, &token.pin)
            .status()?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    };
    let mut profile = Profile::parse(Profile::SOFTHSM2)?;
    profile.module = vec![module.into()];
    for (name, value) in &mut profile.environment {
        *value = env::var(name)?;
    }
    let slot = Pkcs11Backend::open(SlotConfig {
        profile,
        token: TokenSelector { label: Some(label), serial: None },
        pin: pin.into(),
    })?;

    let mut criterion = Criterion::default().configure_from_args();
    backend(&mut criterion, "software", &SoftwareBackend::new())?;
    backend(&mut criterion, "softhsm", &slot)?;
    public_keys(&mut criterion)?;
    envelopes(&mut criterion);
    criterion.final_summary();
    Ok(ExitCode::SUCCESS)
}

/// What the second start of this program is told about its token.
const MODULE: &str = "KEYREEVE_BENCH_MODULE";
const LABEL: &str = "KEYREEVE_BENCH_LABEL";
const PIN: &str = "KEYREEVE_BENCH_PIN";

/// Every operation that `backend` lists.
fn backend<B: KeyBackend>(criterion: &mut Criterion, name: &str, backend: &B) -> Result<()> {
    let mut group = criterion.benchmark_group(name);
    let mut session = backend.open_session()?;
    let able = backend.capabilities();
    sign(&mut group, &mut session, able)?;
    open(&mut group, &mut session, able)?;
    content(&mut group, &mut session)?;
    wrap(&mut group, &mut session, able)?;
    mac(&mut group, &mut session, able)?;
    group.finish();
    Ok(())
}

fn sign<S: Session>(group: &mut Group<'_>, session: &mut S, able: &Capabilities) -> Result<()> {
    for (algorithm, spec) in SIGNATURES {
        if !able.sign.contains(&algorithm) || !able.generate.contains(&spec) {
            continue;
        }
        let key = generate(session, spec, SIGN)?.key;
        let input = vec![0xa5; input_len(algorithm)];
        let mut out = Vec::new();
        group.bench_function(format!("sign/{algorithm}/{spec}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                session.sign(&key, algorithm, black_box(&input), &mut out).expect("it can sign");
            });
        });
    }
    Ok(())
}

/// What a keyhost does when a key is not in its cache.
fn open<S: Session>(group: &mut Group<'_>, session: &mut S, able: &Capabilities) -> Result<()> {
    for spec in [KeySpec::EcP256, KeySpec::Rsa2048] {
        if !able.generate.contains(&spec) {
            continue;
        }
        let id = next_id();
        let NewKey { material, .. } = session.generate(id, spec, SIGN)?;
        let again = || match &material {
            Material::Portable(private) => Material::Portable(private.expose().clone().into()),
            Material::Wrapped { blob, made_for } => {
                Material::Wrapped { blob: blob.clone(), made_for: *made_for }
            }
            Material::Resident => Material::Resident,
        };
        group.bench_function(format!("open/{spec}"), |bencher| {
            bencher.iter(|| black_box(session.open(id, spec, again()).expect("it opens")));
        });
    }
    Ok(())
}

fn content<S: Session>(group: &mut Group<'_>, session: &mut S) -> Result<()> {
    let key = generate(session, KeySpec::Aes256, CONTENT)?.key;
    let algorithm = EncryptionAlgorithm::Aes(KeySpec::Aes256, AesMode::Gcm);
    for len in [64, 4096, 65536] {
        let plaintext = vec![0xa5; len];
        let mut out = Vec::new();
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("encrypt/{algorithm}/{len}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                let plaintext = black_box(&plaintext);
                session.encrypt(&key, AesMode::Gcm, &[], plaintext, &mut out).expect("it encrypts")
            });
        });
        let mut ciphertext = Vec::new();
        let parts = session.encrypt(&key, AesMode::Gcm, &[], &plaintext, &mut ciphertext)?;
        let sealed = Sealed { iv: parts.iv(), aad: &[], ciphertext: &ciphertext, tag: parts.tag() };
        group.bench_function(format!("decrypt/{algorithm}/{len}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                session.decrypt(&key, algorithm, black_box(sealed), &mut out).expect("it decrypts");
            });
        });
    }
    Ok(())
}

fn wrap<S: Session>(group: &mut Group<'_>, session: &mut S, able: &Capabilities) -> Result<()> {
    if !able.unwrap.contains(&WrapAlgorithm::AesKwp) {
        return Ok(());
    }
    let key = generate(session, KeySpec::Aes256, WRAP)?.key;
    let (mut wrapped, mut out) = (Vec::new(), Vec::new());
    session.wrap(&key, true, &[0xa5; 32], &mut wrapped)?;
    group.throughput(Throughput::Elements(1));
    group.bench_function("wrap/AES-KWP/32", |bencher| {
        bencher.iter(|| {
            out.clear();
            session.wrap(&key, true, black_box(&[0xa5; 32]), &mut out).expect("it wraps");
        });
    });
    group.bench_function("unwrap/AES-KWP/32", |bencher| {
        bencher.iter(|| {
            out.clear();
            let wrapped = black_box(&wrapped);
            session.unwrap(&key, WrapAlgorithm::AesKwp, wrapped, &mut out).expect("it unwraps");
        });
    });
    Ok(())
}

fn mac<S: Session>(group: &mut Group<'_>, session: &mut S, able: &Capabilities) -> Result<()> {
    let (algorithm, spec) = (MacAlgorithm::Hs256, KeySpec::Hmac256);
    if !able.mac.contains(&algorithm) || !able.generate.contains(&spec) {
        return Ok(());
    }
    let key = generate(session, spec, SIGN)?.key;
    let mut out = Vec::new();
    group.bench_function("mac/HS256/64", |bencher| {
        bencher.iter(|| {
            out.clear();
            session.mac(&key, algorithm, black_box(&[0xa5; 64]), &mut out).expect("it can mac");
        });
    });
    Ok(())
}

/// What the front does without a backend.
fn public_keys(criterion: &mut Criterion) -> Result<()> {
    let mut group = criterion.benchmark_group("publickey");
    let mut session = SoftwareBackend::new().open_session()?;
    for (algorithm, spec) in SIGNATURES {
        let NewKey { key, public, .. } = generate(&mut session, spec, SIGN)?;
        let public = PublicKey::from_spki(&public.ok_or("a key pair has a public half")?)
            .map_err(keyreeve_backend::Error::from)?;
        let (input, mut signature) = (vec![0xa5; input_len(algorithm)], Vec::new());
        session.sign(&key, algorithm, &input, &mut signature)?;
        group.bench_function(format!("verify/{algorithm}/{spec}"), |bencher| {
            bencher.iter(|| {
                assert_eq!(public.verify(algorithm, black_box(&input), &signature), Ok(true));
            });
        });
    }
    group.finish();
    Ok(())
}

/// Sealing and opening a P-256 key, an RSA-2048 key and a page.
fn envelopes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("envelope");
    for len in [138, 1218, 4096] {
        let (key, plaintext) = ([7; 32], vec![0xa5; len]);
        let sealed = envelope::seal(&key, b"bound to this", &plaintext);
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("seal/{len}"), |bencher| {
            bencher.iter(|| envelope::seal(&key, b"bound to this", black_box(&plaintext)));
        });
        group.bench_function(format!("open/{len}"), |bencher| {
            bencher.iter(|| {
                envelope::open(&key, b"bound to this", black_box(&sealed)).expect("it opens")
            });
        });
    }
    group.finish();
}

fn generate<S: Session>(session: &mut S, spec: KeySpec, ops: KeyOps) -> Result<NewKey<S::Key>> {
    Ok(session.generate(next_id(), spec, ops)?)
}

/// In a token two keys of one id are one key.
fn next_id() -> VersionId {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut id = [0; 16];
    id[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    VersionId::from_bytes(id)
}

const fn input_len(algorithm: SignatureAlgorithm) -> usize {
    match algorithm.input() {
        SignInput::Digest(digest) => digest.len(),
        SignInput::Message => 32,
    }
}

const SIGN: KeyOps = KeyOps::of(&[Operation::Sign, Operation::Verify]);
const CONTENT: KeyOps = KeyOps::of(&[Operation::Encrypt, Operation::Decrypt]);
const WRAP: KeyOps = KeyOps::of(&[Operation::WrapKey, Operation::UnwrapKey]);

const SIGNATURES: [(SignatureAlgorithm, KeySpec); 8] = [
    (SignatureAlgorithm::Es256, KeySpec::EcP256),
    (SignatureAlgorithm::Es384, KeySpec::EcP384),
    (SignatureAlgorithm::Es512, KeySpec::EcP521),
    (SignatureAlgorithm::Es256K, KeySpec::EcSecp256k1),
    (SignatureAlgorithm::EdDsa, KeySpec::Ed25519),
    (SignatureAlgorithm::Rs256, KeySpec::Rsa2048),
    (SignatureAlgorithm::Ps256, KeySpec::Rsa3072),
    (SignatureAlgorithm::MlDsa65, KeySpec::MlDsa65),
];
