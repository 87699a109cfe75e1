//! What a private key that the service would not take seems to be.
//!
//! The service sees a sealed key only in the process that keeps it, which says no
//! more than "malformed". Here the caller's own bytes are looked at, no deeper than
//! their outermost shape, and what surely is another format is refused with the
//! command that converts it.

use crate::{Error, error::Fault};

/// Refuses what is not one of the formats that can be imported but is known.
pub(crate) fn check(private_key: &[u8]) -> Result<(), Error> {
    let Some((what, next)) = foreign(private_key) else { return Ok(()) };
    Err(Error::new(
        Fault::Caller,
        format!("this seems to be {what}, which cannot be imported as it is"),
        format!("{next}, and import the result"),
    ))
}

type Hint = (&'static str, &'static str);

fn foreign(bytes: &[u8]) -> Option<Hint> {
    if bytes.trim_ascii_start().starts_with(b"-----BEGIN ") {
        foreign_pem(bytes)
    } else {
        foreign_der(bytes)
    }
}

fn foreign_pem(bytes: &[u8]) -> Option<Hint> {
    let has = |label: &str| {
        let begin = format!("-----BEGIN {label}-----");
        bytes.windows(begin.len()).any(|window| window == begin.as_bytes())
    };
    if has("PRIVATE KEY") || has("RSA PRIVATE KEY") || has("EC PRIVATE KEY") {
        let old_encryption = b"Proc-Type: 4,ENCRYPTED";
        let encrypted = bytes.windows(old_encryption.len()).any(|window| window == old_encryption);
        return encrypted.then_some(ENCRYPTED_PEM);
    }
    [
        ("ENCRYPTED PRIVATE KEY", ENCRYPTED_PEM),
        (
            "OPENSSH PRIVATE KEY",
            (
                "an OpenSSH private key",
                "convert a copy with `ssh-keygen -p -N '' -m PKCS8 -f COPY`",
            ),
        ),
        ("PUBLIC KEY", ("a public key", "name the file with the private key")),
        ("CERTIFICATE", ("a certificate", "name the file with its private key")),
    ]
    .into_iter()
    .find_map(|(label, hint)| has(label).then_some(hint))
}

const ENCRYPTED_PEM: Hint = (
    "a private key under a passphrase (PEM)",
    "take it off with `openssl pkcs8 -topk8 -nocrypt -in KEY -out KEY.pem`",
);

/// By the first elements of the outermost SEQUENCE. What can be imported, PKCS#8,
/// begins with the version 0 or 1 and another SEQUENCE.
fn foreign_der(bytes: &[u8]) -> Option<Hint> {
    const INTEGER: u8 = 0x02;
    const OCTET_STRING: u8 = 0x04;
    const OID: u8 = 0x06;
    const SEQUENCE: u8 = 0x30;
    let (content, _) = element(bytes, SEQUENCE)?;
    if let Some((version, rest)) = element(content, INTEGER) {
        return match (version, rest.first()?) {
            ([1], &OCTET_STRING) => Some((
                "an EC private key in DER (SEC 1)",
                "convert it with `openssl pkcs8 -topk8 -nocrypt -inform DER -in KEY -out KEY.pem`",
            )),
            ([0], &INTEGER) => Some((
                "an RSA private key in DER (PKCS#1)",
                "convert it with `openssl pkcs8 -topk8 -nocrypt -inform DER -in KEY -out KEY.pem`",
            )),
            ([3], &SEQUENCE) => Some((
                "a PKCS#12 file",
                "take the key out with `openssl pkcs12 -in FILE -nocerts -nodes -out KEY.pem`",
            )),
            _ => None,
        };
    }
    let (algorithm, rest) = element(content, SEQUENCE)?;
    match (algorithm.first()?, rest.first()?) {
        (&OID, &OCTET_STRING) => Some((
            "a private key under a passphrase (DER)",
            "take it off with `openssl pkcs8 -inform DER -in KEY -out KEY.pem`",
        )),
        (&OID, 0x03) => Some(("a public key", "name the file with the private key")),
        (&SEQUENCE | 0xa0, &SEQUENCE) => {
            Some(("a certificate", "name the file with its private key"))
        }
        _ => None,
    }
}

/// The content of the first element if it has this tag, and what follows it. What
/// is cut short is none.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (len, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (len.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    if found == tag { rest.split_at_checked(len) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(bytes: &[u8]) -> String {
        check(bytes).expect_err("another format").to_string()
    }

    /// Guards against a key in a known format that is refused without a word about
    /// which it is and how to convert it.
    #[test]
    fn known_formats_are_named_with_the_command_that_converts_them() {
        let sec1 = [&[0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20][..], &[7; 32]].concat();
        let text = said(&sec1);
        assert!(text.contains("SEC 1") && text.contains("openssl pkcs8 -topk8"), "{text}");
        let pkcs1 = [0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x0f];
        assert!(said(&pkcs1).contains("PKCS#1"));
        let encrypted = [0x30, 0x07, 0x30, 0x03, 0x06, 0x01, 0x2a, 0x04, 0x00];
        assert!(said(&encrypted).contains("passphrase"));
        for (pem, hint) in [
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "-nocrypt"),
            ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", "-nocrypt"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\n", "ssh-keygen"),
            ("-----BEGIN CERTIFICATE-----\n", "private key"),
        ] {
            assert!(said(pem.as_bytes()).contains(hint), "{pem}");
        }
    }

    /// Guards against a key that could be imported and is turned away here.
    #[test]
    fn what_can_be_imported_passes() {
        let pkcs8 = [0x30, 0x0c, 0x02, 0x01, 0x00, 0x30, 0x03, 0x06, 0x01, 0x2a, 0x04, 0x02, 0, 0];
        for good in [
            &pkcs8[..],
            br#"{"kty":"oct","k":"AA"}"#,
            b"-----BEGIN PRIVATE KEY-----\n",
            b"-----BEGIN EC PARAMETERS-----\nx\n-----BEGIN EC PRIVATE KEY-----\n",
            b"",
        ] {
            assert!(check(good).is_ok());
        }
    }

    proptest! {
        /// Guards against a panic on any bytes.
        #[test]
        fn any_bytes_are_looked_at(bytes: Vec<u8>, cut in 0_usize..8) {
            let _ = check(&bytes);
            let sec1 = [0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x02, 0x01];
            let _ = check(&sec1[..cut]);
        }
    }
}
