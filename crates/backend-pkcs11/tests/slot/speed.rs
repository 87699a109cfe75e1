//! The cost of the layer above the module, as a ratio.

use std::time::{Duration, Instant};

use cryptoki::{context::Pkcs11, mechanism::Mechanism, object::Attribute};
use keyreeve_backend::Session;
use keyreeve_testkit::with_direct;
use keyreeve_types::{KeySpec, SignatureAlgorithm};

use crate::fixture::{SIGN, generated, session};

/// Guards against work that creeps onto the path of a signature: a look-up, an
/// attribute read, a session opened per call. Each costs a token object several
/// times the layer's own share, so a bound of 1.3 tells them from a noisy machine.
#[test]
fn a_signature_costs_what_the_module_takes() {
    with_direct(|token| {
        let mut session = session(token);
        let (key, _) = generated(&mut session, 1, KeySpec::EcP256, SIGN);
        let module = Pkcs11::new(&token.module).unwrap();
        let slot = module.get_slots_with_token().unwrap()[0];
        let raw = module.open_rw_session(slot).unwrap();
        let handle =
            raw.find_objects(&[Attribute::Id(vec![1; 16]), Attribute::Private(true)]).unwrap()[0];
        let digest = [7; 32];
        let mut out = Vec::new();
        let mut ratios = Vec::new();
        for _ in 0..15 {
            let bare = timed(|| {
                raw.sign(&Mechanism::Ecdsa, handle, &digest).unwrap();
            });
            let through = timed(|| {
                out.clear();
                session.sign(&key, SignatureAlgorithm::Es256, &digest, &mut out).unwrap();
            });
            ratios.push((through.as_secs_f64() / bare.as_secs_f64(), bare, through));
        }
        ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (ratio, bare, through) = ratios[ratios.len() / 2];
        eprintln!("P-256 sign: bare {bare:?}, through the session {through:?}, ratio {ratio:.3}");
        assert!(ratio < 1.3, "median ratio {ratio}");
    });
}

fn timed(mut operation: impl FnMut()) -> Duration {
    const ROUNDS: u32 = 200;
    let start = Instant::now();
    for _ in 0..ROUNDS {
        operation();
    }
    start.elapsed() / ROUNDS
}
