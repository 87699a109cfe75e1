//! What a slot needs before it serves a group: the keys that belong to the group
//! and not to a customer, made and found by name.
//!
//! A *slot group* is a set of slots that hold the same wrapping key, so that a key
//! wrapped under it opens in any of them. Beside it each slot has a canary of its
//! own: a key that signs nothing but challenges, by which a live token is told from
//! one that only answers.
//!
//! The objects are found by `CKA_ID`, which follows from the group's name, so that
//! two programs mean the same object without having met. `CKA_LABEL` is for people.
//!
//! Nothing here decides when: whoever calls has looked first, and has asked the
//! token whether it is there at all, since SoftHSM finds nothing in a token that is
//! gone, and calls it success.

pub(crate) mod canary;
mod check;
pub(crate) mod guard;
mod hardening;
mod inventory;
mod module;
mod root_recipient;
mod token;
mod transfer;
pub(crate) mod wrapping_key;

use aws_lc_rs::digest::{SHA256, digest};
use cryptoki::{
    object::{Attribute, ObjectClass, ObjectHandle},
    session::Session as Raw,
};
use keyreeve_backend::Error;
use keyreeve_types::Name;

use crate::error::classify;

pub use self::{
    check::{Row, Verdict},
    hardening::Attempt,
    inventory::{Inventory, MechanismEntry, SlotEntry, TokenEntry},
    module::Module,
    token::{Made, Token},
    transfer::{Proof, Transport, TransportKey, challenge},
    wrapping_key::Export,
};

/// What a group's object is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Wraps the keys that any slot of the group serves.
    Wrapping,
    /// Signs challenges.
    Canary,
    /// Opens a root key.
    Root,
}

impl Purpose {
    const fn word(self) -> &'static str {
        match self {
            Self::Wrapping => "wrapping",
            Self::Canary => "canary",
            Self::Root => "root",
        }
    }

    /// `CKA_LABEL`, as `keyreeve-wrapping:GROUP`.
    pub(crate) fn label(self, group: &Name) -> String {
        format!("keyreeve-{}:{group}", self.word())
    }

    /// `CKA_ID`: the first 16 bytes of SHA-256 over a fixed text, the purpose and the
    /// name in lower case. Version ids are random, so one never meets another.
    pub(crate) fn id(self, group: &Name) -> [u8; 16] {
        let text = format!("keyreeve slot group v1\0{}\0{}", self.word(), group.folded());
        let mut id = [0; 16];
        id.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..16]);
        id
    }

    /// The one object of `class` that the token holds for `group`.
    ///
    /// # Errors
    ///
    /// [`Error::NeedsOperator`] if there are two, of which one is not ours.
    pub(crate) fn find(
        self,
        session: &Raw,
        group: &Name,
        class: ObjectClass,
    ) -> Result<Option<ObjectHandle>, Error> {
        let wanted = [
            Attribute::Token(true),
            Attribute::Class(class),
            Attribute::Id(self.id(group).to_vec()),
        ];
        let found = session.find_objects(&wanted).map_err(|error| classify(&error))?;
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            many => Err(Error::NeedsOperator(format!(
                "the token holds {} objects of one class as {:?}; find out who made the others \
                 and remove them",
                many.len(),
                self.label(group)
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against two spellings of a group that reach two keys, two purposes that
    /// reach one, and a change of the derivation that loses every wrapping key.
    #[test]
    fn an_id_follows_from_purpose_and_group_alone() {
        let id = |purpose: Purpose, group: &str| purpose.id(&group.parse().expect("a name"));
        assert_eq!(id(Purpose::Wrapping, "Premium"), id(Purpose::Wrapping, "premium"));
        assert_ne!(id(Purpose::Wrapping, "premium"), id(Purpose::Canary, "premium"));
        assert_ne!(id(Purpose::Wrapping, "premium"), id(Purpose::Wrapping, "premium2"));
        assert_eq!(id(Purpose::Wrapping, "premium")[..4], PINNED);
    }

    /// Of SHA-256 over the text with `wrapping` and `premium`.
    const PINNED: [u8; 4] = [207, 206, 61, 21];
}
