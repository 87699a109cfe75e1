//! Curves as PKCS#11 names them: `CKA_EC_PARAMS` is the DER of an object identifier
//! (RFC 5480 section 2.1.1.1, SEC 2, RFC 8410).

use cryptoki::object::KeyType;
use keyreeve_types::{Curve, KeySpec};

/// `CKA_EC_PARAMS` of a key of kind `spec`; `None` if it has no curve.
pub(crate) const fn ec_params(spec: KeySpec) -> Option<&'static [u8]> {
    Some(match spec {
        // 1.2.840.10045.3.1.7
        KeySpec::EcP256 => &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        // 1.3.132.0.34, .35, .10
        KeySpec::EcP384 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
        KeySpec::EcP521 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23],
        KeySpec::EcSecp256k1 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a],
        // 1.3.101.112
        KeySpec::Ed25519 => &[0x06, 0x03, 0x2b, 0x65, 0x70],
        _ => return None,
    })
}

/// Whether a module's `CKA_EC_PARAMS` name the curve of `spec`. For Ed25519 some
/// return the name as a PrintableString (PKCS#11 3.0), whatever they were given.
pub(crate) fn names(params: &[u8], spec: KeySpec) -> bool {
    ec_params(spec) == Some(params)
        || (spec == KeySpec::Ed25519 && params == b"\x13\x0cedwards25519")
}

/// `CKA_KEY_TYPE` of a key of kind `spec`; `None` if PKCS#11 keys of that kind are
/// not supported here.
pub(crate) const fn key_type(spec: KeySpec) -> Option<KeyType> {
    Some(match spec {
        KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => KeyType::RSA,
        KeySpec::EcP256 | KeySpec::EcP384 | KeySpec::EcP521 | KeySpec::EcSecp256k1 => KeyType::EC,
        KeySpec::Ed25519 => KeyType::EC_EDWARDS,
        KeySpec::Aes128 | KeySpec::Aes192 | KeySpec::Aes256 => KeyType::AES,
        KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => KeyType::GENERIC_SECRET,
        KeySpec::MlDsa65 => return None,
    })
}

/// The point inside `CKA_EC_POINT`, which the standard has as a DER OCTET STRING and
/// some modules give raw: told apart by length alone, since an uncompressed point
/// and an OCTET STRING both begin with 4.
pub(crate) fn point(attribute: &[u8], spec: KeySpec) -> Option<&[u8]> {
    let len = point_len(spec)?;
    if attribute.len() == len {
        return Some(attribute);
    }
    let header = octet_string_header(len);
    attribute.strip_prefix(header.as_slice()).filter(|point| point.len() == len)
}

/// `CKA_EC_POINT` of `point`: the DER OCTET STRING around it.
pub(crate) fn ec_point(point: &[u8]) -> Vec<u8> {
    [octet_string_header(point.len()), point.to_vec()].concat()
}

/// The uncompressed point (SEC 1 section 2.3.3), or the 32 bytes of Ed25519.
fn point_len(spec: KeySpec) -> Option<usize> {
    match spec {
        KeySpec::Ed25519 => Some(32),
        _ => spec.curve().map(Curve::field_len).map(|field| 1 + 2 * field),
    }
}

/// Tag and length of an OCTET STRING of at most 255 bytes (X.690 section 8.1.3).
fn octet_string_header(len: usize) -> Vec<u8> {
    match u8::try_from(len) {
        Ok(short @ ..0x80) => vec![0x04, short],
        Ok(long) => vec![0x04, 0x81, long],
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a module that returns the point raw, and against reading the
    /// OCTET STRING's own header as part of the point.
    #[test]
    fn points_are_read_in_both_forms() {
        for (spec, len) in [(KeySpec::EcP256, 65), (KeySpec::EcP521, 133), (KeySpec::Ed25519, 32)] {
            let mut raw = vec![7; len];
            raw[0] = 4;
            let wrapped = ec_point(&raw);
            assert_eq!(point(&raw, spec), Some(raw.as_slice()));
            assert_eq!(point(&wrapped, spec), Some(raw.as_slice()));
            assert_eq!(point(&wrapped[..wrapped.len() - 1], spec), None);
        }
        assert_eq!(point(&[4; 65], KeySpec::Aes128), None);
        assert_eq!(ec_point(&[4; 133])[..3], [0x04, 0x81, 133]);
    }
}
