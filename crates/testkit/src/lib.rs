//! Fixtures for tests. Development only; no production crate depends on it.
//!
//! A [`SoftHsm`] token comes two ways: its module loaded into the process
//! ([`SoftHsm::direct`]), and in a container behind `p11-kit server` on a mounted
//! socket ([`SoftHsm::container`]), which is how a network HSM behaves: other
//! mechanisms, a round trip per call, and a server that can die.
//!
//! Other modules: [`Token::kryoptic`] is another implementation in software,
//! [`Token::shimmed`] is SoftHSM behind a module that fails when told to
//! ([`Faults`]), and openCryptoki and a TPM come with daemons, so that a test's body is
//! run inside namespaces with them ([`with_opencryptoki`], [`with_tpm2`]).
//!
//! All are told where their token is by an environment variable, which a process
//! cannot safely set for itself once it has threads. So a test that loads a module
//! runs its body in a child of the test binary: [`with_direct`] and
//! [`with_container`] make the token, start the same binary again for this one test
//! with the environment set, and there call the body. A test that starts processes
//! of its own (a keyhost, the whole product) takes the [`SoftHsm`] and sets the
//! variables on them.
//!
//! [`Keyreeve`] is the product itself: a `keyreeve dev` in a directory of its own.
//! [`Service`] is its processes, started in any other way.
//!
//! In between are keyhosts: [`LocalKeyhost`] in the test's process,
//! [`KeyhostProcess`] in one of its own, and [`ThroughKeyhost`], which calls one by the
//! contract of a backend.
//!
//! [`AuditLog`] is a real one, in a directory of its own. [`Collector`] is where spans and
//! audit records are sent to.
//!
//! This crate refuses to know what is tested with it: a token is paths, a label and a
//! PIN, and a keyhost is a client.

mod audit;
mod child;
mod collector;
mod container;
mod keyhost;
mod keyreeve;
mod kryoptic;
mod namespace;
mod outside;
mod program;
mod service;
mod shim;
mod softhsm;

pub use audit::AuditLog;
pub use child::{
    with_container, with_direct, with_direct_and_kryoptic, with_kryoptic, with_opencryptoki,
    with_shim, with_spied, with_tpm2,
};
pub use collector::{Collector, Received};
pub use keyhost::{
    KeyhostProcess, LocalKeyhost, SealedImport, ThroughKeyhost, ThroughSession, policy,
    seal_import, soon,
};
pub use keyreeve::Keyreeve;
/// The backend of keyhosts in a test's own process.
pub use keyreeve_backend_software::SoftwareBackend;
pub use outside::AwsLc;
pub use program::program;
pub use service::Service;
pub use shim::Faults;
pub use softhsm::{SoftHsm, TOKEN_GROUP, TOKEN_LABEL, TOKEN_PIN, Token};
