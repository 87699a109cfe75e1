//! The audit log as an operator has it: every answer has its record, through the death
//! of every process; nothing that was sent or given out is in it; anybody can verify it.

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use keyreeve_client::{Client, NewKey, v1};
use keyreeve_testkit::Keyreeve;
use serde_json::Value;
use tokio::task::JoinSet;
use tonic::Code;

use crate::caller::{block_on, client, keyreeve, run};

const WRITERS: usize = 4;

/// What callers were answered.
#[derive(Debug, Default)]
struct Received {
    /// Signatures.
    signed: usize,
    /// Names of keys that there are not, each asked for once.
    absent: BTreeSet<String>,
    /// Keys that were made.
    made: BTreeSet<String>,
}

/// Guards against an answer that leaves before its record is on disk: everything is
/// killed in one instant, again and again, and what callers had received by then must
/// be on record. 12 times; more with KEYREEVE_AUDIT_KILLS.
#[test]
fn every_answer_that_was_received_is_on_record() {
    let kills = env::var("KEYREEVE_AUDIT_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let mut service = Keyreeve::start().expect("a service");
    let mut received = Received::default();
    block_on(async { client(&service).key("dev/k").create(NewKey::ec("P-256")).await })
        .expect("a key");
    for cycle in 0..kills {
        let time = Duration::from_micros(60_000 + (cycle * 7919) % 60_000);
        let settings = ["KEYREEVE_ADDR", "KEYREEVE_CACERT", "KEYREEVE_TOKEN"]
            .map(|name| service.setting(name).to_owned());
        let (now, directory) = thread::scope(|scope| {
            let callers = scope.spawn(|| block_on(call_until_it_fails(settings, cycle)));
            thread::sleep(time);
            let directory = service.kill().expect("it ran");
            (callers.join().expect("callers"), directory)
        });
        received.signed += now.signed;
        received.absent.extend(now.absent);
        received.made.extend(now.made);
        service = Keyreeve::start_in(directory).expect("it starts again");
    }
    let total = received.signed + received.absent.len() + received.made.len();
    assert!(total > usize::try_from(kills).expect("few"), "too few answers to prove anything");

    // One more second, and all that is on disk is under a checkpoint.
    thread::sleep(Duration::from_millis(1500));
    let records = records(&service, &["audit", "query", "--output", "json"]);
    let names = |operation: &str, result: &str| -> BTreeSet<String> {
        let of = |record: &&Value| {
            record["operation"] == operation && record["result"].as_str() == Some(result)
        };
        let name = |record: &Value| record["object"]["name"].as_str().map(str::to_owned);
        records.iter().filter(of).filter_map(name).collect()
    };
    let absent = names("GetKey", "NOT_FOUND");
    let lost: Vec<_> = received.absent.difference(&absent).collect();
    assert!(lost.is_empty(), "answered and not on record: {lost:?}");
    let made = names("CreateKey", "OK");
    let lost: Vec<_> = received.made.difference(&made).collect();
    assert!(lost.is_empty(), "made and not on record: {lost:?}");
    // Signatures of a batch that are made together are one record, which counts them.
    let signatures = |record: &Value| match (&record["operation"], &record["result"]) {
        (operation, result) if operation == "Sign" && result == "OK" => {
            record["number"].as_u64().unwrap_or(1)
        }
        _ => 0,
    };
    let signed = records.iter().map(signatures).sum::<u64>() as usize;
    assert!(signed >= received.signed, "{signed} records of {} signatures", received.signed);
    // Whatever was made was announced first.
    let announced: BTreeSet<_> = records
        .iter()
        .filter(|record| record["operation"] == "CreateKey" && record["phase"] == "intent")
        .filter_map(|record| record["request"].as_str())
        .collect();
    for record in records.iter().filter(|r| r["operation"] == "CreateKey" && r["result"] == "OK") {
        assert!(announced.contains(record["request"].as_str().expect("an id")), "{record}");
    }
    eprintln!("{kills} kills, {total} answers received, all on record");
    let directory = service.stop().expect("it ends");
    verified(&directory.path().join("dev"));
}

async fn call_until_it_fails(settings: [String; 3], cycle: u64) -> Received {
    let [address, ca, token] = settings;
    let builder = Client::builder().address(address).ca_certificate_file(ca).token(token);
    let client = builder.deadline(Duration::from_secs(5)).build().expect("a client");
    let mut callers = JoinSet::new();
    for caller in 0..WRITERS {
        let client = client.clone();
        callers.spawn(async move {
            let mut received = Received::default();
            for number in 0.. {
                let name = format!("x{cycle}-{caller}-{number}");
                match client.key(&format!("dev/{name}")).get().await {
                    Err(error) if error.code() == Some(Code::NotFound) => {
                        received.absent.insert(name.clone());
                    }
                    _ => break,
                }
                if client.key("dev/k").sign("ES256", b"message").await.is_err() {
                    break;
                }
                received.signed += 1;
                if number % 4 == 0 {
                    let key = client.key(&format!("dev/{name}"));
                    if key.create(NewKey::ec("P-256")).await.is_err() {
                        break;
                    }
                    received.made.insert(name);
                }
                let sign = || v1::SignRequest {
                    name: "vaults/dev/keys/k".to_owned(),
                    algorithm: "ES256".to_owned(),
                    input: Some(v1::sign_request::Input::Message(b"batched".to_vec().into())),
                };
                let Ok(results) = client.batch((0..8).map(|_| sign())).await else { break };
                received.signed += results.iter().filter(|result| result.is_ok()).count();
            }
            received
        });
    }
    let mut all = Received::default();
    for received in callers.join_all().await {
        all.signed += received.signed;
        all.absent.extend(received.absent);
        all.made.extend(received.made);
    }
    all
}

/// Guards against anything that a caller sent, or was given, in the log of the service or
/// in its audit log: a canary is in every field of every operation that takes text or
/// bytes of its caller's choice.
#[test]
fn nothing_that_was_sent_or_given_out_is_recorded() {
    let service = Keyreeve::start().expect("a service");
    let mut canaries = block_on(async { sing(&client(&service)).await });
    // A credential that is refused, and a method and names that there are not.
    let wrong = "kr_CANARYcredential0123456789abcdefghijklmnopq";
    let refused = service.command().env("KEYREEVE_TOKEN", wrong).args(["vault", "list"]).output();
    assert!(!refused.expect("it runs").status.success());
    canaries.extend(["CANARY", "canary"].map(|text| text.as_bytes().to_vec()));
    canaries.push(service.setting("KEYREEVE_TOKEN").as_bytes().to_vec());
    thread::sleep(Duration::from_millis(1500));
    let shown = keyreeve(&service, &["audit", "query", "--output", "json"]);
    let records = shown.lines().count();
    assert!(records > 20, "{records} records: too few to prove anything");
    let log = service.log_file();
    let text = fs::read(&log).expect("a log");
    let directory = service.stop().expect("it ends");
    let mut places = vec![
        ("the log of the service".to_owned(), text),
        ("what is shown".to_owned(), shown.into_bytes()),
    ];
    files(&directory.path().join("dev/data/audit"), &mut places);
    for (place, bytes) in &places {
        for canary in &canaries {
            let found = bytes.windows(canary.len()).any(|window| window == canary);
            assert!(!found, "{} is in {place}", String::from_utf8_lossy(canary));
        }
    }
    verified(&directory.path().join("dev"));
}

/// Calls everything with canaries, right and wrong. Gives what was given out.
async fn sing(client: &Client) -> Vec<Vec<u8>> {
    let mut given = Vec::new();
    let text = || "CANARYtext".to_owned();
    let bytes = || bytes::Bytes::from_static(b"CANARYbytes-of-some-length");
    let (ec, aes, mac) = (client.key("dev/ec"), client.key("dev/aes"), client.key("dev/mac"));
    ec.create(NewKey::ec("P-256").tag("CANARYtag", "CANARYvalue")).await.expect("a key");
    aes.create(NewKey::oct(256)).await.expect("a key");
    mac.create(NewKey::oct(256).operations(["sign", "verify"])).await.expect("a key");
    let named = |name: &str| format!("vaults/dev/keys/{name}");
    let signature = ec.sign("ES256", b"CANARYmessage").await.expect("signed");
    given.push(signature.bytes.to_vec());
    assert!(!ec.verify("ES256", b"CANARYother", &signature).await.expect("verified"));
    let jwt = ec.sign_jwt("ES256", r#"{"sub":"CANARYclaim"}"#).await.expect("signed");
    given.push(jwt.into_bytes());
    let key = v1::GenerateDataKeyRequest { name: named("aes"), size: 32, ..Default::default() };
    given.extend(client.call(key).await.map(|made| made.key.to_vec()));
    let random = v1::RandomBytesRequest { parent: "vaults/dev".into(), size: 32 };
    given.extend(client.call(random).await.map(|made| made.data.to_vec()));
    let sealed = v1::EncryptRequest {
        name: named("aes"),
        plaintext: bytes(),
        additional_data: bytes(),
        ..Default::default()
    };
    let sealed = client.call(sealed).await.expect("encrypted");
    for additional_data in [bytes(), bytes::Bytes::from_static(b"CANARYother")] {
        let ciphertext = sealed.ciphertext.clone();
        let open = v1::DecryptRequest { ciphertext, additional_data, ..Default::default() };
        let _ = client.call(open).await;
    }
    let tag = mac.mac("HS256", b"CANARYmessage").await.expect("a MAC");
    given.push(tag.to_vec());
    let _ = mac.verify_mac("HS256", b"CANARYmessage", b"CANARYmac-of-the-length-of-a-tag").await;

    // What is refused: by the door, by the gate, by the operation.
    let sign = |name: String, algorithm: String| v1::SignRequest {
        name,
        algorithm,
        input: Some(v1::sign_request::Input::Digest(bytes())),
    };
    for name in [text(), named("CANARY/x"), named("CANARY ä\n"), format!("vaults/{}/x", text())] {
        assert!(client.call(sign(name.clone(), "ES256".into())).await.is_err());
        let get = v1::GetKeyRequest { name };
        assert!(client.call(get).await.is_err());
    }
    assert!(client.call(sign(named("ec"), text())).await.is_err());
    assert!(client.call(sign(named("ec"), "ES256".into())).await.is_err());
    let page =
        v1::ListKeysRequest { parent: "vaults/dev".into(), page_token: text(), page_size: 1 };
    let _ = client.call(page).await;
    let header = v1::SignJwtRequest {
        name: named("ec"),
        algorithm: "ES256".into(),
        claims: "CANARY no JSON".into(),
        header: "CANARY no JSON".into(),
    };
    assert!(client.call(header).await.is_err());
    let update = v1::UpdateKeyRequest {
        key: Some(v1::Key { name: named("ec"), etag: text(), ..Default::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["CANARYpath".into()] }),
    };
    assert!(client.call(update).await.is_err());
    let make = v1::CreateKeyRequest {
        parent: "vaults/dev".into(),
        key_id: "CANARY id".into(),
        key: Some(v1::Key { key_type: text(), curve: text(), ..Default::default() }),
    };
    assert!(client.call(make).await.is_err());
    let results = client.batch([sign(text(), text()), sign(named("ec"), text())]).await;
    assert!(results.expect("a batch").iter().all(Result::is_err));
    given
}

/// Guards against a log that cannot be verified while the service runs, or by somebody
/// who was given a record, a proof and the public key.
#[test]
fn the_log_of_a_running_service_verifies() {
    let service = Keyreeve::start().expect("a service");
    block_on(async {
        let client = client(&service);
        client.key("dev/k").create(NewKey::ec("P-256")).await.expect("a key");
        for _ in 0..300 {
            client.key("dev/k").sign("ES256", b"m").await.expect("signed");
        }
    });
    thread::sleep(Duration::from_millis(1500));
    let at = |name: &str| service.directory().join(name).display().to_string();
    let data = service.data_dir().join("data");
    let (dir, key) = (data.join("audit"), at("key"));
    // From the service, as an auditor takes it, and not from beside the log.
    let status: Value =
        serde_json::from_str(&keyreeve(&service, &["status", "--output", "json"])).expect("JSON");
    fs::write(&key, status["auditLog"]["verifierKey"].as_str().expect("a key")).expect("written");
    assert_eq!(status["auditLog"]["state"], "RECORDING");
    let dir = dir.display().to_string();
    let verify = ["audit", "verify", "--dir", &dir, "--key", &key, "--output", "json"];
    let report: Value = serde_json::from_str(&keyreeve(&service, &verify)).expect("JSON");
    assert!(report["sound"] == true && report["records"].as_u64() >= Some(300), "{report}");

    let (online, offline) = (at("online"), at("offline"));
    keyreeve(&service, &["audit", "prove", "17", "--out", &online]);
    let args = ["audit", "prove", "17", "--out", &offline, "--dir", &dir, "--key", &key];
    keyreeve(&service, &args);
    for name in [&online, &offline] {
        keyreeve(&service, &["audit", "prove", "--check", name, "--with", &key]);
    }
    let record = format!("{online}.json");
    let changed = fs::read_to_string(&record).expect("a record").replace("token:dev", "token:eve");
    fs::write(&record, changed).expect("written");
    let refused = run(&service, &["audit", "prove", "--check", &online, "--with", &key]);
    assert_eq!(refused.status.code(), Some(1), "a changed record is not proven");

    let by = ["audit", "query", "--operation", "Sign", "--outcome", "ok", "--output", "json"];
    assert_eq!(records(&service, &by).len(), 300);
    let of = [&by[..], &["--dir", &dir, "--key", &key]].concat();
    assert_eq!(records(&service, &of).len(), 300);
    let exported = keyreeve(&service, &["audit", "export", "--operation", "Sign"]);
    assert_eq!(exported.lines().filter(|line| line.contains("\"class_uid\":6003")).count(), 300);
}

/// Guards against records without their request's outcome, against refusals that are not
/// on record, and a flood of strangers that is listed one by one.
#[test]
fn refusals_are_on_record_and_floods_are_counted() {
    let service = Keyreeve::start().expect("a service");
    let refused = |token: &str| {
        let (address, ca) = (service.setting("KEYREEVE_ADDR"), service.setting("KEYREEVE_CACERT"));
        let builder = Client::builder().address(address).ca_certificate_file(ca).token(token);
        builder.deadline(Duration::from_secs(10)).build().expect("a client")
    };
    block_on(async {
        let stranger = refused("kr_nobody");
        for _ in 0..400 {
            let error = stranger.vaults().await.expect_err("nobody knows it");
            assert_eq!(error.code(), Some(Code::Unauthenticated));
        }
    });
    let since = Instant::now();
    let summary = loop {
        let found = records(
            &service,
            &["audit", "query", "--operation", "RequestsRefusedEarly", "--output", "json"],
        );
        if let Some(found) = found.into_iter().next() {
            break found;
        }
        assert!(since.elapsed() < Duration::from_secs(30), "no summary");
        thread::sleep(Duration::from_millis(300));
    };
    let counted = summary["number"].as_u64().expect("how many");
    let args =
        ["audit", "query", "--operation", "ListVaults", "--outcome", "failed", "--output", "json"];
    let listed = records(&service, &args);
    assert!(listed.len() < 100, "{} are listed", listed.len());
    // The client tries once more after it has read its token again.
    assert!(listed.len() as u64 + counted >= 400, "{} and {counted}", listed.len());
    assert!(listed.iter().all(|record| record["reason"] == "BAD_CREDENTIAL"), "{listed:?}");
    assert!(listed.iter().all(|record| record.get("principal").is_none()), "{listed:?}");
}

/// The records that a query shows.
fn records(service: &Keyreeve, arguments: &[&str]) -> Vec<Value> {
    let shown = keyreeve(service, arguments);
    let parse = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
    shown.lines().map(|line| parse(line)["record"].take()).collect()
}

/// Verifies the log of a service that has ended.
pub(crate) fn verified(dev: &Path) {
    let data = dev.join("data");
    let key = fs::read_to_string(data.join("audit.vkey")).expect("a key");
    let key = key.trim_end().parse().expect("a key");
    let report = keyreeve_audit::verify(&data.join("audit"), &key, None);
    assert!(report.is_clean(), "{report:?}");
}

fn files(directory: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.display().to_string(), fs::read(&path).expect("a file")));
        }
    }
}
