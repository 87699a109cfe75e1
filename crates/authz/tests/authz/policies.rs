//! The snapshot: what may be put into it, and that changing it changes nothing else.

use keyreeve_authz::{
    Assignment, AssignmentId, Policies, PolicyError, Role, RoleDefinition, RoleId,
};
use proptest::prelude::*;

use crate::world::{self, assignment, user};

/// Guards against an assignment that takes the place of another, an Owner's say, by
/// using its id, and against two of which only one would be taken away.
#[test]
fn an_assignment_is_made_once() {
    let first = assignment(1, "Owner", user("a"), "/");
    let policies = Policies::new().with_assignment(first.clone()).expect("an assignment");
    let same_id = assignment(1, "Key Vault Reader", user("b"), "/");
    assert_eq!(policies.with_assignment(same_id).err(), Some(PolicyError::AssignmentExists));
    let same = Assignment { id: AssignmentId::from_u128(2), ..first };
    assert_eq!(policies.with_assignment(same).err(), Some(PolicyError::AssignmentExists));
    let unknown =
        Assignment { role: RoleId::from_u128(77), ..assignment(3, "Owner", user("b"), "/") };
    assert_eq!(policies.with_assignment(unknown).err(), Some(PolicyError::UnknownRole));
}

/// Guards against a principal whose list makes every decision slow.
#[test]
fn what_one_principal_holds_is_bounded() {
    let at = |i: u128| {
        let scope = format!("/vaults/v/keys/k{i}");
        assignment(i, "Key Vault Crypto User", user("a"), &scope)
    };
    let full = (0..Policies::MAX_HELD as u128)
        .fold(Policies::new(), |p, i| p.with_assignment(at(i)).expect("room"));
    assert_eq!(full.with_assignment(at(5000)).err(), Some(PolicyError::TooManyHeld));
    let other = assignment(5000, "Key Vault Reader", user("b"), "/");
    assert!(full.with_assignment(other).is_ok());
    let freed = full.without_assignment(AssignmentId::from_u128(3));
    assert!(freed.with_assignment(at(5000)).is_ok());
}

/// Guards against a custom role that is taken for a built-in one, or changes one.
#[test]
fn built_in_roles_and_names_are_taken() {
    let custom = |id, name: &str| {
        let definition = RoleDefinition::new(&[], &[], &["*/read"], &[]).expect("a definition");
        Role::custom(RoleId::from_u128(id), name, definition).expect("a role")
    };
    let policies = Policies::new();
    let taken = policies.with_role(custom(1, "key vault READER")).err();
    assert_eq!(taken, Some(PolicyError::RoleNameTaken));
    let reader = Role::built_in()[0].as_ref().clone();
    assert_eq!(policies.with_role(reader).err(), Some(PolicyError::BuiltInRole));
    assert_eq!(policies.without_role(RoleId::OWNER).err(), Some(PolicyError::BuiltInRole));
    let policies = policies.with_role(custom(1, "Mine")).expect("a role");
    assert!(policies.with_role(custom(1, "Renamed")).is_ok());
    assert_eq!(policies.with_role(custom(2, "mine")).err(), Some(PolicyError::RoleNameTaken));
    let policies = policies.without_role(RoleId::from_u128(1)).expect("nobody has it");
    assert_eq!(policies.roles().count(), Role::built_in().len());
}

proptest! {
    /// Guards against the two indexes growing apart: an assignment that decides and is
    /// not listed could not be taken away.
    #[test]
    fn what_is_listed_is_what_is_held(
        steps in prop::collection::vec((world::assignments(), 0..12u128, any::<bool>()), 0..40),
    ) {
        let mut policies = Policies::new();
        for (assignment, id, add) in steps {
            let (before, id) = (policies.clone(), AssignmentId::from_u128(id));
            let count = before.assignments().count();
            if add {
                policies = policies.with_assignment(Assignment { id, ..assignment }).unwrap_or(policies);
            } else {
                policies = policies.without_assignment(id);
            }
            prop_assert_eq!(before.assignments().count(), count, "a snapshot changed");
            let mut held: Vec<_> = Vec::new();
            for name in world::NAMES {
                for holder in [user(name), world::group(name)] {
                    let of_holder: Vec<_> = policies.assignments_of(&holder).cloned().collect();
                    prop_assert!(of_holder.iter().all(|a| a.holder == holder));
                    prop_assert!(of_holder.is_sorted_by_key(|a| (a.scope.clone(), a.id)));
                    held.extend(of_holder);
                }
            }
            held.sort_by_key(|a| a.id);
            let listed: Vec<_> = policies.assignments().cloned().collect();
            prop_assert_eq!(held, listed);
        }
    }
}
