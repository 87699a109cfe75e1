//! What is private to this crate and parses what callers send or a store holds, for
//! the fuzz targets of `tests/fuzz`. Only there: nothing of it is part of the
//! crate's interface.

use crate::{
    Page, PageRequest,
    crypto::jwt_json,
    record::{
        self, AssignmentRecord, HeadRecord, KeyRecord, PrincipalRecord, Record, RoleRecord,
        TokenRecord, VaultPolicyRecord, VaultRecord, VersionRecord,
    },
};

/// A kind of record in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredAs {
    /// A vault.
    Vault,
    /// A key.
    Key,
    /// A key version.
    Version,
    /// A principal.
    Principal,
    /// A token.
    Token,
    /// A custom role.
    Role,
    /// A role assignment.
    Assignment,
    /// What a vault says about access to it.
    VaultPolicy,
    /// What every change of access puts.
    Head,
}

impl StoredAs {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Vault,
        Self::Key,
        Self::Version,
        Self::Principal,
        Self::Token,
        Self::Role,
        Self::Assignment,
        Self::VaultPolicy,
        Self::Head,
    ];
}

/// Reads a record and writes it again; `None` if it is refused.
pub fn rewrite(kind: StoredAs, bytes: &[u8]) -> Option<Vec<u8>> {
    fn through<R: Record>(bytes: &[u8]) -> Option<Vec<u8>> {
        record::encode(&record::decode::<R>(bytes).ok()?).ok()
    }
    match kind {
        StoredAs::Vault => through::<VaultRecord>(bytes),
        StoredAs::Key => through::<KeyRecord>(bytes),
        StoredAs::Version => through::<VersionRecord>(bytes),
        StoredAs::Principal => through::<PrincipalRecord>(bytes),
        StoredAs::Token => through::<TokenRecord>(bytes),
        StoredAs::Role => through::<RoleRecord>(bytes),
        StoredAs::Assignment => through::<AssignmentRecord>(bytes),
        StoredAs::VaultPolicy => through::<VaultPolicyRecord>(bytes),
        StoredAs::Head => through::<HeadRecord>(bytes),
    }
}

/// After which item the page behind `token` begins; `None` if the token is refused.
pub fn page_after(token: &str) -> Option<Option<String>> {
    PageRequest { size: 0, token }.after().ok()
}

/// The token of the page behind an item at `position`.
pub fn page_token(position: &str) -> String {
    // A page of one out of two, so that there is a next one.
    Page::take([(), ()].into_iter(), 1, |()| position.to_owned()).next
}

/// A JWS header with what the caller adds to it; `None` if that is refused.
pub fn jws_header(added: &str, algorithm: &str, kid: &str) -> Option<String> {
    jwt_json::header(added, algorithm, kid).ok()
}

/// Whether `claims` would be signed.
pub fn takes_claims(claims: &str) -> bool {
    jwt_json::check_claims(claims).is_ok()
}
