//! What a request sets of who may do what.
//!
//! Whom it gives a role and where, what a role grants, what a vault says about access to
//! it: as it was asked for, so that it is on record before it holds, and when the caller
//! who asked for it hangs up. What a request leaves as it is, is absent.
//!
//! Lists can be longer than a record may be. Then it has the first of their items, says
//! how many it leaves out, and has a hash of all of them.

use std::{borrow::Cow, fmt, str::FromStr};

use keyreeve_tlog::sha256;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{BadEntry, Id, PrincipalName, Term};

/// What a request sets. Members in the order they are written in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// Who is given or loses a role, or is proven by what is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<PrincipalName>,
    /// Which role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Id>,
    /// Where, as `/vaults/prod`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Term>,
    /// Until when, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    /// Patterns of management rights that a role grants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<Term>>,
    /// And leaves out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_actions: Option<Vec<Term>>,
    /// Patterns of data rights that a role grants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_actions: Option<Vec<Term>>,
    /// And leaves out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_data_actions: Option<Vec<Term>>,
    /// What access to a vault's data goes by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Term>,
    /// All access policies of a vault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<PolicyEntry>>,
    /// What becomes of a peer that no network rule names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_action: Option<Term>,
    /// All ranges that reach a vault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranges: Option<Vec<Term>>,
    /// All listeners that serve a vault whoever comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listeners: Option<Vec<Term>>,
    /// How many items of the lists are not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u64>,
    /// SHA-256 of what this object would be with nothing left out, in hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
}

/// One access policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyEntry {
    /// Who.
    pub holder: PrincipalName,
    /// Has which permissions, as `keys/get`.
    pub permissions: Vec<Term>,
}

/// A SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Change {
    /// Most bytes that the lists of one record take.
    pub(super) const MAX_LISTED: usize = 24 * 1024;

    /// With as much of its lists as a record has room for.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let whole = json(&self);
        if whole.len() <= Self::MAX_LISTED {
            return self;
        }
        let (mut room, mut left_out) = (Self::MAX_LISTED, 0);
        let Self { actions, not_actions, data_actions, not_data_actions, .. } = &mut self;
        for list in [actions, not_actions, data_actions, not_data_actions] {
            left_out += cut(list, &mut room);
        }
        left_out += cut(&mut self.policies, &mut room);
        for list in [&mut self.ranges, &mut self.listeners] {
            left_out += cut(list, &mut room);
        }
        self.left_out = Some(left_out);
        self.sha256 = Some(Digest(sha256(&whole).0));
        self
    }
}

/// Leaves what there is room for, in its order, and says how much it took away.
fn cut<T: Serialize>(list: &mut Option<Vec<T>>, room: &mut usize) -> u64 {
    let Some(list) = list else { return 0 };
    let fitting = list.iter().take_while(|item| {
        let left = room.checked_sub(json(item).len() + 1);
        // What comes after the first that does not fit is left out too.
        *room = left.unwrap_or(0);
        left.is_some()
    });
    let kept = fitting.count();
    let left_out = list.len() - kept;
    list.truncate(kept);
    left_out as u64
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings and numbers written to memory cannot fail")
}

impl Serialize for PrincipalName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PrincipalName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        parsed(from)
    }
}

impl Serialize for Term {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Term {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        parsed(from)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        digits(from).map(Self)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        digits(from).map(Self)
    }
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
    from: D,
) -> Result<T, D::Error> {
    Cow::<'de, str>::deserialize(from)?.parse().map_err(de::Error::custom)
}

fn digits<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[u8; N], D::Error> {
    let mut bytes = [0; N];
    hex::decode_to_slice(&*Cow::<'de, str>::deserialize(from)?, &mut bytes)
        .map_err(|_| de::Error::custom(BadEntry))?;
    Ok(bytes)
}
