//! Whether a number is prime, when who chose it may want us to be wrong.
//!
//! For random candidates a few rounds would do. An imported factor may have been
//! built to pass a fixed test, so there is a test that nobody has a counterexample
//! for (Baillie–PSW) and then Miller–Rabin with bases that nobody can foresee:
//! each round lets a composite pass with a probability of at most 1/4.

use crypto_bigint::{BoxedUint, Odd};
use crypto_primes::{
    Flavor,
    hazmat::{MillerRabin, Primality},
    is_prime,
};
use zeroize::Zeroizing;

/// Rounds with random bases: an error of at most 2^-64.
const ROUNDS: usize = 32;

/// Whether `candidate`, of 1024 bits or more, is prime.
pub(crate) fn is_probably_prime(candidate: &BoxedUint) -> bool {
    let odd = Option::<Odd<BoxedUint>>::from(candidate.to_odd());
    let Some(odd) = odd else { return false };
    if !is_prime(Flavor::Any, candidate) {
        return false;
    }
    let test = MillerRabin::new(odd);
    (0..ROUNDS).all(|_| {
        random_base(candidate.bits_precision())
            .is_some_and(|base| test.test(&base) != Primality::Composite)
    })
}

/// A number of at most 64 bits less than `bits`: below the candidate, and never 0
/// or 1 in the life of the universe. Bases need be unforeseen, not uniform.
fn random_base(bits: u32) -> Option<BoxedUint> {
    let mut bytes = Zeroizing::new(vec![0; bits as usize / 8]);
    aws_lc_rs::rand::fill(&mut bytes[8..]).ok()?;
    BoxedUint::from_be_slice(&bytes, bits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(hex: &str) -> BoxedUint {
        let bits = hex.len() as u32 * 4;
        Option::from(BoxedUint::from_be_hex(hex, bits)).expect("hex")
    }

    /// Guards against a test that calls everything prime, or nothing.
    #[test]
    fn a_prime_is_told_from_a_composite() {
        // 2^521 - 1 is prime; 2^523 - 1 is not. Padded to whole words.
        let mersenne = |bits: usize| {
            let digits = bits / 4;
            let top = (1 << (bits % 4)) - 1;
            let text = format!("{top:x}{}", "f".repeat(digits));
            number(&format!("{text:0>144}"))
        };
        assert!(is_probably_prime(&mersenne(521)));
        assert!(!is_probably_prime(&mersenne(523)));
    }

    /// Guards against strong pseudoprimes to base 2, which one fixed base takes for
    /// primes.
    #[test]
    fn a_pseudoprime_is_composite() {
        // 3215031751, strong pseudoprime to bases 2, 3, 5 and 7.
        assert!(!is_probably_prime(&number("0000000000000000000000000000000000000000bfa17dc7")));
    }
}
