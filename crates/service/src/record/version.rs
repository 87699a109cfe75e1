//! A key version as it is stored.

use std::collections::BTreeMap;

use keyreeve_types::{KeyOps, KeyPolicy, KeySpec, UnixTime, VersionId};
use serde::{Deserialize, Serialize};

use super::{Record, text};

/// The record of a key version, under `keys/{vault}/{key}/{version}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionRecord {
    /// The format of this document: 1.
    pub(crate) format: u32,
    /// The version's id, 32 hex digits.
    #[serde(with = "text::plain")]
    pub(crate) id: VersionId,
    /// Counts the versions of the key, from 1; the highest is the latest.
    pub(crate) number: u32,
    /// What kind of key it is, as `EcP256`.
    pub(crate) spec: KeySpec,
    /// The operations it was made with.
    #[serde(with = "text::operations")]
    pub(crate) made_for: KeyOps,
    /// The operations allowed now.
    #[serde(with = "text::operations")]
    pub(crate) operations: KeyOps,
    /// Whether it may be used.
    pub(crate) enabled: bool,
    /// Not usable before; Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) not_before: Option<i64>,
    /// Makes nothing new from then on; Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) expires: Option<i64>,
    /// Counts the changes of the rules above, from 1.
    pub(crate) policy_revision: u32,
    /// The key material and the rules above, sealed together (docs/formats.md).
    #[serde(with = "text::base64url")]
    pub(crate) sealed: Vec<u8>,
    /// The slot that alone holds it; absent where any of its backend can use it, and in
    /// records from before there were slot groups.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) slot: Option<String>,
    /// `SubjectPublicKeyInfo` DER (RFC 5280); empty for AES and HMAC.
    #[serde(with = "text::base64url")]
    pub(crate) public: Vec<u8>,
    /// The caller's tags.
    pub(crate) tags: BTreeMap<String, String>,
    /// When it was made, in Unix seconds.
    pub(crate) created: i64,
    /// When its attributes last changed, in Unix seconds.
    pub(crate) updated: i64,
}

impl Record for VersionRecord {
    fn format(&self) -> u32 {
        self.format
    }
}

impl VersionRecord {
    /// The rules, as they are sealed with the key.
    pub(crate) fn policy(&self) -> KeyPolicy {
        KeyPolicy {
            spec: self.spec,
            made_for: self.made_for,
            ops: self.operations,
            enabled: self.enabled,
            not_before: self.not_before.map(UnixTime),
            expires: self.expires.map(UnixTime),
            revision: self.policy_revision,
        }
    }

    /// Takes over the rules and the envelope that holds them.
    pub(crate) fn set_policy(&mut self, policy: &KeyPolicy, sealed: Vec<u8>) {
        self.spec = policy.spec;
        self.made_for = policy.made_for;
        self.operations = policy.ops;
        self.enabled = policy.enabled;
        self.not_before = policy.not_before.map(|t| t.0);
        self.expires = policy.expires.map(|t| t.0);
        self.policy_revision = policy.revision;
        self.sealed = sealed;
    }
}
