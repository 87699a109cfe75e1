//! A token that Keyreeve issued, in memory: everything but the token.

use std::sync::{Arc, OnceLock};

use keyreeve_audit::record::{Credential, Id, Method};
use keyreeve_authz::{Principal, PrincipalKind, Subject};
use keyreeve_store::Revision;
use keyreeve_types::UnixTime;

use crate::{
    Identity,
    record::{OwnerRecord, TokenRecord, Unreadable},
};

/// A bearer token that was issued.
#[derive(Debug)]
pub struct IssuedToken {
    pub(crate) record: TokenRecord,
    pub(crate) revision: Revision,
    pub(crate) hash: [u8; 32],
    /// Whom it proves, made when it is first asked for: all its requests share one.
    identity: OnceLock<Arc<Identity>>,
    credential: Credential,
}

/// Whom a token proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenOwner<'a> {
    /// A principal that Keyreeve keeps, by its id.
    Principal(&'a str),
    /// Its bearer, by a name.
    Name(&'a str),
}

impl IssuedToken {
    pub(super) fn new(record: TokenRecord, revision: Revision) -> Result<Self, Unreadable> {
        let bad = |what: &str| Unreadable(what.to_owned());
        let hash = record.sha256.as_slice().try_into().map_err(|_| bad("not a SHA-256"))?;
        let mut id = [0; 16];
        decode_id(&record.id, &mut id).ok_or_else(|| bad("not an id"))?;
        let credential = Credential::assigned(Id(id));
        let identity = OnceLock::new();
        if let OwnerRecord::Name(name) = &record.owner {
            let principal = Principal::new(PrincipalKind::Token, None, name);
            let principal = principal.map_err(|e| bad(&e.to_string()))?;
            let subject = Subject::new(principal, []).map_err(|e| bad(&e.to_string()))?;
            let proven = Identity::proven(subject, Method::Token, Some(credential));
            let _ = identity.set(Arc::new(proven));
        }
        Ok(Self { record, revision, hash, identity, credential })
    }

    /// 32 hex digits.
    pub fn id(&self) -> &str {
        &self.record.id
    }

    /// Whom it proves.
    pub fn owner(&self) -> TokenOwner<'_> {
        match &self.record.owner {
            OwnerRecord::Principal(id) => TokenOwner::Principal(id),
            OwnerRecord::Name(name) => TokenOwner::Name(name),
        }
    }

    /// When it was issued.
    pub fn created(&self) -> UnixTime {
        UnixTime(self.record.created)
    }

    /// From when on it proves nothing.
    pub fn expires(&self) -> UnixTime {
        UnixTime(self.record.expires)
    }

    /// When it was revoked.
    pub fn revoked(&self) -> Option<UnixTime> {
        self.record.revoked.map(UnixTime)
    }

    /// Whom it proves. Of a principal, `subject` says who that is; its kind and its id
    /// never change.
    pub(crate) fn identity(&self, subject: Option<&Subject>) -> Option<Arc<Identity>> {
        let made = self.identity.get().map(Arc::clone);
        made.or_else(|| {
            let subject = subject?.clone();
            let proven = Identity::proven(subject, Method::Token, Some(self.credential));
            Some(Arc::clone(self.identity.get_or_init(|| Arc::new(proven))))
        })
    }
}

/// 32 lower-case hex digits.
fn decode_id(text: &str, id: &mut [u8; 16]) -> Option<()> {
    let digits = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let value = digits.then(|| u128::from_str_radix(text, 16).ok())??;
    *id = value.to_be_bytes();
    Some(())
}
