//! One session per thread.

use std::thread;

use keyreeve_backend::{KeyBackend, Session};
use keyreeve_testkit::with_direct;
use keyreeve_types::{KeySpec, SignatureAlgorithm};

use crate::fixture::{SIGN, backend, generated};

/// Guards against state shared between sessions: two threads in one PKCS#11 session
/// crash SoftHSM. A key opened in one thread is used in all.
#[test]
fn threads_with_a_session_each_sign_with_one_key() {
    with_direct(|token| {
        let backend = backend(token);
        let mut first = backend.open_session().unwrap();
        let (key, public) = generated(&mut first, 1, KeySpec::EcP256, SIGN);
        let public = public.unwrap();
        drop(first);
        thread::scope(|scope| {
            for n in 0..4_u8 {
                let (backend, key, public) = (&backend, &key, &public);
                scope.spawn(move || {
                    let mut session = backend.open_session().unwrap();
                    for i in 0..200 {
                        let digest = [n ^ i; 32];
                        let mut out = Vec::new();
                        session.sign(key, SignatureAlgorithm::Es256, &digest, &mut out).unwrap();
                        let sound = public.verify(SignatureAlgorithm::Es256, &digest, &out);
                        assert!(sound.unwrap());
                    }
                });
            }
        });
    });
}
