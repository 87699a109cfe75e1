//! Frames between front and keyhost.
//!
//! What is read is written again and read again: the second writing is that of the
//! first. So no frame has a meaning that its own encoding would not carry.

use keyreeve_backend::{Error, InvalidInput};
use keyreeve_keyhost::{
    Binding, LogId,
    frame::{
        DataKeySeal, Encrypted, KeyRef, Opening, PreviousCheckpoint, Request, RequestFrame,
        Response, ResponseFrame, SealedImport,
    },
    fuzzing,
};
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeyId, KeyPolicy, KeySpec, KeyState, MacAlgorithm, RsaPadding,
    SignatureAlgorithm, UnixTime, VaultId, VersionId, WrapAlgorithm,
};

use super::Target;

/// Requests: what a subverted front can send.
pub(super) const REQUEST: Target = Target {
    name: "frame_request",
    max_len: 4096,
    seeds: || {
        requests()
            .into_iter()
            .map(|request| {
                let mut packet = Vec::new();
                fuzzing::begin(&mut packet, 5);
                fuzzing::append_request(&mut packet, &frame(7, Some(opening()), request));
                packet
            })
            .collect()
    },
    run: |input| {
        let Some((since, frames)) = fuzzing::split_head(input) else { return };
        let mut once = Vec::new();
        fuzzing::begin(&mut once, since);
        for body in fuzzing::bodies(frames) {
            let Some(frame) = body.and_then(fuzzing::request) else { break };
            fuzzing::append_request(&mut once, &frame);
        }
        let (since, frames) = fuzzing::split_head(&once).expect("what was written is whole");
        let mut twice = Vec::new();
        fuzzing::begin(&mut twice, since);
        for body in fuzzing::bodies(frames) {
            let body = body.expect("what was written is whole");
            let frame = fuzzing::request(body).expect("what was written can be read");
            fuzzing::append_request(&mut twice, &frame);
        }
        assert_eq!(once, twice);
    },
};

/// Responses: what a subverted keyhost, or the module in it, can send.
pub(super) const RESPONSE: Target = Target {
    name: "frame_response",
    max_len: 4096,
    seeds: || {
        responses()
            .into_iter()
            .map(|response| {
                let mut packet = Vec::new();
                fuzzing::append_response(&mut packet, &ResponseFrame { id: 7, response });
                packet
            })
            .collect()
    },
    run: |input| {
        let mut once = Vec::new();
        for body in fuzzing::bodies(input) {
            let Some(frame) = body.and_then(fuzzing::response) else { break };
            fuzzing::append_response(&mut once, &frame);
        }
        let mut twice = Vec::new();
        for body in fuzzing::bodies(&once) {
            let body = body.expect("what was written is whole");
            let frame = fuzzing::response(body).expect("what was written can be read");
            fuzzing::append_response(&mut twice, &frame);
        }
        assert_eq!(once, twice);
    },
};

/// A request in its frame, with all the time in the world.
pub(super) fn frame<'a>(
    id: u64,
    opening: Option<Opening<'a>>,
    request: Request<'a>,
) -> RequestFrame<'a> {
    RequestFrame { id, shard: 0, deadline_us: u64::MAX, opening, request }
}

fn opening() -> Opening<'static> {
    Opening { binding: binding(), policy: policy(), vault_key: &[1; 114], sealed: &[2; 198] }
}

fn binding() -> Binding {
    Binding {
        vault: VaultId::from_bytes([1; 16]),
        key: KeyId::from_bytes([2; 16]),
        version: VersionId::from_bytes([3; 16]),
    }
}

fn policy() -> KeyPolicy {
    let spec = KeySpec::Aes256;
    KeyPolicy {
        spec,
        made_for: spec.operations(),
        ops: spec.operations(),
        enabled: true,
        not_before: None,
        expires: Some(UnixTime(4_102_444_800)),
        revision: 1,
    }
}

fn requests() -> Vec<Request<'static>> {
    let key = KeyRef { version: binding().version, revision: 1 };
    let (binding, policy, vault_key) = (binding(), policy(), &[1; 114]);
    let sealed =
        SealedImport { recipient: 9, encapsulated: &[4; 32], ciphertext: &[5; 48], aad: b"name" };
    let gcm = EncryptionAlgorithm::Aes(KeySpec::Aes256, AesMode::Gcm);
    vec![
        Request::Describe,
        Request::CreateVaultKey(binding.vault),
        Request::Generate { binding, policy: policy.clone(), vault_key },
        Request::Import { binding, policy: policy.clone(), any_spec: true, vault_key, sealed },
        Request::Reseal { opening: opening(), policy },
        Request::Destroy { opening: opening() },
        Request::Sign { key, algorithm: SignatureAlgorithm::Es256, input: &[6; 32] },
        Request::Mac { key, algorithm: MacAlgorithm::Hs256, message: b"message" },
        Request::VerifyMac { key, algorithm: MacAlgorithm::Hs256, message: b"m", tag: &[7; 32] },
        Request::Encrypt { key, mode: AesMode::CbcPad, aad: b"", plaintext: b"plaintext" },
        Request::Decrypt {
            key,
            algorithm: gcm,
            iv: &[8; 12],
            aad: b"aad",
            ciphertext: b"ciphertext",
            tag: &[9; 16],
        },
        Request::Wrap { key, padded: true, plaintext: b"key" },
        Request::Unwrap { key, algorithm: WrapAlgorithm::AesKwp, wrapped: &[10; 16] },
        Request::GenerateDataKey {
            under: DataKeySeal::Wrap { key, padded: true },
            size: 32,
            wrapped_only: false,
        },
        Request::GenerateDataKey {
            under: DataKeySeal::Gcm { key, aad: b"aad" },
            size: 32,
            wrapped_only: true,
        },
        Request::GenerateDataKey {
            under: DataKeySeal::Rsa { padding: RsaPadding::Oaep256, public: &[11; 294] },
            size: 32,
            wrapped_only: true,
        },
        Request::Random { size: 32 },
        Request::AuditKey(LogId::from_bytes([4; 8])),
        Request::SignCheckpoint {
            log: LogId::from_bytes([4; 8]),
            previous: PreviousCheckpoint::Signed(b"note"),
            size: 9,
            root: [6; 32],
            proof: &[8; 64],
        },
    ]
}

fn responses() -> Vec<Response<'static>> {
    let sealed = Encrypted { iv: &[1; 12], ciphertext: b"ciphertext", tag: &[2; 16] };
    vec![
        Response::Failed(Error::InvalidInput(InvalidInput::DigestLength)),
        Response::Failed(Error::DeviceFailed("CKR_DEVICE_ERROR".into())),
        Response::NotOpen,
        Response::NotAllowed(KeyState::Disabled),
        Response::Done,
        Response::Matches(true),
        Response::Bytes(&[3; 64]),
        Response::Encrypted(sealed),
        Response::DataKey { key: &[4; 32], sealed },
        Response::Key { policy: policy(), sealed: &[5; 198], public: &[6; 91] },
    ]
}
