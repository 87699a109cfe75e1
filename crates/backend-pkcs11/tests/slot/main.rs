//! The PKCS#11 backend against SoftHSM, loaded directly and over p11-kit.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod conformance;
mod custody;
mod defaults;
mod faults;
mod fixture;
mod forbidden;
mod interop;
mod lifecycle;
mod missing;
mod openssl;
mod pin;
mod profiles;
mod provision;
mod raw;
mod removed;
mod report;
mod speed;
mod threads;
mod wrapped;
mod wycheproof;
