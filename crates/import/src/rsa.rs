//! RSA keys: sizes, known weaknesses, primality, and that all parts agree.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPairComponents, PublicKeyComponents},
    signature::RsaKeyPair,
};
use crypto_bigint::{BoxedUint, ConcatenatingMul};
use keyreeve_backend::{InvalidInput, PrivateKey};
use keyreeve_publickey::PublicKey;
use keyreeve_types::KeySpec;
use zeroize::Zeroizing;

use crate::{prime::is_probably_prime, private, weak};

/// The numbers of an RSA key with two primes, big-endian (RFC 8017 section 3.2).
pub(crate) struct RsaParts<'a> {
    pub(crate) n: &'a [u8],
    pub(crate) e: &'a [u8],
    pub(crate) d: &'a [u8],
    pub(crate) p: &'a [u8],
    pub(crate) q: &'a [u8],
    pub(crate) dp: &'a [u8],
    pub(crate) dq: &'a [u8],
    pub(crate) qi: &'a [u8],
}

/// Checks an RSA key and encodes it as PKCS#8.
pub(crate) fn check(parts: &RsaParts<'_>) -> Result<(KeySpec, PrivateKey), InvalidInput> {
    let parts = parts.trimmed();
    let spec = PublicKey::from_rsa(parts.n, parts.e)?.spec();
    if weak::has_small_factor(parts.n) || weak::has_roca_fingerprint(parts.n) {
        return Err(InvalidInput::WeakKey);
    }
    let half = parts.n.len() / 2;
    if parts.p.len() != half || parts.q.len() != half {
        return Err(InvalidInput::UnsupportedRsaKey);
    }
    if weak::are_close(parts.p, parts.q) {
        return Err(InvalidInput::WeakKey);
    }
    check_primes(parts.n, parts.p, parts.q)?;
    let pkcs8 = encode(&parts).ok_or(InvalidInput::MalformedKey)?;
    Ok((spec, private(pkcs8.as_ref())))
}

fn check_primes(n: &[u8], p: &[u8], q: &[u8]) -> Result<(), InvalidInput> {
    let number = |bytes: &[u8]| {
        let bits = bytes.len() as u32 * 8;
        BoxedUint::from_be_slice(bytes, bits)
            .map(Zeroizing::new)
            .map_err(|_| InvalidInput::MalformedKey)
    };
    let (n, p, q) = (number(n)?, number(p)?, number(q)?);
    if p.concatenating_mul(&*q) != *n || !is_probably_prime(&p) || !is_probably_prime(&q) {
        return Err(InvalidInput::RsaNotPrime);
    }
    Ok(())
}

/// Puts the key together. The library checks that d inverts e modulo p-1 and q-1,
/// and that the values for the Chinese remainder theorem follow from the rest.
fn encode(parts: &RsaParts<'_>) -> Option<Pkcs8V1Der<'static>> {
    let in_range = parts.d.len() <= parts.n.len()
        && [parts.dp, parts.dq, parts.qi].iter().all(|v| v.len() <= parts.p.len());
    let none_is_zero = [parts.d, parts.dp, parts.dq, parts.qi].iter().all(|v| !v.is_empty());
    if !in_range || !none_is_zero {
        return None;
    }
    let components = KeyPairComponents {
        public_key: PublicKeyComponents { n: parts.n, e: parts.e },
        d: parts.d,
        p: parts.p,
        q: parts.q,
        dP: parts.dp,
        dQ: parts.dq,
        qInv: parts.qi,
    };
    RsaKeyPair::from_components(&components).ok()?.as_der().ok()
}

impl<'a> RsaParts<'a> {
    /// Leading zeros have no meaning; DER and some JWK writers put one.
    fn trimmed(&self) -> Self {
        let trim = |bytes: &'a [u8]| {
            let zeros = bytes.iter().take_while(|b| **b == 0).count();
            &bytes[zeros..]
        };
        Self {
            n: trim(self.n),
            e: trim(self.e),
            d: trim(self.d),
            p: trim(self.p),
            q: trim(self.q),
            dp: trim(self.dp),
            dq: trim(self.dq),
            qi: trim(self.qi),
        }
    }
}
