//! Sign a JWT (RFC 7519), as compact JWS (RFC 7515 section 7.1).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_types::{MacAlgorithm, SignatureAlgorithm};

use super::{Content, input, jwt_json};
use crate::{Caller, Error, KeyVersion, Service, gate::Ask, name::KeyName, usable::Use};

/// Longest header a caller can add, in bytes.
const MAX_HEADER: usize = 4096;

/// What a JWT can be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// A signature.
    Signature(SignatureAlgorithm),
    /// An HMAC.
    Mac(MacAlgorithm),
}

/// A request to sign a JWT.
#[derive(Clone, Copy)]
pub struct SignJwt<'a> {
    /// With which key.
    pub key: KeyName<'a>,
    /// How.
    pub algorithm: JwtAlgorithm,
    /// The claims set: a JSON object, signed as it is written here.
    pub claims: &'a str,
    /// More header parameters: a JSON object, or empty.
    pub header: &'a str,
}

/// A signed JWT.
pub struct SignedJwt {
    /// The version that signed.
    pub version: Arc<KeyVersion>,
    /// Compact JWS. It is a credential: not for logs.
    pub jwt: String,
}

impl JwtAlgorithm {
    /// The JOSE name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signature(algorithm) => algorithm.name(),
            Self::Mac(algorithm) => algorithm.name(),
        }
    }
}

impl Service {
    /// Signs a JWT, with `kid` set to the version that signs.
    pub async fn sign_jwt(
        &self,
        caller: &Caller,
        request: SignJwt<'_>,
        deadline: Deadline,
    ) -> Result<SignedJwt, Error> {
        let SignJwt { key, algorithm, claims, header } = request;
        self.run(
            caller,
            Ask::using(Action::SignJwt, key, algorithm.name()),
            deadline,
            move |permit| async move {
                input::payload("claims", claims.as_bytes())?;
                if header.len() > MAX_HEADER {
                    let message = format!("header may have {MAX_HEADER} bytes");
                    return Err(Error::invalid("header", message));
                }
                jwt_json::check_claims(claims)?;
                let version = self.find(&permit, key)?;
                let header = jwt_json::header(header, algorithm.name(), version.kid())?;

                let mut jwt = String::with_capacity((header.len() + claims.len()) * 4 / 3 + 512);
                URL_SAFE_NO_PAD.encode_string(header, &mut jwt);
                jwt.push('.');
                URL_SAFE_NO_PAD.encode_string(claims, &mut jwt);
                let (version, signature) =
                    self.sign_text(version, algorithm, jwt.as_bytes(), deadline).await?;
                jwt.push('.');
                URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
                Ok(SignedJwt { version, jwt })
            },
        )
        .await
    }

    async fn sign_text(
        &self,
        version: Arc<KeyVersion>,
        algorithm: JwtAlgorithm,
        text: &[u8],
        deadline: Deadline,
    ) -> Result<(Arc<KeyVersion>, Bytes), Error> {
        match algorithm {
            JwtAlgorithm::Signature(algorithm) => {
                let key = self.check(version, Use::Sign(algorithm))?;
                // What is too long for the algorithm is so because the claims are.
                let input = Content::Message(text).prepare(algorithm).map_err(|_| too_long())?;
                let signature = key
                    .client()
                    .sign(key.sealed(), algorithm, input.as_ref(), deadline)
                    .await
                    .map_err(|e| key.failed(e, "claims"))?;
                Ok((key.into_version(), signature))
            }
            JwtAlgorithm::Mac(algorithm) => {
                let key = self.check(version, Use::Mac(algorithm))?;
                input::payload("claims", text).map_err(|_| too_long())?;
                let tag = key
                    .client()
                    .mac(key.sealed(), algorithm, text, deadline)
                    .await
                    .map_err(|e| key.failed(e, "claims"))?;
                Ok((key.into_version(), tag))
            }
        }
    }
}

fn too_long() -> Error {
    Error::invalid("claims", "header and claims together are longer than 64 KiB in base64")
}
