//! A keyhost that dies or hangs under load: the front stays, callers are told to come
//! back for at most three seconds, and no answer is wrong.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use bytes::Bytes;
use keyreeve_client::v1::{self, crypto_service_client::CryptoServiceClient};
use keyreeve_testkit::Keyreeve;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{task::JoinSet, time::sleep};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::caller::{Bare, block_on, client, keyreeve};

const CALLERS: u64 = 16;
/// Load before the blow, and after it.
const BEFORE: Duration = Duration::from_millis(700);
const AFTER: Duration = Duration::from_secs(5);
/// How long calls may fail.
const OUTAGE: Duration = Duration::from_secs(3);

/// Guards against a crash in a vendor's library that takes the service with it, that
/// callers see as anything but "try again", or that mixes answers up.
#[test]
fn a_keyhost_killed_under_load_is_an_outage_of_seconds() {
    let service = Keyreeve::start().expect("a service");
    strike(&service, "dev", "software", Signal::KILL);
    strike(&service, "dev-hsm", "softhsm", Signal::KILL);
}

/// Guards against the same from a call that never returns: PKCS#11 has no time-out,
/// so the process is the only thing that can be ended.
#[test]
fn a_keyhost_that_hangs_under_load_is_an_outage_of_seconds() {
    let service = Keyreeve::start().expect("a service");
    strike(&service, "dev", "software", Signal::STOP);
    strike(&service, "dev-hsm", "softhsm", Signal::STOP);
}

type Shared = Mutex<Outcomes>;

#[derive(Default)]
struct Outcomes {
    signatures: Vec<(Bytes, Bytes)>,
    ciphertexts: Vec<(Bytes, v1::Ciphertext)>,
    /// When each failed, and how.
    failures: Vec<(Instant, Status)>,
    /// When the last one succeeded.
    last: Option<Instant>,
}

fn strike(service: &Keyreeve, vault: &str, keyhost: &str, signal: Signal) {
    let (signer, sealer) = (format!("{vault}/load-sign"), format!("{vault}/load-seal"));
    keyreeve(service, &["key", "create", &signer, "--kty", "EC", "--crv", "P-256"]);
    let ops = ["--ops", "encrypt,decrypt"];
    keyreeve(
        service,
        &[&["key", "create", &sealer, "--kty", "oct", "--size", "256"][..], &ops].concat(),
    );
    let (front, before) = (service.front(), service.keyhost(keyhost).expect("a keyhost"));

    let (stop, outcomes) = (Arc::new(AtomicBool::new(false)), Arc::<Shared>::default());
    let struck = thread::scope(|scope| {
        scope.spawn(|| block_on(load(service, vault, &stop, &outcomes)));
        thread::sleep(BEFORE);
        let struck = Instant::now();
        let pid = Pid::from_raw(i32::try_from(before).expect("a pid")).expect("a pid");
        kill_process(pid, signal).expect("sent");
        thread::sleep(AFTER);
        stop.store(true, Ordering::Relaxed);
        struck
    });
    let outcomes = Arc::into_inner(outcomes).expect("all callers are done");
    let outcomes = outcomes.into_inner().expect("no caller panicked");

    // 1. The front is the same process, the keyhost is another.
    assert!(service.service().children().expect("children").contains(&front));
    let after = service.keyhost(keyhost).expect("a keyhost");
    assert_ne!(after, before, "{keyhost} was not started anew");

    // 2. Failures: UNAVAILABLE, with a time to come back, and soon over.
    let mut longest = Duration::ZERO;
    for (at, status) in &outcomes.failures {
        let since = at.checked_duration_since(struck);
        let since = since.unwrap_or_else(|| panic!("before the blow: {status:?}"));
        longest = longest.max(since);
        assert_eq!(status.code(), Code::Unavailable, "{keyhost} {signal:?}: {status:?}");
        assert!(status.get_details_retry_info().is_some(), "no retry hint: {status:?}");
    }
    assert!(longest < OUTAGE, "{keyhost} {signal:?}: calls failed for {longest:?}");
    let last = outcomes.last.expect("calls succeeded");
    assert!(last > struck + OUTAGE, "{keyhost} {signal:?}: it did not recover");

    // 3. Every answer that was given is right.
    assert!(outcomes.signatures.len() > 100 && outcomes.ciphertexts.len() > 100);
    block_on(check(service, vault, &outcomes));
    eprintln!(
        "{keyhost} {signal:?}: {} signatures and {} ciphertexts right, {} calls told to come \
         back, the last {longest:?} after the blow",
        outcomes.signatures.len(),
        outcomes.ciphertexts.len(),
        outcomes.failures.len(),
    );
}

