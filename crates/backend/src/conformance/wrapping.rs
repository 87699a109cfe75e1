//! AES key wrapping.

use keyreeve_types::{KeySpec, Operation, Secret, WrapAlgorithm};

use super::{Suite, appended, assert_refused, buffer, vectors};
use crate::{Error, InvalidInput, KeyBackend, Session};

impl<B: KeyBackend> Suite<'_, B> {
    /// Guards against a wrapping that nobody else can open.
    pub(super) fn aes_unwraps_the_vectors(&self) {
        let mut session = self.session();
        for vector in vectors::WRAPPING {
            let padded = vector.algorithm == WrapAlgorithm::AesKwp;
            let listed = self.capabilities().unwrap.contains(&vector.algorithm);
            if !listed || !self.imported_kinds().contains(&vector.key_spec) {
                continue;
            }
            let (id, spec) = (self.fresh_id(), vector.key_spec);
            let ops = self.ops_for(spec, Operation::WrapKey);
            let new = session
                .import(id, spec, ops, Secret::new(vectors::bytes(vector.key)))
                .expect("a key for the vector");
            let (plain, wrapped) = (vectors::bytes(vector.plain), vectors::bytes(vector.wrapped));
            let mut out = buffer();
            assert_eq!(session.wrap(&new.key, padded, &plain, &mut out), Ok(()));
            assert_eq!(appended(&out), wrapped, "{} {spec}", vector.algorithm);
            let mut out = buffer();
            let answer = session.unwrap(&new.key, vector.algorithm, &wrapped, &mut out);
            assert_eq!(answer, Ok(()), "{} {spec}", vector.algorithm);
            assert_eq!(appended(&out), plain, "{} {spec}", vector.algorithm);
            assert_eq!(session.destroy(id, spec), Ok(()));
        }
    }

    /// Guards against a length at which wrapping and unwrapping part ways.
    pub(super) fn aes_unwraps_what_it_wraps(&self) {
        self.each_wrapping(|session, key, spec, algorithm| {
            let padded = algorithm == WrapAlgorithm::AesKwp;
            let lens: &[usize] =
                if padded { &[1, 7, 8, 9, 32, 121, 1190, 4096] } else { &[16, 24, 32, 64, 4096] };
            for len in lens {
                let (plain, mut out) = (vec![0x91; *len], buffer());
                let answer = session.wrap(key, padded, &plain, &mut out);
                assert_eq!(answer, Ok(()), "{algorithm} {spec} of {len} bytes");
                let wrapped = appended(&out).to_vec();
                assert_eq!(wrapped.len(), len.next_multiple_of(8) + 8, "{algorithm} {spec}");
                let mut out = buffer();
                let answer = session.unwrap(key, algorithm, &wrapped, &mut out);
                assert_eq!(answer, Ok(()), "{algorithm} {spec} of {len} bytes");
                assert_eq!(appended(&out), plain, "{algorithm} {spec} of {len} bytes");
            }
        });
    }

    /// Guards against damage that goes unnoticed, and an answer that says where.
    pub(super) fn damaged_wrapping_is_refused(&self) {
        self.each_wrapping(|session, key, spec, algorithm| {
            let mut out = Vec::new();
            let padded = algorithm == WrapAlgorithm::AesKwp;
            assert_eq!(session.wrap(key, padded, &[0x77; 32], &mut out), Ok(()));
            let good = out;
            let flip = |at: usize| {
                let mut flipped = good.clone();
                flipped[at] ^= 1;
                flipped
            };
            let cases = [
                ("the first byte", flip(0)),
                ("the last byte", flip(good.len() - 1)),
                ("a block less", good[..good.len() - 8].to_vec()),
                ("a block more", [good.as_slice(), &[0; 8]].concat()),
                ("a part of a block", good[..good.len() - 3].to_vec()),
                ("one block", good[..8].to_vec()),
                ("nothing", Vec::new()),
            ];
            for (what, wrapped) in &cases {
                let mut out = buffer();
                let answer = session.unwrap(key, algorithm, wrapped, &mut out);
                let what = format!("{algorithm} {spec}: {what}");
                assert_refused(answer, &Error::CryptoFailed, &out, &what);
            }
        });
    }

    /// Guards against padding where the algorithm has none.
    pub(super) fn what_cannot_be_wrapped_is_refused(&self) {
        self.each_wrapping(|session, key, spec, algorithm| {
            let padded = algorithm == WrapAlgorithm::AesKwp;
            let mut refused = |len: usize, why: InvalidInput| {
                let mut out = buffer();
                let answer = session.wrap(key, padded, &vec![5; len], &mut out);
                let what = format!("{algorithm} {spec} of {len} bytes");
                assert_refused(answer, &why.into(), &out, &what);
            };
            refused(0, InvalidInput::Empty);
            if !padded {
                for len in [1, 8, 15, 17, 31] {
                    refused(len, InvalidInput::NotWholeBlocks);
                }
            }
        });
    }

    /// Calls `check` for each listed AES wrapping and each key it fits.
    fn each_wrapping(&self, check: impl Fn(&mut B::Session, &B::Key, KeySpec, WrapAlgorithm)) {
        let mut session = self.session();
        let aes = |a: &&WrapAlgorithm| !matches!(a, WrapAlgorithm::Rsa(_));
        for algorithm in self.capabilities().unwrap.iter().filter(aes) {
            for spec in self.kinds().into_iter().filter(|spec| algorithm.fits(*spec)) {
                self.with_key(&mut session, spec, Operation::WrapKey, |session, key, _| {
                    check(session, key, spec, *algorithm);
                });
            }
        }
    }
}
