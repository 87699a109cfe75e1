//! Roles: named sets of rights.
//!
//! A role is defined by four lists of patterns, as in Azure: it grants what `actions`
//! match and `notActions` do not, of management, and so with the two lists of data.
//! The lists are compiled to a set of rights when the role is made. A `not` list takes
//! away from its own role alone; it is not a denial that beats another role.

mod built_in;

use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};

use crate::{BadGuid, BadPattern, Pattern, Plane, Right, Rights, guid};

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    id: RoleId,
    name: Box<str>,
    custom: bool,
    definition: RoleDefinition,
    rights: Rights,
}

/// Identifies a role, whatever it is called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleId(u128);

/// The four lists of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleDefinition {
    actions: Arc<[Pattern]>,
    not_actions: Arc<[Pattern]>,
    data_actions: Arc<[Pattern]>,
    not_data_actions: Arc<[Pattern]>,
}

/// Why there is no such role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadRole {
    /// The name is empty, longer than [`Role::MAX_NAME_LEN`] bytes, begins or ends with
    /// a space, or has a control character.
    Name,
    /// A list has more than [`Role::MAX_PATTERNS`] patterns, or names one twice.
    Patterns,
    /// A pattern is none, and which.
    Pattern(Box<str>, BadPattern),
    /// It grants nothing.
    GrantsNothing,
    /// It grants what only the role Owner may carry.
    OwnerOnly(Right),
    /// The id is that of a built-in role.
    BuiltInId,
}

impl RoleId {
    /// Owner.
    pub const OWNER: Self = Self(built_in::OWNER);

    /// The id of these bits, which the caller drew from a secure random source.
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// Whether an administrator who is no Owner may assign the role: those to which the
    /// condition of Key Vault Data Access Administrator limits its holder.
    pub fn is_delegable(self) -> bool {
        built_in::DELEGABLE.contains(&self.0)
    }
}

impl RoleDefinition {
    /// Reads the four lists.
    pub fn new(
        actions: &[&str],
        not_actions: &[&str],
        data_actions: &[&str],
        not_data_actions: &[&str],
    ) -> Result<Self, BadRole> {
        Ok(Self {
            actions: list(actions, Plane::Management)?,
            not_actions: list(not_actions, Plane::Management)?,
            data_actions: list(data_actions, Plane::Data)?,
            not_data_actions: list(not_data_actions, Plane::Data)?,
        })
    }

    /// Management that it grants.
    pub fn actions(&self) -> &[Pattern] {
        &self.actions
    }

    /// Management that it leaves out.
    pub fn not_actions(&self) -> &[Pattern] {
        &self.not_actions
    }

    /// Data rights that it grants.
    pub fn data_actions(&self) -> &[Pattern] {
        &self.data_actions
    }

    /// Data rights that it leaves out.
    pub fn not_data_actions(&self) -> &[Pattern] {
        &self.not_data_actions
    }

    /// The set that the lists come to.
    pub fn rights(&self) -> Rights {
        let all = |list: &[Pattern]| {
            list.iter().fold(Rights::NONE, |set, pattern| set.union(pattern.rights()))
        };
        all(&self.actions)
            .without(all(&self.not_actions))
            .union(all(&self.data_actions).without(all(&self.not_data_actions)))
    }
}

fn list(texts: &[&str], plane: Plane) -> Result<Arc<[Pattern]>, BadRole> {
    let distinct: BTreeSet<_> = texts.iter().map(|text| text.to_ascii_lowercase()).collect();
    if texts.len() > Role::MAX_PATTERNS || distinct.len() < texts.len() {
        return Err(BadRole::Patterns);
    }
    let pattern = |text: &&str| {
        Pattern::new(text, plane).map_err(|bad| {
            let shown: String = text.chars().take(Pattern::MAX_LEN).collect();
            BadRole::Pattern(shown.into(), bad)
        })
    };
    texts.iter().map(pattern).collect()
}

impl Role {
    /// Longest name, in bytes.
    pub const MAX_NAME_LEN: usize = 128;

    /// Most patterns in one list.
    pub const MAX_PATTERNS: usize = 128;

    /// A custom role.
    ///
    /// It cannot carry the rights of [`Right::OWNER_ONLY`]; with `*` among its actions
    /// it must except them.
    pub fn custom(id: RoleId, name: &str, definition: RoleDefinition) -> Result<Self, BadRole> {
        let printable = !name.chars().any(char::is_control) && name.trim() == name;
        if name.is_empty() || name.len() > Self::MAX_NAME_LEN || !printable {
            return Err(BadRole::Name);
        }
        if built_in::all().iter().any(|role| role.id == id) {
            return Err(BadRole::BuiltInId);
        }
        let rights = definition.rights();
        if rights == Rights::NONE {
            return Err(BadRole::GrantsNothing);
        }
        if let Some(right) = Right::OWNER_ONLY.into_iter().find(|right| rights.contains(*right)) {
            return Err(BadRole::OwnerOnly(right));
        }
        Ok(Self { id, name: name.into(), custom: true, definition, rights })
    }

    /// The built-in roles, in the order docs/roles.md shows them.
    pub fn built_in() -> &'static [Arc<Self>] {
        built_in::all()
    }

    /// The built-in role of that name, whatever its case, or of that GUID.
    pub fn find_built_in(text: &str) -> Option<&'static Self> {
        let id = text.parse::<RoleId>().ok();
        let is_it = |role: &&Arc<Self>| {
            role.name().eq_ignore_ascii_case(text) || id.is_some_and(|id| role.id == id)
        };
        Self::built_in().iter().find(is_it).map(AsRef::as_ref)
    }

    /// Its id.
    pub const fn id(&self) -> RoleId {
        self.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is not built in.
    pub const fn is_custom(&self) -> bool {
        self.custom
    }

    /// Its lists.
    pub const fn definition(&self) -> &RoleDefinition {
        &self.definition
    }

    /// What it grants.
    pub const fn rights(&self) -> Rights {
        self.rights
    }

    /// Whether its holder can assign roles without being an Owner.
    pub(crate) fn delegates(&self) -> bool {
        self.id != RoleId::OWNER
            && self
                .rights
                .intersects(Rights::of(&[Right::AssignmentsWrite, Right::AssignmentsDelete]))
    }
}

impl FromStr for RoleId {
    type Err = BadGuid;

    fn from_str(text: &str) -> Result<Self, BadGuid> {
        guid::parse(text).map(Self)
    }
}

impl fmt::Display for RoleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        guid::write(self.0, f)
    }
}

impl fmt::Debug for RoleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoleId({self})")
    }
}

impl fmt::Display for BadRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str(
                "the name of a role is 1 to 128 bytes, without control characters and without \
                 spaces at its ends",
            ),
            Self::Patterns => f.write_str("a list of a role has at most 128 patterns, each once"),
            Self::Pattern(text, bad) => write!(f, "{text:?}: {bad}"),
            Self::GrantsNothing => f.write_str("the role grants nothing"),
            Self::OwnerOnly(right) => {
                write!(f, "only the role Owner carries {right}; except it from the role")
            }
            Self::BuiltInId => f.write_str("the id is that of a built-in role"),
        }
    }
}

impl std::error::Error for BadRole {}

#[cfg(test)]
mod tests;