async fn load(service: &Keyreeve, vault: &str, stop: &Arc<AtomicBool>, outcomes: &Arc<Shared>) {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let bare = Bare::connect(service).await;
        let (vault, stop, outcomes) = (vault.to_owned(), Arc::clone(stop), Arc::clone(outcomes));
        callers.spawn(async move {
            for number in 0_u64.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let text = Bytes::from(format!("caller {caller}, call {number}"));
                let answer = if (caller + number) % 2 == 0 {
                    sign(&bare, &vault, &text).await.map(Answer::Signature)
                } else {
                    encrypt(&bare, &vault, &text).await.map(Answer::Ciphertext)
                };
                let failed = answer.is_err();
                outcomes.lock().expect("no caller panicked").note(text, answer);
                if failed {
                    sleep(Duration::from_millis(10)).await;
                }
            }
        });
    }
    callers.join_all().await;
}

enum Answer {
    Signature(Bytes),
    Ciphertext(v1::Ciphertext),
}

impl Outcomes {
    fn note(&mut self, text: Bytes, answer: Result<Answer, Status>) {
        let now = Instant::now();
        match answer {
            Ok(Answer::Signature(signature)) => self.signatures.push((text, signature)),
            Ok(Answer::Ciphertext(sealed)) => self.ciphertexts.push((text, sealed)),
            Err(status) => return self.failures.push((now, status)),
        }
        self.last = Some(now);
    }
}

async fn sign(bare: &Bare, vault: &str, text: &Bytes) -> Result<Bytes, Status> {
    let request = v1::SignRequest {
        name: format!("vaults/{vault}/keys/load-sign"),
        algorithm: "ES256".to_owned(),
        input: Some(v1::sign_request::Input::Message(text.clone())),
    };
    let mut client = CryptoServiceClient::new(bare.channel.clone());
    Ok(client.sign(bare.request(request)).await?.into_inner().signature)
}

async fn encrypt(bare: &Bare, vault: &str, text: &Bytes) -> Result<v1::Ciphertext, Status> {
    let request = v1::EncryptRequest {
        name: format!("vaults/{vault}/keys/load-seal"),
        plaintext: text.clone(),
        ..Default::default()
    };
    let mut client = CryptoServiceClient::new(bare.channel.clone());
    let answer = client.encrypt(bare.request(request)).await?.into_inner();
    answer.ciphertext.ok_or_else(|| Status::internal("an answer without a ciphertext"))
}

/// Signatures are verified here, ciphertexts are opened by the keyhost that came after.
async fn check(service: &Keyreeve, vault: &str, outcomes: &Outcomes) {
    let client = client(service);
    let signer = client.key(&format!("{vault}/load-sign")).get().await.expect("a key");
    let spki = signer.public_key.expect("a public key").spki;
    let point = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &spki[spki.len() - 65..]);
    for (text, signature) in &outcomes.signatures {
        assert!(point.verify(text, signature).is_ok(), "a wrong signature of {text:?}");
    }
    for some in outcomes.ciphertexts.chunks(256) {
        let requests = some.iter().map(|(_, sealed)| v1::DecryptRequest {
            ciphertext: Some(sealed.clone()),
            ..Default::default()
        });
        let opened = client.batch(requests).await.expect("a batch");
        for ((text, _), opened) in some.iter().zip(opened) {
            assert_eq!(opened.expect("it opens").plaintext, text);
        }
    }
}
