//! MACs, judged by vectors.

use keyreeve_types::{Operation, Secret};

use super::{Suite, appended, buffer, vectors};
use crate::{KeyBackend, Session};

impl<B: KeyBackend> Suite<'_, B> {
    /// Guards against another hash, a truncated tag or a key used in part.
    pub(super) fn macs_are_those_of_the_vectors(&self) {
        let mut session = self.session();
        for vector in vectors::MACS {
            let listed = self.capabilities().mac.contains(&vector.algorithm);
            if !listed || !self.imported_kinds().contains(&vector.key_spec) {
                continue;
            }
            let (id, spec) = (self.fresh_id(), vector.key_spec);
            let ops = self.capabilities().default_ops(spec);
            let new = session
                .import(id, spec, ops, Secret::new(vectors::bytes(vector.key)))
                .expect("a key for the vector");
            let mut out = buffer();
            let message = vectors::bytes(vector.message);
            let answer = session.mac(&new.key, vector.algorithm, &message, &mut out);
            assert_eq!(answer, Ok(()), "{}", vector.algorithm);
            assert_eq!(appended(&out), vectors::bytes(vector.tag), "{}", vector.algorithm);
            assert_eq!(session.destroy(id, spec), Ok(()));
        }
    }

    /// Guards against a tag that leaves out a part of the message, or is not the
    /// same twice.
    pub(super) fn macs_of_any_size(&self) {
        let mut session = self.session();
        for algorithm in &self.capabilities().mac {
            for spec in self.kinds().into_iter().filter(|spec| algorithm.fits(*spec)) {
                self.with_key(&mut session, spec, Operation::Sign, |session, key, _| {
                    let mut tags = Vec::new();
                    for len in [0, 1, 63, 64, 65, 65535, 65536, 65536] {
                        let mut out = buffer();
                        let answer = session.mac(key, *algorithm, &vec![3; len], &mut out);
                        assert_eq!(answer, Ok(()), "{algorithm} of {len} bytes");
                        let tag = appended(&out).to_vec();
                        assert_eq!(tag.len(), algorithm.digest().len(), "{algorithm}");
                        tags.push(tag);
                    }
                    assert_eq!(tags.pop().as_ref(), tags.last(), "{algorithm}: not the same twice");
                    tags.sort();
                    tags.dedup();
                    assert_eq!(tags.len(), 7, "{algorithm}: two messages have one tag");
                });
            }
        }
    }
}
