//! The product seen from outside: the real program, its own processes, its own files.
//!
//! One binary, because linking dear dependencies once is enough; a file for each
//! thing that is promised. Nothing here reaches into a crate: what a test needs and
//! cannot get over gRPC, HTTPS or the command line, users cannot get either.

mod algorithms;
mod audit;
mod caller;
mod canaries;
mod crash;
mod durability;
mod failover;
mod first_steps;
mod hsm;
mod identity;
mod interop;
// What is looked for and how is one thing, here and where memory is read.
#[path = "../boundary/keys.rs"]
mod keys;
mod metrics;
#[path = "../boundary/needles.rs"]
#[expect(dead_code, reason = "what reads a file piece by piece is not used here")]
mod needles;
mod oracle;
mod overload;
mod plain;
mod refusals;
mod script;
mod sealing;
mod serving;
