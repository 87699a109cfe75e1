//! The protobuf JSON form of messages (ProtoJSON): `camelCase` names, bytes in
//! base64, times in RFC 3339, enums by name.

use std::sync::LazyLock;

use keyreeve_proto::FILE_DESCRIPTOR_SET;
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::{Serializer, Value};

use crate::failure::Failure;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the compiler made the descriptors")
});

/// One object, indented, with every field so that its shape is always the same.
pub(crate) fn to_string<T: Message + Name>(message: &T) -> String {
    let mut dynamic = DynamicMessage::new(descriptor::<T>());
    dynamic.transcode_from(message).expect("a message fits its own descriptor");
    let mut serializer = Serializer::pretty(Vec::new());
    let options = SerializeOptions::new().skip_default_fields(false);
    dynamic
        .serialize_with_options(&mut serializer, &options)
        .expect("writing to memory does not fail, and all times are in range");
    String::from_utf8(serializer.into_inner()).expect("JSON is UTF-8")
}

/// Reads a `Ciphertext`: as it is, or inside what a command or call returned.
pub(crate) fn parse_ciphertext(text: &str) -> Result<keyreeve_proto::v1::Ciphertext, Failure> {
    let mut value: Value =
        serde_json::from_str(text).map_err(|e| unreadable::<keyreeve_proto::v1::Ciphertext>(&e))?;
    for outer in ["wrappedKey", "wrapped_key", "ciphertext"] {
        if let Some(inner) = value.get_mut(outer).filter(|inner| inner.is_object()) {
            value = inner.take();
            break;
        }
    }
    parse_value(value)
}

fn parse_value<T: Message + Name + Default>(value: Value) -> Result<T, Failure> {
    DynamicMessage::deserialize(descriptor::<T>(), value)
        .map_err(|error| unreadable::<T>(&error))?
        .transcode_to()
        .map_err(|error| unreadable::<T>(&error))
}

fn descriptor<T: Name>() -> MessageDescriptor {
    POOL.get_message_by_name(&T::full_name()).expect("every message is in the descriptors")
}

fn unreadable<T: Name>(error: &dyn std::fmt::Display) -> Failure {
    Failure::local(
        format!("the input is not the JSON of a {}: {error}", T::NAME),
        "give it as the other command printed it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use keyreeve_proto::v1::*;

    fn ciphertext() -> Ciphertext {
        Ciphertext {
            version_name: "vaults/p/keys/k/versions/00".into(),
            algorithm: "A256GCM".into(),
            iv: Bytes::from_static(&[0xfb, 0xff]),
            ciphertext: Bytes::from_static(b"ct"),
            tag: Bytes::new(),
        }
    }

    /// Guards against JSON that other protobuf libraries do not read.
    #[test]
    fn the_form_is_protobufs() {
        let expected = r#"{
  "versionName": "vaults/p/keys/k/versions/00",
  "algorithm": "A256GCM",
  "iv": "+/8=",
  "ciphertext": "Y3Q=",
  "tag": ""
}"#;
        assert_eq!(to_string(&ciphertext()), expected);
        let key = Key {
            enabled: Some(true),
            create_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            ..Default::default()
        };
        let value: Value = serde_json::from_str(&to_string(&key)).expect("JSON");
        assert_eq!(value["enabled"], true);
        assert_eq!(value["createTime"], "2023-11-14T22:13:20Z");
        let vault = Vault { tier: vault::Tier::Premium.into(), ..Default::default() };
        let value: Value = serde_json::from_str(&to_string(&vault)).expect("JSON");
        assert_eq!(value["tier"], "PREMIUM");
        let no: Value = serde_json::from_str(&to_string(&VerifyResponse::default())).expect("JSON");
        assert_eq!(no["valid"], false, "what is false is said");
    }

    /// Guards against `encrypt | decrypt` and `data-key | unwrap` not fitting together.
    #[test]
    fn a_ciphertext_is_found_where_commands_put_it() {
        let answer = GenerateDataKeyResponse { key: Bytes::new(), wrapped_key: Some(ciphertext()) };
        let encrypted = EncryptResponse { ciphertext: Some(ciphertext()) };
        for text in [to_string(&ciphertext()), to_string(&answer), to_string(&encrypted)] {
            assert_eq!(parse_ciphertext(&text).expect("a ciphertext"), ciphertext());
        }
    }

    /// Guards against a damaged or foreign object being taken for an empty one.
    #[test]
    fn what_is_no_ciphertext_is_refused() {
        for text in ["", "[]", "1", "{\"nonsense\":1}", "{\"iv\":\"*\"}", "{\"iv\":7}", "{"] {
            assert!(parse_ciphertext(text).is_err(), "{text}");
        }
    }
}
