//! Signed notes (C2SP signed-note): text, a blank line, signature lines.
//!
//! Ed25519 alone is made and read. Lines of keys that nobody asked about are passed
//! over, as the specification wants it, so that witnesses can add theirs.

use std::{fmt, str::FromStr};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::sha256;

/// Type byte of Ed25519 signatures in key ids and encoded keys.
const ED25519_TYPE: u8 = 1;

/// A note longer than this is not read; sixteen post-quantum signatures fit.
const MAX_NOTE: usize = 128 * 1024;

/// The key a log's checkpoints are checked with: a name and an Ed25519 public key.
///
/// Its text form is that of signed notes, `<name>+<key id, 8 hex digits>+<base64 of
/// 01 ‖ public key>`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
    id: [u8; 4],
}

impl VerifierKey {
    /// The key `public` (32 bytes, RFC 8032) under `name`.
    ///
    /// # Errors
    /// [`BadNote`] if the name is empty, longer than 255 bytes, or has spaces, `+` or
    /// control characters in it.
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, BadNote> {
        let unlawful = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.len() > 255 || name.contains(unlawful) {
            return Err(BadNote);
        }
        let mut input = name.as_bytes().to_vec();
        input.extend_from_slice(&[b'\n', ED25519_TYPE]);
        input.extend_from_slice(&public);
        let [a, b, c, d, ..] = sha256(&input).0;
        Ok(Self { name: name.to_owned(), public, id: [a, b, c, d] })
    }

    /// The key's name, which is also the origin line of its checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key (RFC 8032).
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The text of a note that this key signed.
    ///
    /// # Errors
    /// [`BadNote`] if it is no note, or none of its signatures is this key's, or one
    /// that says it is does not verify.
    pub fn open<'n>(&self, note: &'n [u8]) -> Result<&'n str, BadNote> {
        let (text, lines) = split(note)?;
        let mut signed = false;
        for line in lines.split_terminator('\n') {
            let (name, signature) =
                line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or(BadNote)?;
            let bytes = BASE64_STANDARD.decode(signature).map_err(|_| BadNote)?;
            let (id, signature) = bytes.split_first_chunk::<4>().ok_or(BadNote)?;
            if name == self.name && *id == self.id {
                UnparsedPublicKey::new(&ED25519, &self.public)
                    .verify(text.as_bytes(), signature)
                    .map_err(|_| BadNote)?;
                signed = true;
            }
        }
        if signed { Ok(text) } else { Err(BadNote) }
    }

    /// The note of `text`, which ends in a newline, and this key's signature over it.
    pub fn seal(&self, text: &str, signature: &[u8; 64]) -> String {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(signature);
        format!("{text}\n— {} {}\n", self.name, BASE64_STANDARD.encode(bytes))
    }
}

/// Text with its final newline, and signature lines.
fn split(note: &[u8]) -> Result<(&str, &str), BadNote> {
    let note = std::str::from_utf8(note).map_err(|_| BadNote)?;
    let lawful = note.len() <= MAX_NOTE
        && note.ends_with('\n')
        && note.bytes().all(|b| b >= b' ' || b == b'\n');
    let blank = note.rfind("\n\n").filter(|_| lawful).ok_or(BadNote)?;
    Ok((&note[..=blank], &note[blank + 2..]))
}

impl FromStr for VerifierKey {
    type Err = BadNote;

    fn from_str(text: &str) -> Result<Self, BadNote> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(BadNote);
        };
        let key = BASE64_STANDARD.decode(key).map_err(|_| BadNote)?;
        let Some((&ED25519_TYPE, public)) = key.split_first() else { return Err(BadNote) };
        let key = Self::new(name, public.try_into().map_err(|_| BadNote)?)?;
        if hex::encode(key.id) == id { Ok(key) } else { Err(BadNote) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519_TYPE];
        key.extend_from_slice(&self.public);
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id), BASE64_STANDARD.encode(key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Not a note, not a key, or not signed by the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadNote;

impl fmt::Display for BadNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a note signed by the log's key")
    }
}

impl std::error::Error for BadNote {}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    /// Guards against key ids or signatures that other implementations would not
    /// accept: the example of the first implementation of signed notes.
    #[test]
    fn the_example_of_signed_notes_opens() {
        let key: VerifierKey = KEY.parse().expect("a key");
        assert_eq!(key.to_string(), KEY);
        let text = key.open(NOTE.as_bytes()).expect("signed");
        assert!(text.ends_with("your problem is.\n"));
        let forged = NOTE.replace("know", "knew");
        assert_eq!(key.open(forged.as_bytes()), Err(BadNote));
    }

    /// Guards against a note that anybody signed: a signature of an unknown key is
    /// passed over, and then nothing vouches for the text.
    #[test]
    fn a_note_of_another_key_does_not_open() {
        let other = VerifierKey::new("PeterNeumann", [7; 32]).expect("a key");
        assert_eq!(other.open(NOTE.as_bytes()), Err(BadNote));
        let key: VerifierKey = KEY.parse().expect("a key");
        let line = "— witness.example AAAAAAAA\n";
        assert!(key.open(format!("{NOTE}{line}").as_bytes()).is_ok());
        assert_eq!(key.open(format!("{NOTE}nonsense\n").as_bytes()), Err(BadNote));
    }
}
