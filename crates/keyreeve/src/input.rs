//! What a command works on: a file, stdin, or a digest.

use std::{
    fs::File,
    io::{self, BufReader, IsTerminal, Read},
    path::PathBuf,
};

use aws_lc_rs::digest::{self, Algorithm, SHA256, SHA384, SHA512};
use bytes::Bytes;
use clap::Args;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Largest message or plaintext that the service takes, bytes.
const LARGEST: usize = 64 * 1024;

/// Where the input comes from.
#[derive(Args)]
pub(crate) struct Input {
    /// Read this file instead of stdin
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Input {
    /// The whole input, at most 64 KiB.
    pub(crate) fn read(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut reader = self.open()?;
        let input = read_up_to(&mut reader, LARGEST + 1)?;
        if input.len() > LARGEST {
            return Err(Failure::local(
                "the input is longer than 64 KiB",
                "use `keyreeve seal` and `keyreeve unseal` for files of any size",
            ));
        }
        Ok(input)
    }

    /// The whole input as text: JSON, PEM.
    pub(crate) fn read_text(&self) -> Result<Zeroizing<String>, Failure> {
        let mut input = self.read()?;
        String::from_utf8(std::mem::take(&mut *input)).map(Zeroizing::new).map_err(|_| {
            Failure::local("the input is not text", "give the JSON that the other command printed")
        })
    }

    fn open(&self) -> Result<Box<dyn Read>, Failure> {
        let path = match &self.file {
            Some(path) if path.as_os_str() != "-" => path,
            _ => {
                if io::stdin().is_terminal() {
                    let text = b"reading from the terminal; end with Ctrl-D\n";
                    let _ = io::Write::write_all(&mut io::stderr(), text);
                }
                return Ok(Box::new(io::stdin().lock()));
            }
        };
        let file = File::open(path).map_err(|error| {
            Failure::local(format!("{} cannot be read: {error}", path.display()), "check the path")
        })?;
        Ok(Box::new(BufReader::new(file)))
    }
}

/// What is signed or verified.
#[derive(Args)]
pub(crate) struct Message {
    #[command(flatten)]
    input: Input,

    /// The message's digest by the algorithm's hash, in hex, instead of the message
    #[arg(long, value_name = "HEX", conflicts_with = "file")]
    digest: Option<String>,
}

/// A message short enough to send, or a digest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Signable {
    Message(Bytes),
    Digest(Bytes),
}

impl Message {
    /// Reads it. What is too long to send is hashed here, if the algorithm has a hash.
    pub(crate) fn read(&self, algorithm: &str) -> Result<Signable, Failure> {
        if let Some(text) = &self.digest {
            let digest = hex::decode(text.trim()).map_err(|_| {
                Failure::local("the digest is not hex", "give it as `sha256sum` prints it")
            })?;
            return Ok(Signable::Digest(digest.into()));
        }
        signable(&mut self.input.open()?, algorithm)
    }
}

fn signable(reader: &mut dyn Read, algorithm: &str) -> Result<Signable, Failure> {
    let mut start = read_up_to(reader, LARGEST + 1)?;
    if start.len() <= LARGEST {
        return Ok(Signable::Message(std::mem::take(&mut *start).into()));
    }
    let hash = hash_of(algorithm).ok_or_else(|| {
        Failure::local(
            format!("the message is longer than 64 KiB, and {algorithm} signs no digest"),
            "sign a digest of it as the message, or choose an algorithm with a hash, as ES256",
        )
    })?;
    let mut context = digest::Context::new(hash);
    context.update(&start);
    loop {
        let part = read_up_to(reader, LARGEST)?;
        if part.is_empty() {
            return Ok(Signable::Digest(Bytes::copy_from_slice(context.finish().as_ref())));
        }
        context.update(&part);
    }
}

/// The hash of a JOSE signature algorithm (RFC 7518 section 3, RFC 8812).
fn hash_of(algorithm: &str) -> Option<&'static Algorithm> {
    match algorithm {
        "RS256" | "PS256" | "ES256" | "ES256K" => Some(&SHA256),
        "RS384" | "PS384" | "ES384" => Some(&SHA384),
        "RS512" | "PS512" | "ES512" => Some(&SHA512),
        _ => None,
    }
}

/// At most `limit` bytes.
fn read_up_to(reader: &mut dyn Read, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit));
    reader.take(limit as u64).read_to_end(&mut bytes).map_err(|error| {
        Failure::local(format!("the input cannot be read: {error}"), "check the file or pipe")
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a large file being signed by another digest than openssl would
    /// compute: SHA-256 of 100,000 zero bytes, from sha256sum.
    #[test]
    fn a_long_message_is_hashed_as_the_algorithm_says() {
        let expected = "9192c25b734fcbadbe32dadc28089c60db0e39f90cc20ce2e5733f57261acc0c";
        let zeros = vec![0; 100_000];
        let digest = signable(&mut &zeros[..], "ES256").expect("it is readable");
        let Signable::Digest(digest) = digest else { panic!("too long to send") };
        assert_eq!(hex::encode(&digest), expected);
        assert!(signable(&mut &zeros[..], "EdDSA").is_err());
    }

    /// Guards against hashing what fits: the service hashes and sees the message.
    #[test]
    fn a_short_message_is_sent_as_it_is() {
        for length in [0, 1, LARGEST] {
            let message = vec![7; length];
            let read = signable(&mut &message[..], "EdDSA").expect("it is readable");
            assert_eq!(read, Signable::Message(message.into()));
        }
    }
}
