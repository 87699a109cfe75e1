//! What an operation costs: processor time, in microseconds.
//!
//! Rounded figures of the software keystore on one virtual core (docs/performance.md),
//! to weigh one operation against another. An HSM has other figures and much the same
//! order; nothing here needs to be exact.

use keyreeve_authz::Action;
use keyreeve_types::{KeySpec, KeyType};

use crate::gate::Ask;

/// Any request: parsing it, deciding, answering.
pub(crate) const REQUEST: u64 = 10;

/// Taking a key made elsewhere: opening and checking it.
pub(crate) const IMPORT: u64 = 20_000;

/// Which half of a key an operation works with: what it costs depends on that and on
/// the kind of key, which is known only after the look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// None, or the operation says itself what it costs.
    None,
    /// The public half.
    Public,
    /// The private half, or a symmetric key.
    Private,
}

impl Work {
    /// What is done with each key that `ask` looks up.
    pub(crate) const fn of(ask: &Ask<'_>) -> Self {
        match ask {
            Ask::One(action, _) | Ask::Set(action, ..) | Ask::Key(action, ..) => {
                Self::of_action(*action)
            }
            Ask::Thing(thing) => Self::of_action(thing.action),
            // One half of one key and one of another, looked up in turn: the dearer.
            Ask::Both(..) => Self::Private,
            _ => Self::None,
        }
    }

    const fn of_action(action: Action) -> Self {
        use Action::{
            Decrypt, Encrypt, GenerateDataKey, Mac, Sign, SignJwt, UnwrapKey, Verify, VerifyMac,
            WrapKey,
        };
        match action {
            Sign | SignJwt | Decrypt | UnwrapKey | Mac | VerifyMac => Self::Private,
            Verify | Encrypt | WrapKey | GenerateDataKey => Self::Public,
            _ => Self::None,
        }
    }

    /// With a key of that kind.
    pub(crate) const fn cost(self, spec: KeySpec) -> u64 {
        let (private, public) = operation(spec);
        match self {
            Self::None => 0,
            Self::Private => private,
            Self::Public => public,
        }
    }
}

/// With the private half, and with the public.
const fn operation(spec: KeySpec) -> (u64, u64) {
    match spec {
        KeySpec::Rsa2048 => (700, 25),
        KeySpec::Rsa3072 => (2_100, 50),
        KeySpec::Rsa4096 => (4_700, 90),
        KeySpec::EcP256 => (20, 65),
        KeySpec::EcP384 => (160, 350),
        KeySpec::EcP521 => (350, 700),
        KeySpec::EcSecp256k1 => (70, 90),
        KeySpec::Ed25519 => (25, 60),
        KeySpec::MlDsa65 => (400, 110),
        KeySpec::Aes128 | KeySpec::Aes192 | KeySpec::Aes256 => (5, 5),
        KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => (5, 5),
    }
}

/// Making a key of that kind and storing it. RSA: the mean of a search for primes.
pub(crate) const fn making(spec: KeySpec) -> u64 {
    match spec {
        KeySpec::Rsa2048 => 150_000,
        KeySpec::Rsa3072 => 600_000,
        KeySpec::Rsa4096 => 1_800_000,
        _ => match spec.key_type() {
            KeyType::Ec | KeyType::Okp | KeyType::Akp => 1_500,
            KeyType::Rsa | KeyType::Oct => 1_000,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a dear operation that is charged like a cheap one.
    #[test]
    fn what_takes_longer_costs_more() {
        let sign = |spec| Work::Private.cost(spec);
        assert!(sign(KeySpec::Rsa2048) > 10 * sign(KeySpec::EcP256));
        assert!(sign(KeySpec::Rsa4096) > 5 * sign(KeySpec::Rsa2048));
        assert!(making(KeySpec::Rsa4096) > 100 * sign(KeySpec::Rsa4096));
        for spec in KeySpec::ALL {
            assert!(Work::Public.cost(spec) > 0 && sign(spec) > 0 && making(spec) > sign(spec));
            assert_eq!(Work::None.cost(spec), 0);
        }
    }

    /// Guards against an operation with a key that is charged as a look-up.
    #[test]
    fn every_operation_with_a_key_has_a_price() {
        let free: Vec<_> = Action::ALL
            .into_iter()
            .filter(|action| Work::of_action(*action) == Work::None)
            .map(Action::name)
            .filter(|name| {
                ["Sign", "Verify", "crypt", "Wrap", "wrap", "Mac", "DataKey"]
                    .iter()
                    .any(|part| name.contains(part))
            })
            .collect();
        // The two halves of ReEncrypt, which is priced as one.
        assert_eq!(free, ["ReEncryptFrom", "ReEncryptTo"]);
    }
}
