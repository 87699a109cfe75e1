//! Tokens set up for real, in SoftHSM.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod ceremony;
mod check;
mod fixture;
mod init;
mod provision;
mod replicate;
mod rotate;
mod worker;
