//! Compiles `proto/` without `protoc`, writes `Debug` for what holds secrets, and lists
//! the methods as an enumeration, over which a table can be exhaustive.
//!
//! prost derives a `Debug` that prints every field. Here every `bytes` field, and
//! every string listed in [`SECRET_STRINGS`], shows its length only. It goes by
//! type and not by a list of messages, so that a field added tomorrow is safe
//! before anyone thinks of it.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use protox::prost_reflect::{
    DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor,
};

/// Text that carries what a caller signs or was given as a credential.
const SECRET_STRINGS: [&str; 4] = ["claims", "header", "jwt", "secret_text"];

/// What is large, and rare in a batch beside what is small: it goes by a pointer, or
/// each operation would take the room of the largest.
const BOXED: [&str; 11] = [
    "Operation.request.decrypt",
    "Operation.request.unwrap_key",
    "Operation.request.generate_data_key",
    "Operation.request.re_encrypt",
    "Operation.request.verify_mac",
    "Operation.request.sign_jwt",
    "OperationResult.result.encrypt",
    "OperationResult.result.wrap_key",
    "OperationResult.result.generate_data_key",
    "OperationResult.result.re_encrypt",
    "OperationResult.result.error",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());

    let mut files: Vec<PathBuf> = fs::read_dir(root.join("keyreeve/v1"))?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|e| e == "proto"));
    files.sort();

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    let descriptors = compiler.file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);

    // Without comments and positions: this copy goes into the program.
    let mut bare = protox::Compiler::new([&root])?;
    bare.include_imports(true).include_source_info(false).open_files(&files)?;
    fs::write(out.join("descriptors.bin"), bare.encode_file_descriptor_set())?;

    let redacted: Vec<MessageDescriptor> = messages_of(&compiler.descriptor_pool());
    let mut debug = String::new();
    for message in &redacted {
        write_debug(&mut debug, message)?;
    }
    fs::write(out.join("debug.rs"), debug)?;
    fs::write(out.join("methods.rs"), methods_of(&compiler.descriptor_pool())?)?;

    // Type names let a message find its own descriptor, as for its JSON form.
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    for field in BOXED {
        config.boxed(format!(".keyreeve.v1.{field}"));
    }
    tonic_prost_build::configure()
        .bytes(".")
        .codec_path("crate::codec::MessageCodec")
        .skip_debug(redacted.iter().map(|m| format!(".{}", m.full_name())))
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}

/// An enumeration of our methods. Their names are variants, so that two services cannot
/// have a method of one name.
fn methods_of(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let (mut variants, mut all) = (String::new(), String::new());
    let (mut names, mut services, mut paths) = (String::new(), String::new(), String::new());
    for service in pool.services().filter(|s| s.package_name() == "keyreeve.v1") {
        for method in service.methods() {
            let (name, of) = (method.name(), service.name());
            writeln!(variants, "/// `{of}.{name}`.\n{name},")?;
            writeln!(all, "Self::{name},")?;
            writeln!(names, "Self::{name} => {name:?},")?;
            writeln!(services, "Self::{name} => {of:?},")?;
            writeln!(paths, "\"/{}/{name}\" => Some(Self::{name}),", service.full_name())?;
        }
    }
    Ok(format!(
        "/// Every method of `proto/`.\n\
         #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]\n\
         pub enum Method {{\n{variants}}}\n\
         impl Method {{\n\
         /// All of them, by file and in the order written there.\n\
         pub const ALL: &[Self] = &[\n{all}];\n\
         /// Its name, as `Sign`.\n\
         pub const fn name(self) -> &'static str {{ match self {{\n{names}}} }}\n\
         /// The service it is of, as `CryptoService`.\n\
         pub const fn service(self) -> &'static str {{ match self {{\n{services}}} }}\n\
         /// That of an HTTP path, as `/keyreeve.v1.CryptoService/Sign`.\n\
         pub fn from_path(path: &str) -> Option<Self> {{ match path {{\n{paths}_ => None }} }}\n\
         }}\n"
    ))
}

/// Our messages that hold at least one secret field.
fn messages_of(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    pool.all_messages()
        .filter(|m| m.package_name() == "keyreeve.v1" && m.fields().any(|f| is_secret(&f)))
        .collect()
}

fn is_secret(field: &FieldDescriptor) -> bool {
    match field.kind() {
        Kind::Bytes => true,
        Kind::String => SECRET_STRINGS.contains(&field.name()),
        _ => false,
    }
}

/// The `oneof` written in the file; an `optional` field has one of its own making.
fn real_oneof(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}

/// `Debug` of a message, and of the `oneof`s in it.
fn write_debug(out: &mut String, message: &MessageDescriptor) -> Result<(), Box<dyn Error>> {
    let name = message.name();
    let mut body = String::new();
    let mut oneofs: BTreeMap<String, Vec<FieldDescriptor>> = BTreeMap::new();
    for field in message.fields() {
        if field.is_list() && is_secret(&field) {
            return Err(
                format!("{}: a list of secrets has no redacted form", field.full_name()).into()
            );
        }
        match real_oneof(&field) {
            Some(oneof) => oneofs.entry(oneof.name().to_owned()).or_default().push(field),
            None if is_secret(&field) => {
                writeln!(body, ".field({0:?}, &Length(self.{0}.len()))", field.name())?;
            }
            None => writeln!(body, ".field({0:?}, &self.{0})", field.name())?,
        }
    }
    for oneof in oneofs.keys() {
        writeln!(body, ".field({oneof:?}, &self.{oneof})")?;
    }
    write_impl(out, name, &format!("f.debug_struct({name:?})\n{body}.finish()"))?;

    for (oneof, fields) in oneofs {
        let path = format!("{}::{}", snake(name), camel(&oneof));
        let mut arms = String::new();
        for field in fields {
            let variant = camel(field.name());
            let shown = if is_secret(&field) { "&Length(it.len())" } else { "it" };
            writeln!(
                arms,
                "Self::{variant}(it) => f.debug_tuple({variant:?}).field({shown}).finish(),"
            )?;
        }
        write_impl(out, &path, &format!("match self {{\n{arms}}}"))?;
    }
    Ok(())
}

fn write_impl(out: &mut String, path: &str, body: &str) -> std::fmt::Result {
    writeln!(
        out,
        "impl ::core::fmt::Debug for {path} {{\n\
         fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{\n{body}\n}}\n}}"
    )
}

/// `sign_jwt` to `SignJwt`, as prost names variants.
fn camel(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

/// `SignRequest` to `sign_request`, as prost names modules.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.char_indices() {
        if c.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
