//! The software keystore, judged from outside: the conformance suite, vectors, and
//! libraries that it is not made of.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::print_stdout, reason = "counts of vectors belong in the test's output")]

mod conformance;
mod libraries;
mod openssl;
mod outside;
mod wycheproof;
