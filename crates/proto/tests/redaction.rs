//! No secret shows in `Debug`, whatever message it is in.

use std::{collections::BTreeSet, fmt::Debug};

use keyreeve_proto::{FILE_DESCRIPTOR_SET, v1::*};
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint},
};
use prost_types::{
    DescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

const CANARY: &str = "canary-5d1e";

/// Decodes bytes as one message and shows it.
type Show = fn(&[u8]) -> String;

/// Guards against a secret in a log by way of `{:?}` of a request or an answer. It
/// takes the fields from the .proto files, so a new one is tested too.
#[test]
fn secrets_never_show_in_debug() {
    let shows: [(&str, Show); 25] = [
        ("AddCertificateRequest", show::<AddCertificateRequest>),
        ("AddClientSecretResponse", show::<AddClientSecretResponse>),
        ("Ciphertext", show::<Ciphertext>),
        ("CreateTokenResponse", show::<CreateTokenResponse>),
        ("DecryptRequest", show::<DecryptRequest>),
        ("DecryptResponse", show::<DecryptResponse>),
        ("EncryptRequest", show::<EncryptRequest>),
        ("GenerateDataKeyRequest", show::<GenerateDataKeyRequest>),
        ("GenerateDataKeyResponse", show::<GenerateDataKeyResponse>),
        ("ImportRecipient", show::<ImportRecipient>),
        ("MacRequest", show::<MacRequest>),
        ("MacResponse", show::<MacResponse>),
        ("PublicKey", show::<PublicKey>),
        ("RandomBytesResponse", show::<RandomBytesResponse>),
        ("ReEncryptRequest", show::<ReEncryptRequest>),
        ("SealedKey", show::<SealedKey>),
        ("SignJwtRequest", show::<SignJwtRequest>),
        ("SignJwtResponse", show::<SignJwtResponse>),
        ("SignRequest", show::<SignRequest>),
        ("SignResponse", show::<SignResponse>),
        ("UnwrapKeyRequest", show::<UnwrapKeyRequest>),
        ("UnwrapKeyResponse", show::<UnwrapKeyResponse>),
        ("VerifyMacRequest", show::<VerifyMacRequest>),
        ("VerifyRequest", show::<VerifyRequest>),
        ("WrapKeyRequest", show::<WrapKeyRequest>),
    ];
    let mut untested: BTreeSet<String> = BTreeSet::new();
    for message in messages() {
        let secrets = secret_fields(&message);
        let Some((_, show)) = shows.iter().find(|(name, _)| *name == message.name()) else {
            if !secrets.is_empty() {
                untested.insert(message.name().to_owned());
            }
            continue;
        };
        assert!(!secrets.is_empty(), "{} has no secret: take it off the list", message.name());
        for number in secrets {
            let shown = show(&with_canary(number));
            assert!(!shown.contains(CANARY), "field {number}: {shown}");
            assert!(shown.contains("<11 bytes>"), "field {number} was not set: {shown}");
        }
    }
    assert!(untested.is_empty(), "add these to the list: {untested:?}");
}

/// Guards against a canary that would be hidden even if nothing were redacted: what
/// is no secret does show.
#[test]
fn what_is_no_secret_shows() {
    let request = SignRequest { name: CANARY.to_owned(), ..Default::default() };
    assert!(format!("{request:?}").contains(CANARY));
}

/// Guards against redaction that misses what is nested in a batch or a stream.
#[test]
fn operations_in_a_batch_are_redacted() {
    let result = operation_result::Result::GenerateDataKey(
        GenerateDataKeyResponse { key: CANARY.into(), wrapped_key: None }.into(),
    );
    let batch = BatchResponse { results: vec![OperationResult { result: Some(result) }] };
    let shown = format!("{batch:?}");
    assert!(!shown.contains(CANARY) && shown.contains("<11 bytes>"), "{shown}");
}

/// Guards against a descriptor set that reflection and JSON cannot use because an
/// import is missing from it.
#[test]
fn the_descriptor_set_is_complete() {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("a descriptor set");
    let names: BTreeSet<&str> = set.file.iter().map(|f| f.name()).collect();
    for file in &set.file {
        for import in &file.dependency {
            assert!(names.contains(import.as_str()), "{import} is imported and missing");
        }
    }
    assert!(names.contains("keyreeve/v1/crypto.proto"), "{names:?}");
}

fn show<T: Message + Default + Debug>(bytes: &[u8]) -> String {
    format!("{:?}", T::decode(bytes).expect("the canary is a valid message"))
}

fn messages() -> Vec<DescriptorProto> {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("a descriptor set");
    let ours = set.file.into_iter().filter(|f| f.package() == "keyreeve.v1");
    ours.flat_map(|f| f.message_type).collect()
}

/// Numbers of the fields whose contents must not show.
fn secret_fields(message: &DescriptorProto) -> Vec<u32> {
    let secret = message.field.iter().filter(|f| {
        assert!(f.r#type() != Type::Bytes || f.label() != Label::Repeated, "{}", f.name());
        f.r#type() == Type::Bytes || ["claims", "header", "jwt", "secret_text"].contains(&f.name())
    });
    secret.map(|f| f.number().unsigned_abs()).collect()
}

/// A message in which just field `number` is set, to the canary.
fn with_canary(number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut bytes);
    encode_varint(CANARY.len() as u64, &mut bytes);
    bytes.extend_from_slice(CANARY.as_bytes());
    bytes
}
