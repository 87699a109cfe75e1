//! A keyhost that serves whatever a subverted front asks.
//!
//! The real threads and sockets around the software backend, and in the seeds keys
//! that are sealed for it. Whatever well-formed frames come: each is answered, by
//! nothing that holds a private byte, with no fault of the backend, and the keyhost
//! serves on. (What is not well-formed ends it; `tests/keyhost` of its crate has that.)

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use keyreeve_backend::Error;
use keyreeve_backend_software::SoftwareBackend;
use keyreeve_keyhost::{
    Binding, ClientLink, RootKey, envelope,
    frame::{DataKeySeal, KeyRef, MAX_PACKET, Opening, Request, Response},
    fuzzing,
    host::{Custody, Host, Pulse},
    link,
};
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeyId, KeyPolicy, KeySpec, KeyType, MacAlgorithm,
    SignatureAlgorithm, VaultId, VersionId, WrapAlgorithm,
};
use rustix::net::sockopt::{Timeout, set_socket_timeout};

use super::{Target, frames::frame, keys};

pub(super) const TARGET: Target =
    Target { name: "keyhost", max_len: 12_288, seeds, run: |input| live().ask(input) };

/// Most frames of one input that are passed on.
const FRAMES: usize = 16;
/// The id of the request that shows that the keyhost still serves.
const LAST: u64 = u64::MAX;

/// A keyhost in threads of this process.
struct Live {
    link: Mutex<ClientLink>,
    keys: Vec<Sealed>,
}

/// A key that is sealed for it.
struct Sealed {
    binding: Binding,
    policy: KeyPolicy,
    vault_key: Vec<u8>,
    sealed: Vec<u8>,
    private: Vec<u8>,
}

fn live() -> &'static Live {
    static LIVE: OnceLock<Live> = OnceLock::new();
    LIVE.get_or_init(Live::start)
}

impl Live {
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("root.key");
        // Always the same: a corpus of one run opens in the next.
        let text = format!("keyreeve-root-key-v1\n{}\n", "5a".repeat(32));
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("chmod");
        let load = || RootKey::load(&path).expect("a root key");
        let root = load();
        let specs = [KeySpec::EcP256, KeySpec::Aes256, KeySpec::Hmac256, KeySpec::Rsa2048];
        let keys = specs.iter().map(|spec| Sealed::make(&root, *spec)).collect();
        let (front, end) = link(1).expect("sockets");
        let host = Host {
            backend: SoftwareBackend::new(),
            custody: Custody::Root(load()),
            threads: 1,
            protections: Vec::new(),
        };
        thread::spawn(move || host.serve(end, &Arc::new(Pulse::new(1))));
        let link = front.shards().expect("links").pop().expect("one");
        let patience = Some(Duration::from_secs(20));
        set_socket_timeout(&link.reply, Timeout::Recv, patience).expect("a time-out");
        Self { link: Mutex::new(link), keys }
    }

    fn ask(&self, input: &[u8]) {
        let Some((since, frames)) = fuzzing::split_head(input) else { return };
        let mut packet = Vec::new();
        fuzzing::begin(&mut packet, since);
        let mut expected = BTreeSet::from([LAST]);
        for (body, id) in fuzzing::bodies(frames).take(FRAMES).zip(0_u64..) {
            let Some(mut request) = body.and_then(fuzzing::request) else { break };
            if takes_seconds(&request.request) {
                continue;
            }
            (request.id, request.shard, request.deadline_us) = (id, 0, u64::MAX);
            fuzzing::append_request(&mut packet, &request);
            expected.insert(id);
        }
        fuzzing::append_request(&mut packet, &frame(LAST, None, Request::Random { size: 1 }));
        assert!(packet.len() <= MAX_PACKET, "inputs are short");

        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        link.work.send(&packet).expect("the keyhost is there");
        let mut answer = vec![0; MAX_PACKET + 1];
        while !expected.is_empty() {
            let len = link.reply.recv(&mut answer).expect("an answer within the time");
            assert!(len > 0, "the keyhost has ended");
            self.has_no_private_bytes(&answer[..len]);
            for body in fuzzing::bodies(&answer[..len]) {
                let response = body.and_then(fuzzing::response).expect("a keyhost's frame");
                assert!(expected.remove(&response.id), "an answer to nothing");
                no_fault(&response.response);
            }
        }
    }

    fn has_no_private_bytes(&self, answer: &[u8]) {
        for key in &self.keys {
            // PKCS#8 begins with what all keys have in common: look for the middle.
            let middle = key.private.len() / 2;
            let needle = &key.private[middle - 16..middle + 16];
            let found = answer.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "private bytes of a {} key leave the keyhost", key.policy.spec);
        }
    }
}

