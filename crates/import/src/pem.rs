//! Private keys in PEM (RFC 7468): one key, by its label.

use keyreeve_backend::{InvalidInput, PrivateKey};
use keyreeve_types::KeySpec;
use pkcs8::SecretDocument;

use crate::der;

/// What `openssl ecparam -genkey` writes before the key: the curve, which the key
/// names again.
const EC_PARAMETERS_END: &str = "-----END EC PARAMETERS-----";

pub(crate) fn parse(bytes: &[u8]) -> Result<(KeySpec, PrivateKey), InvalidInput> {
    let text = std::str::from_utf8(bytes).map_err(|_| InvalidInput::MalformedKey)?;
    let text = match text.find(EC_PARAMETERS_END) {
        Some(at) => &text[at + EC_PARAMETERS_END.len()..],
        None => text,
    };
    let (label, document) =
        SecretDocument::from_pem(text.trim_ascii()).map_err(|_| InvalidInput::MalformedKey)?;
    let der = document.as_bytes();
    match label {
        "PRIVATE KEY" => der::pkcs8(der)?.check(),
        "RSA PRIVATE KEY" => der::pkcs1(der)?.check(),
        "EC PRIVATE KEY" => der::sec1(der)?.check(),
        _ => Err(InvalidInput::WrongKeyType),
    }
}
