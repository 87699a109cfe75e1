//! Randomness, and sessions of several threads.

use std::thread;

use keyreeve_types::{KeySpec, Operation};

use super::{Suite, signatures::input_for};
use crate::{KeyBackend, Session};

/// Threads that work at once, and what each does.
const THREADS: usize = 4;
const CALLS: usize = 25;

impl<B: KeyBackend> Suite<'_, B> {
    /// Guards against a generator that repeats itself or leaves bytes unfilled.
    pub(super) fn random_bytes_differ(&self) {
        let (mut one, mut two) = (self.session(), self.session());
        let mut drawn = Vec::new();
        for session in [&mut one, &mut two] {
            for _ in 0..32 {
                let mut bytes = [0; 32];
                assert_eq!(session.random(&mut bytes), Ok(()));
                drawn.push(bytes);
            }
        }
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 64, "random bytes were repeated");
        assert_eq!(one.random(&mut []), Ok(()));
        let mut large = vec![0; 65536];
        assert_eq!(one.random(&mut large), Ok(()));
        let unfilled = large.chunks(32).filter(|chunk| chunk.iter().all(|b| *b == 0)).count();
        assert_eq!(unfilled, 0, "a part was left unfilled");
    }

    /// Guards against state that two sessions share: signatures that are wrong when
    /// others work beside them.
    pub(super) fn threads_work_side_by_side(&self) {
        let signs = |spec: &KeySpec| self.capabilities().sign.iter().any(|a| a.fits(*spec));
        for spec in self.kinds().into_iter().filter(signs) {
            thread::scope(|scope| {
                for number in 0..THREADS {
                    scope.spawn(move || self.sign_many(spec, number as u8));
                }
            });
        }
    }

    fn sign_many(&self, spec: KeySpec, number: u8) {
        let mut session = self.session();
        self.with_key(&mut session, spec, Operation::Sign, |session, key, public| {
            let algorithms: Vec<_> =
                self.capabilities().sign.iter().filter(|a| a.fits(spec)).collect();
            let key = key.clone();
            for call in 0..CALLS {
                let algorithm = *algorithms[call % algorithms.len()];
                let mut input = input_for(algorithm);
                input[0] = number;
                let mut signature = Vec::new();
                let answer = session.sign(&key, algorithm, &input, &mut signature);
                assert_eq!(answer, Ok(()), "{algorithm} in thread {number}");
                let public = public.expect("a public half");
                assert!(
                    self.outside.verify(public, algorithm, &input, &signature),
                    "{algorithm} in thread {number} does not verify"
                );
            }
        });
    }
}
