//! The keys of an issuer: a JWK set (RFC 7517 section 5).
//!
//! Of what a set holds, the keys are taken that could have signed a token: RSA of 2048,
//! 3072 or 4096 bits, P-256, P-384, P-521 and Ed25519, each with a `kid`, meant for
//! signatures if it says what it is meant for. Others are left out, as section 5 has
//! it, and counted. Left out as well: a key with a private half, whose owner has
//! published it, a symmetric key, and every key whose `kid` comes twice, because which
//! one was meant would be a guess. A set that is not JSON is refused as a whole.

use std::{collections::HashMap, fmt};

use keyreeve_publickey::PublicKey;
use keyreeve_types::{Curve, SignatureAlgorithm};

use crate::{Json, base64url, jws::verifies_tokens};

/// Most keys in a set, taken or not.
const MAX_KEYS: usize = 128;
/// Members of a JWK that are private.
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

/// The keys of one issuer, by their `kid`.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: HashMap<String, Key>,
    left_out: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Key {
    public: PublicKey,
    /// The one algorithm it is for, if it says so.
    algorithm: Option<SignatureAlgorithm>,
}

/// Why a document is no JWK set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadKeySet {
    /// It is longer than [`KeySet::MAX_LEN`] or has more than 128 keys.
    TooLarge,
    /// It is not a JSON object with an array `keys` of objects, or a member comes twice.
    Malformed,
}

impl KeySet {
    /// Longest document, in bytes.
    pub const MAX_LEN: usize = 256 * 1024;

    /// Reads a JWK set.
    pub fn parse(document: &[u8]) -> Result<Self, BadKeySet> {
        if document.len() > Self::MAX_LEN {
            return Err(BadKeySet::TooLarge);
        }
        let document = Json::parse(document).map_err(|_| BadKeySet::Malformed)?;
        let Some(Json::List(list)) = document.get("keys") else {
            return Err(BadKeySet::Malformed);
        };
        if list.len() > MAX_KEYS {
            return Err(BadKeySet::TooLarge);
        }
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for jwk in list {
            if !matches!(jwk, Json::Object(_)) {
                return Err(BadKeySet::Malformed);
            }
            if let Some(kid) = jwk.get("kid").and_then(Json::text) {
                *seen.entry(kid).or_default() += 1;
            }
        }
        let taken = list.iter().filter_map(|jwk| {
            let kid = jwk.get("kid")?.text()?;
            let once = seen.get(kid) == Some(&1);
            Some((kid.to_owned(), key(jwk).filter(|_| once)?))
        });
        let keys: HashMap<_, _> = taken.collect();
        let left_out = list.len() - keys.len();
        Ok(Self { keys, left_out })
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many were in the document and are not taken.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Whether both hold the same keys under the same names.
    pub fn same_keys(&self, other: &Self) -> bool {
        self.keys == other.keys
    }

    /// The key `kid`, unless it is for another algorithm than `algorithm`.
    pub(crate) fn find(&self, kid: &str) -> Option<(&PublicKey, Option<SignatureAlgorithm>)> {
        self.keys.get(kid).map(|key| (&key.public, key.algorithm))
    }
}

/// The key in `jwk`, if it is one that may sign tokens.
fn key(jwk: &Json) -> Option<Key> {
    let text = |name: &str| jwk.get(name).map(|value| value.text().ok_or(()));
    if PRIVATE.into_iter().any(|name| jwk.get(name).is_some()) {
        return None;
    }
    if text("use").is_some_and(|used| used != Ok("sig")) || !may_verify(jwk.get("key_ops")) {
        return None;
    }
    let algorithm = match text("alg") {
        None => None,
        Some(named) => Some(named.ok()?.parse().ok().filter(|one| verifies_tokens(*one))?),
    };
    let public = public(jwk)?;
    let fits = algorithm.is_none_or(|one: SignatureAlgorithm| one.fits(public.spec()));
    fits.then_some(Key { public, algorithm })
}

fn may_verify(operations: Option<&Json>) -> bool {
    match operations {
        None => true,
        Some(Json::List(list)) => list.iter().any(|one| one.text() == Some("verify")),
        Some(_) => false,
    }
}

fn public(jwk: &Json) -> Option<PublicKey> {
    let bytes = |name: &str| base64url::decode(jwk.get(name)?.text()?);
    match jwk.get("kty")?.text()? {
        "RSA" => PublicKey::from_rsa(&bytes("n")?, &bytes("e")?).ok(),
        "EC" => {
            let curve = match jwk.get("crv")?.text()? {
                "P-256" => Curve::P256,
                "P-384" => Curve::P384,
                "P-521" => Curve::P521,
                _ => return None,
            };
            let (x, y) = (bytes("x")?, bytes("y")?);
            if x.len() != curve.field_len() || y.len() != curve.field_len() {
                return None;
            }
            PublicKey::from_ec_point(curve, &[&[4], &x[..], &y].concat()).ok()
        }
        "OKP" if jwk.get("crv")?.text()? == "Ed25519" => PublicKey::from_ed25519(&bytes("x")?).ok(),
        _ => None,
    }
}

impl fmt::Display for BadKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the JWK set is longer than 256 KiB or has more than 128 keys",
            Self::Malformed => "the document is not a JWK set",
        })
    }
}

impl std::error::Error for BadKeySet {}
