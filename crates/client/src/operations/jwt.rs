//! Signed tokens, and the public keys to verify them with.

use super::Key;
use crate::{Error, v1};

impl Key {
    /// Signs a JWT (RFC 7519): `claims` is a JSON object, signed as it is written.
    /// Returns the compact form, with `kid` and `typ` set.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if `claims` is no JSON object.
    pub async fn sign_jwt(&self, algorithm: &str, claims: &str) -> Result<String, Error> {
        self.sign_jwt_with_header(algorithm, claims, "").await
    }

    /// The same with more header parameters: a JSON object, without `alg` and `kid`.
    ///
    /// # Errors
    /// As for [`Key::sign_jwt`].
    pub async fn sign_jwt_with_header(
        &self,
        algorithm: &str,
        claims: &str,
        header: &str,
    ) -> Result<String, Error> {
        let answer = self
            .client()
            .call(v1::SignJwtRequest {
                name: self.resource_name()?.to_owned(),
                algorithm: algorithm.to_owned(),
                claims: claims.to_owned(),
                header: header.to_owned(),
            })
            .await?;
        Ok(answer.jwt)
    }

    /// The key's public keys that verify signatures: a JWK set (RFC 7517), JSON.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such key.
    pub async fn jwks(&self) -> Result<String, Error> {
        let parent = self.name()?.without_version().resource();
        Ok(self.client().call(v1::GetJwksRequest { parent }).await?.jwks)
    }
}
