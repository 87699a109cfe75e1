//! Proof of who calls: JWTs of configured issuers, client certificates, client
//! assertions, secrets that Keyreeve gave out.
//!
//! Everything here is a function of what is passed in: the credential, what is
//! configured or recorded about who may present it, and the time. What is not proven
//! is a [`Refusal`]; there is no result in between.
//!
//! Tokens are read by our own parser over the verified signatures of
//! `keyreeve-publickey`, and not by a JWT library. A JWT library serves every use of
//! JWT, so it has switches: the algorithm from the token, claims that are checked only
//! if present, keys of several kinds in one type. Each has been a hole somewhere, the
//! claim of a wrong type that counts as absent (CVE-2026-25537) the last of them. Here
//! is one form of token, read once, without a switch; the mathematics is the library's.
//!
//! This crate refuses to fetch, store or remember anything but what is handed to
//! [`Verified`] and [`Replays`], and to decide what a proven caller may do.

mod assertion;
mod base64url;
mod certificate;
mod claims;
mod issuer;
mod json;
mod jwks;
mod jws;
mod mapping;
mod refusal;
mod replays;
pub mod secret;
mod spiffe;
mod verified;

pub use assertion::{Assertion, ClientKey, claimed_client, verify_assertion};
pub use certificate::{ClientCertificates, SubjectRule};
pub use claims::Claims;
pub use issuer::{Issuer, IssuerSettings};
pub use json::{BadJson, Json};
pub use jwks::{BadKeySet, KeySet};
pub use jws::{MAX_TOKEN, Token, default_algorithms, verifies_tokens};
pub use mapping::{BadPath, ClaimPath, Kind, Mapping, Preset};
pub use refusal::Refusal;
pub use replays::Replays;
pub use spiffe::{BadSpiffeId, SpiffeId};
pub use verified::Verified;
