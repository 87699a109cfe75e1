//! Keys that OpenSSL makes, and the ways to spoil them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod formats;
mod hostile;

use std::process::Command;

use keyreeve_types::{KeyOps, KeySpec};

/// Runs `openssl` with `input` in its standard input and returns what it prints.
fn openssl(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).output().expect("openssl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A key made by OpenSSL: PEM of PKCS#8.
fn pem(algorithm: &str, option: &str) -> Vec<u8> {
    openssl(&["genpkey", "-quiet", "-algorithm", algorithm, "-pkeyopt", option])
}

fn parse(bytes: &[u8]) -> Result<KeySpec, keyreeve_backend::InvalidInput> {
    let (spec, private) = keyreeve_import::parse(bytes, KeyOps::NONE)?;
    keyreeve_import::check(spec, &private).expect("what was parsed passes its own check");
    Ok(spec)
}
