//! Which credential a caller used, without the credential.

use std::{fmt, str::FromStr};

use super::{BadEntry, Id};
use keyreeve_tlog::sha256;

/// Names a credential. Nothing presented by a caller can be put in here: either it
/// is an id that Keyreeve gave, or it is hashed on the way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Credential(Form);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    Assigned(Id),
    Fingerprint([u8; 16]),
}

impl Credential {
    /// A credential that Keyreeve keeps under an id: a token, a client secret.
    pub const fn assigned(id: Id) -> Self {
        Self(Form::Assigned(id))
    }

    /// A credential that Keyreeve does not keep: a certificate (its DER), a JWT (its
    /// `jti`, or all of it). The first 16 bytes of its SHA-256.
    pub fn fingerprint_of(credential: &[u8]) -> Self {
        let mut short = [0; 16];
        short.copy_from_slice(&sha256(credential).0[..16]);
        Self(Form::Fingerprint(short))
    }

    /// What the log has of it: a word in front, and 16 bytes in hex.
    pub(super) const fn parts(&self) -> (&'static str, &[u8; 16]) {
        match &self.0 {
            Form::Assigned(id) => ("", &id.0),
            Form::Fingerprint(short) => (FINGERPRINT, short),
        }
    }
}

const FINGERPRINT: &str = "sha256:";

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, bytes) = self.parts();
        write!(f, "{prefix}{}", hex::encode(bytes))
    }
}

impl FromStr for Credential {
    type Err = BadEntry;

    fn from_str(text: &str) -> Result<Self, BadEntry> {
        let mut bytes = [0; 16];
        let (digits, form): (_, fn([u8; 16]) -> Form) = match text.strip_prefix(FINGERPRINT) {
            Some(digits) => (digits, Form::Fingerprint),
            None => (text, |id| Form::Assigned(Id(id))),
        };
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| BadEntry)?;
        Ok(Self(form(bytes)))
    }
}
