//! RSA moduli whose factors can be found.

use zeroize::Zeroizing;

/// Whether `n` has a factor below 2^12.
pub(crate) fn has_small_factor(n: &[u8]) -> bool {
    (3..1 << 12).step_by(2).any(|divisor| remainder(n, divisor) == 0)
}

/// Whether `n` bears the fingerprint of ROCA (CVE-2017-15361): Infineon's library
/// made primes of the form k·M + (65537^a mod M) with M a product of small primes,
/// so that n is a power of 65537 modulo each of those. A random modulus passes for
/// one with a probability of about 2^-27.
pub(crate) fn has_roca_fingerprint(n: &[u8]) -> bool {
    ROCA_PRIMES.iter().all(|prime| {
        let target = remainder(n, *prime);
        let mut power = 1;
        (0..*prime).any(|_| {
            power = power * 65537 % prime;
            power == target
        })
    })
}

/// Whether `p` and `q`, of the same length, are so close that Fermat's method
/// finds them from their product: FIPS 186-5 appendix A.1.3 demands a distance
/// above 2^(len - 100), in bits.
pub(crate) fn are_close(p: &[u8], q: &[u8]) -> bool {
    let (larger, smaller) = if p >= q { (p, q) } else { (q, p) };
    let mut difference = Zeroizing::new(vec![0; p.len()]);
    let mut borrow = 0;
    for i in (0..p.len()).rev() {
        let digit = i16::from(larger[i]) - i16::from(smaller[i]) - borrow;
        borrow = i16::from(digit < 0);
        difference[i] = digit.rem_euclid(256) as u8;
    }
    // The upper 100 bits: twelve bytes and the upper half of the next.
    difference[..12].iter().all(|b| *b == 0) && difference[12] >> 4 == 0
}

fn remainder(n: &[u8], divisor: u64) -> u64 {
    n.iter().fold(0, |rest, byte| (rest << 8 | u64::from(*byte)) % divisor)
}

const ROCA_PRIMES: [u64; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a fingerprint check that never fires: 65537^3 is a power of
    /// 65537 modulo everything.
    #[test]
    fn a_power_of_65537_has_the_fingerprint_and_its_neighbour_has_not() {
        let cube: u64 = 65537 * 65537 * 65537;
        assert!(has_roca_fingerprint(&cube.to_be_bytes()));
        assert!(!has_roca_fingerprint(&(cube + 2).to_be_bytes()));
    }

    /// Guards against an off-by-one in the distance that FIPS 186-5 demands.
    #[test]
    fn factors_are_close_up_to_a_hundred_bits() {
        let p = [0xc0; 128];
        let mut far = p;
        far[12] ^= 0x10;
        let mut near = p;
        near[12] ^= 0x08;
        near[100] ^= 0xff;
        assert!(!are_close(&p, &far));
        assert!(!are_close(&far, &p));
        assert!(are_close(&p, &near));
        assert!(are_close(&p, &p));
    }

    /// Guards against a modulus with a factor that trial division finds.
    #[test]
    fn small_factors_are_found() {
        assert!(has_small_factor(&(4093u64 * 1_000_000_007).to_be_bytes()));
        assert!(!has_small_factor(&(1_000_000_007u64 * 998_244_353).to_be_bytes()));
    }
}
