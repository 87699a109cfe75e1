//! Sealing a private key to the process that will hold it.
//!
//! HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM,
//! single shot. The associated data is the key's future name, so that a sealed key
//! cannot be imported under another one.

use rustls::crypto::{
    aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256,
    hpke::{Hpke, HpkePublicKey},
};

use crate::{Error, KeyName, key_format, v1};

const INFO: &[u8] = b"keyreeve import v1";

/// Seals `private_key` to `recipient`, to be imported as `name`. What surely is of a
/// format that the service does not take is refused.
pub(crate) fn seal(
    recipient: &v1::ImportRecipient,
    name: &KeyName,
    private_key: &[u8],
) -> Result<v1::SealedKey, Error> {
    key_format::check(private_key)?;
    let public = HpkePublicKey(recipient.public_key.to_vec());
    let aad = name.without_version().resource().to_ascii_lowercase();
    let (encapsulated, ciphertext) = DH_KEM_X25519_HKDF_SHA256_AES_256
        .seal(INFO, aad.as_bytes(), private_key, &public)
        .map_err(|_| Error::bad_answer("a usable import recipient"))?;
    Ok(v1::SealedKey {
        recipient_id: recipient.recipient_id.clone(),
        encapsulated_key: encapsulated.0.into(),
        ciphertext: ciphertext.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::hpke::EncapsulatedSecret;

    /// Guards against a sealed key that its recipient cannot open, or could open
    /// under another name.
    #[test]
    fn the_recipient_opens_it_under_its_name_only() {
        let suite = DH_KEM_X25519_HKDF_SHA256_AES_256;
        let (public, private) = suite.generate_key_pair().expect("a key pair");
        let recipient =
            v1::ImportRecipient { recipient_id: "r1".to_owned(), public_key: public.0.into() };
        let name: KeyName = "Prod/Jwt".parse().expect("a name");
        let sealed = seal(&recipient, &name, b"private key").expect("it seals");
        assert_eq!((sealed.recipient_id.as_str(), sealed.encapsulated_key.len()), ("r1", 32));

        let open = |aad: &[u8]| {
            let encapsulated = EncapsulatedSecret(sealed.encapsulated_key.to_vec());
            suite.open(&encapsulated, b"keyreeve import v1", aad, &sealed.ciphertext, &private)
        };
        assert_eq!(open(b"vaults/prod/keys/jwt").expect("it opens"), b"private key");
        assert!(open(b"vaults/prod/keys/other").is_err());
    }

    /// Guards against a panic when the service sends a key that is none.
    #[test]
    fn a_malformed_recipient_is_an_error() {
        let recipient = v1::ImportRecipient {
            recipient_id: String::new(),
            public_key: bytes::Bytes::from_static(b"short"),
        };
        let name: KeyName = "prod/jwt".parse().expect("a name");
        assert!(seal(&recipient, &name, b"key").is_err());
    }
}