/// What hostile input must never be able to cause in the software backend.
fn no_fault(response: &Response<'_>) {
    if let Response::Failed(error) = response {
        let lawful = matches!(
            error,
            Error::InvalidInput(_) | Error::Unsupported | Error::CryptoFailed | Error::CorruptKey
        );
        assert!(lawful, "the caller's input is taken for a fault of the backend: {error:?}");
    }
}

/// A search for primes; it would be all that the fuzzer ever does.
fn takes_seconds(request: &Request<'_>) -> bool {
    matches!(request, Request::Generate { policy, .. } if policy.spec.key_type() == KeyType::Rsa)
}

impl Sealed {
    /// As docs/formats.md draws it.
    fn make(root: &RootKey, spec: KeySpec) -> Self {
        let (vault, key) = (VaultId::from_bytes([1; 16]), KeyId::from_bytes([2; 16]));
        let version = VersionId::from_bytes([spec.code() + 16; 16]);
        let policy = KeyPolicy {
            spec,
            made_for: spec.operations(),
            ops: spec.operations(),
            enabled: true,
            not_before: None,
            expires: None,
            revision: 1,
        };
        let (in_the_clear, data_key) = ([3; 32], [4; 32]);
        let ids = [&vault.as_bytes()[..], key.as_bytes(), version.as_bytes()].concat();
        let deployment = root.deployment();
        let aad = [&b"keyreeve vault v1"[..], deployment, vault.as_bytes()].concat();
        let vault_key = root.with_store_kek(|kek| envelope::seal(kek, &aad, &in_the_clear));
        let aad = [&b"keyreeve data key v1"[..], deployment, &ids].concat();
        let mut sealed = vec![1, 1];
        sealed.extend(envelope::seal(&in_the_clear, &aad, &data_key));
        let aad = [&b"keyreeve key v1"[..], deployment, &ids, &policy.to_bytes()].concat();
        let private = keys::make(spec).private;
        sealed.extend(envelope::seal(&data_key, &aad, &private));
        Self { binding: Binding { vault, key, version }, policy, vault_key, sealed, private }
    }

    fn opening(&self) -> Opening<'_> {
        Opening {
            binding: self.binding,
            policy: self.policy.clone(),
            vault_key: &self.vault_key,
            sealed: &self.sealed,
        }
    }

    fn requests(&self) -> Vec<Request<'_>> {
        let key = KeyRef { version: self.binding.version, revision: 1 };
        let reseal = Request::Reseal { opening: self.opening(), policy: self.policy.clone() };
        let narrower = KeyPolicy { enabled: false, revision: 2, ..self.policy.clone() };
        let narrow = Request::Reseal { opening: self.opening(), policy: narrower };
        let mut requests = vec![reseal, narrow, Request::Destroy { opening: self.opening() }];
        let gcm = EncryptionAlgorithm::Aes(self.policy.spec, AesMode::Gcm);
        let aes_kw = WrapAlgorithm::AesKw(KeySpec::Aes256);
        requests.extend(match self.policy.spec {
            KeySpec::EcP256 => {
                vec![Request::Sign { key, algorithm: SignatureAlgorithm::Es256, input: &[6; 32] }]
            }
            KeySpec::Rsa2048 => {
                vec![Request::Sign { key, algorithm: SignatureAlgorithm::Ps256, input: &[6; 32] }]
            }
            KeySpec::Hmac256 => vec![
                Request::Mac { key, algorithm: MacAlgorithm::Hs256, message: b"message" },
                Request::VerifyMac {
                    key,
                    algorithm: MacAlgorithm::Hs256,
                    message: b"message",
                    tag: &[7; 32],
                },
            ],
            _ => vec![
                Request::Encrypt { key, mode: AesMode::Gcm, aad: b"aad", plaintext: b"plain" },
                Request::Encrypt { key, mode: AesMode::Cbc, aad: b"", plaintext: &[1; 16] },
                Request::Decrypt {
                    key,
                    algorithm: gcm,
                    iv: &[8; 12],
                    aad: b"aad",
                    ciphertext: b"plain",
                    tag: &[9; 16],
                },
                Request::Wrap { key, padded: true, plaintext: b"key" },
                Request::Unwrap { key, algorithm: aes_kw, wrapped: &[10; 24] },
                Request::GenerateDataKey {
                    under: DataKeySeal::Gcm { key, aad: b"aad" },
                    size: 32,
                    wrapped_only: false,
                },
            ],
        });
        requests
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = (super::frames::REQUEST.seeds)();
    for key in &live().keys {
        let mut all = Vec::new();
        fuzzing::begin(&mut all, 5);
        for request in key.requests() {
            let mut packet = Vec::new();
            fuzzing::begin(&mut packet, 5);
            let request = frame(1, Some(key.opening()), request);
            fuzzing::append_request(&mut packet, &request);
            fuzzing::append_request(&mut all, &request);
            seeds.push(packet);
        }
        seeds.push(all);
    }
    seeds
}
