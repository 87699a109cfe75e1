//! The fuzz targets: everything that parses what others can write, and what must
//! hold of it whatever they write.
//!
//! A target is a function of bytes that panics where a promise is broken. That the
//! parser itself does not panic is the least of it; the rest is in the targets: what
//! is read and written again is the same, what was tampered with does not open, two
//! parsers of one thing agree. libFuzzer drives them (`libfuzzer.rs`) and so does every
//! test run (`main.rs`), from the same seeds, which are made here from valid values.
//!
//! They refuse to depend on the time or on one another: an input that fails once fails
//! again.

mod audit;
mod config;
mod data_envelope;
mod frames;
mod grpc_timeout;
mod hsm_profile;
mod identity;
mod import;
mod jwt;
mod key_envelope;
mod keyhost;
mod keys;
mod names;
mod operation;
mod page_token;
mod protobuf;
mod public_key;
mod records;
mod sealed_file;
mod store_key;

/// Something that parses, and what must hold of it.
pub(crate) struct Target {
    /// As its test and its corpus are called.
    pub(crate) name: &'static str,
    /// The longest input worth trying, in bytes.
    pub(crate) max_len: usize,
    /// Valid inputs, to start from.
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Takes an input; panics where a promise is broken.
    pub(crate) run: fn(&[u8]),
}

pub(crate) const TARGETS: &[Target] = &[
    audit::RECORD,
    audit::NOTE,
    audit::PROOF,
    config::TARGET,
    data_envelope::TARGET,
    frames::REQUEST,
    frames::RESPONSE,
    grpc_timeout::TARGET,
    hsm_profile::TARGET,
    identity::ASSERTION,
    identity::KEYS,
    identity::TOKEN,
    import::DER,
    import::JWK,
    import::PEM,
    jwt::TARGET,
    key_envelope::TARGET,
    keyhost::TARGET,
    names::TARGET,
    operation::TARGET,
    page_token::TARGET,
    protobuf::TARGET,
    public_key::TARGET,
    records::TARGET,
    sealed_file::TARGET,
    store_key::TARGET,
];
