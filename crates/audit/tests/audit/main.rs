//! The audit log from outside: what is durable, what is detected, what others read.
#![expect(clippy::unwrap_used, reason = "a test says by failing what went wrong")]

mod crash;
mod faults;
mod interop;
mod log;
mod proofs;
mod retention;
mod scribe;
mod support;
mod tampering;
