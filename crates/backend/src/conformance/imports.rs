//! Taking keys made elsewhere.

use keyreeve_types::{Operation, Secret};

use super::{Suite, fixtures::fixture, keys::Stored, signatures::input_for};
use crate::{Error, KeyBackend, Session};

impl<B: KeyBackend> Suite<'_, B> {
    /// Guards against an imported key that is stored or used as another one.
    pub(super) fn an_imported_key_is_the_one_given(&self) {
        let mut session = self.session();
        for spec in self.imported_kinds() {
            let (id, given) = (self.fresh_id(), fixture(spec));
            let ops = self.ops_for(spec, Operation::Sign);
            let new = session
                .import(id, spec, ops, Secret::new(given.private))
                .unwrap_or_else(|error| panic!("importing a {spec} key: {error}"));
            let stored = Stored::new(id, spec, new.material, new.public);
            if given.public.is_some() {
                assert_eq!(stored.public, given.public, "{spec}: public half");
            }
            let opened = session.open(id, spec, stored.material()).expect("it opens");
            let fitting = |a: &&_| keyreeve_types::SignatureAlgorithm::fits(**a, spec);
            for algorithm in self.capabilities().sign.iter().filter(fitting) {
                for key in [&new.key, &opened] {
                    let (input, mut signature) = (input_for(*algorithm), Vec::new());
                    let answer = session.sign(key, *algorithm, &input, &mut signature);
                    assert_eq!(answer, Ok(()), "{spec} {algorithm}");
                    assert!(
                        self.outside.verify(stored.public(), *algorithm, &input, &signature),
                        "{spec} {algorithm}: the signature does not verify"
                    );
                }
            }
            self.destroy(&stored);
        }
    }

    /// Guards against bytes of one kind of key taken for another.
    pub(super) fn a_key_of_another_kind_is_refused(&self) {
        let mut session = self.session();
        for spec in self.imported_kinds() {
            for other in self.imported_kinds() {
                let bytes = fixture(other).private;
                // Symmetric keys and seeds of one length cannot be told apart.
                if other == spec || bytes.len() == fixture(spec).private.len() {
                    continue;
                }
                let (id, ops) = (self.fresh_id(), self.capabilities().default_ops(spec));
                let answer = session.import(id, spec, ops, Secret::new(bytes)).map(drop);
                assert!(
                    matches!(answer, Err(Error::InvalidInput(_))),
                    "{other} imported as {spec}: {answer:?}"
                );
            }
        }
    }
}
