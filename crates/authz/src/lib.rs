//! Who may do what.
//!
//! [`decide`] answers it: for a [`Subject`] that asks for an [`Action`] on a
//! [`Resource`], by the [`Policies`] of the moment, it gives a [`Grant`] or a
//! [`Denial`]. It is a pure function: the time comes in, nothing is read or written,
//! and nothing is allocated. What is not granted is denied; there is no exemption.
//!
//! Roles, their names and their rights are Azure Key Vault's. Two things are stricter.
//! A right to manage never leads to data: who changes access policies, custom roles or
//! identities is an Owner, and an administrator who is not can neither give itself a
//! data right nor trade one with another such administrator ([`may_assign`]). And no
//! network is trusted by where it comes from ([`NetworkRules`]).
//!
//! This crate refuses to know how a caller proved who it is, how policies are stored,
//! and whether the object that is asked for exists.

mod access_policy;
mod action;
mod assign;
mod assignment;
mod decide;
mod guid;
mod network;
mod pattern;
mod permission;
mod policies;
mod principal;
mod resource;
mod right;
mod rights;
mod role;
mod scope;

pub use access_policy::{AccessPolicies, TooManyPolicies};
pub use action::Action;
pub use assign::{may_assign, may_unassign};
pub use assignment::{Assignment, AssignmentId};
pub use decide::{Decision, Denial, Grant, GrantedBy, decide};
pub use guid::BadGuid;
pub use network::{
    BadRange, BadRules, DefaultAction, IpRange, Listener, NetworkRules, admits, is_served,
};
pub use pattern::{BadPattern, Pattern};
pub use permission::{Permission, Permissions};
pub use policies::{PermissionModel, Policies, PolicyError, VaultPolicy};
pub use principal::{BadPrincipal, BadSubject, Principal, PrincipalKind, Subject};
pub use resource::{ObjectKind, Resource};
pub use right::{Plane, Right};
pub use rights::Rights;
pub use role::{BadRole, Role, RoleDefinition, RoleId};
pub use scope::{BadScope, Scope};
