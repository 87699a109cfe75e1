//! Every field that can carry a secret, of every method: from the .proto files, so that a
//! new one is tested, too.

use bytes::Bytes;
use keyreeve_proto::FILE_DESCRIPTOR_SET;
use prost::{
    Message as _,
    encoding::{WireType, encode_key, encode_varint},
};
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorSet, field_descriptor_proto::Type,
};
use tonic::{Request, client::Grpc, codegen::http::uri::PathAndQuery};

use super::{Canaries, Errors, Site};
use crate::plain::Plain;

/// Every field of every method that the .proto files show to carry bytes or secret text,
/// each in a call of its own.
pub(super) async fn every_field(site: &Site, canaries: &mut Canaries, errors: &mut Errors) {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
    let ours: Vec<_> = set.file.iter().filter(|file| file.package() == "keyreeve.v1").collect();
    let messages: Vec<_> = ours.iter().flat_map(|file| &file.message_type).collect();
    let channel = site.channel().await;
    let mut fields = 0;
    for (service, method) in ours
        .iter()
        .flat_map(|file| &file.service)
        .flat_map(|service| service.method.iter().map(move |method| (service, method)))
    {
        let input = named(&messages, method.input_type()).expect("an input");
        let path = format!("/keyreeve.v1.{}/{}", service.name(), method.name());
        for field in secret_fields(&messages, input, &[]) {
            let place = format!("{path} {field:?}");
            let message = filled(&messages, input, &field, &mut |bytes| {
                if bytes { canaries.make(&place) } else { canaries.text(&place).into_bytes() }
            });
            fields += 1;
            let mut grpc = Grpc::new(channel.clone());
            grpc.ready().await.expect("it listens");
            let mut request = Request::new(Bytes::from(message));
            let bearer = format!("Bearer {}", site.token());
            request.metadata_mut().insert("authorization", bearer.parse().expect("printable"));
            let path: PathAndQuery = path.parse().expect("a path");
            if let Err(status) = grpc.unary(request, path, Plain).await {
                errors.see(&status);
            }
        }
    }
    assert!(fields > 60, "{fields} fields");
}

fn named<'a>(messages: &[&'a DescriptorProto], name: &str) -> Option<&'a DescriptorProto> {
    let name = name.strip_prefix(".keyreeve.v1.")?;
    messages.iter().find(|message| message.name() == name).copied()
}

/// Ways to the fields of `message` that carry secrets, by the numbers of the fields.
fn secret_fields(
    messages: &[&DescriptorProto],
    message: &DescriptorProto,
    way: &[i32],
) -> Vec<Vec<i32>> {
    let mut found = Vec::new();
    for field in &message.field {
        let way = [way, &[field.number()]].concat();
        if is_secret(field) {
            found.push(way);
        } else if let Some(inner) = named(messages, field.type_name()).filter(|_| way.len() < 5) {
            found.extend(secret_fields(messages, inner, &way));
        }
    }
    found
}

/// As in crates/proto/tests/redaction.rs.
fn is_secret(field: &FieldDescriptorProto) -> bool {
    field.r#type() == Type::Bytes
        || ["claims", "header", "jwt", "secret_text"].contains(&field.name())
}

/// A message with a canary at the end of `way`, and names along it that lead somewhere.
fn filled(
    messages: &[&DescriptorProto],
    message: &DescriptorProto,
    way: &[i32],
    canary: &mut dyn FnMut(bool) -> Vec<u8>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in &message.field {
        let content = match (field.name(), field.r#type()) {
            _ if way.first() == Some(&field.number()) => match named(messages, field.type_name()) {
                Some(inner) => filled(messages, inner, &way[1..], canary),
                None => canary(field.r#type() == Type::Bytes),
            },
            ("name" | "version_name" | "destination_name", Type::String) => {
                b"vaults/dev/keys/aes-gcm".to_vec()
            }
            ("parent", Type::String) => b"vaults/dev".to_vec(),
            ("algorithm", Type::String) => b"A256GCM".to_vec(),
            _ => continue,
        };
        encode_key(field.number().unsigned_abs(), WireType::LengthDelimited, &mut bytes);
        encode_varint(content.len() as u64, &mut bytes);
        bytes.extend(content);
    }
    bytes
}
