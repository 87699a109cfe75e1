//! What a role comes to, and what is refused as one.

use proptest::prelude::*;

use super::*;

fn define(
    actions: &[&str],
    not: &[&str],
    data: &[&str],
    not_data: &[&str],
) -> Result<Role, BadRole> {
    Role::custom(RoleId(1), "Custom", RoleDefinition::new(actions, not, data, not_data)?)
}

/// Guards against a built-in role that carries data rights beside management, or one
/// that does not compile.
#[test]
fn built_in_roles_that_manage_have_no_data_rights() {
    let data = Rights::on(Plane::Data);
    let changes = Rights::on(Plane::Management)
        .iter()
        .filter(|right| !right.name().ends_with("/read"))
        .collect();
    for role in Role::built_in() {
        assert!(
            !(role.rights().intersects(data) && role.rights().intersects(changes)),
            "{} manages and has data rights",
            role.name()
        );
    }
    assert_eq!(Role::built_in().len(), 15);
}

/// Guards against a role that is handed out by those who are no Owner and lets its
/// holder hand out more.
#[test]
fn delegable_roles_exist_and_do_not_delegate() {
    let delegable: Vec<_> =
        Role::built_in().iter().filter(|role| role.id().is_delegable()).collect();
    assert_eq!(delegable.len(), built_in::DELEGABLE.len());
    assert!(delegable.iter().all(|role| !role.delegates()));
    let delegating: Vec<_> = Role::built_in().iter().filter(|role| role.delegates()).collect();
    assert_eq!(delegating.len(), 1);
    assert_eq!(delegating[0].name(), "Key Vault Data Access Administrator");
}

/// Guards against a built-in role beside Owner that reaches data by way of access
/// policies, roles or identities, as Azure's Contributor does.
#[test]
fn only_owner_carries_what_is_reserved_to_it() {
    let reserved = Rights::of(&Right::OWNER_ONLY);
    for role in Role::built_in() {
        assert_eq!(
            role.rights().intersects(reserved),
            role.id() == RoleId::OWNER,
            "{}",
            role.name()
        );
    }
}

/// Guards against a custom role that is an Owner by another name.
#[test]
fn a_custom_role_cannot_carry_what_is_reserved_to_owner() {
    for right in Right::OWNER_ONLY {
        assert_eq!(define(&[right.name()], &[], &[], &[]), Err(BadRole::OwnerOnly(right)));
    }
    assert!(matches!(define(&["*"], &[], &[], &[]), Err(BadRole::OwnerOnly(_))));
    let reserved = Right::OWNER_ONLY.map(Right::name);
    assert!(define(&["*"], &reserved, &[], &[]).is_ok());
}

/// Guards against `*` among the actions, which opens data, and against an exception
/// that takes nothing away.
#[test]
fn each_list_is_of_its_plane() {
    let reserved = Right::OWNER_ONLY.map(Right::name);
    let manager = define(&["*"], &reserved, &[], &[]).expect("a role");
    assert!(!manager.rights().intersects(Rights::on(Plane::Data)));
    let signer = define(&[], &[], &["*/keys/*"], &["*/PURGE/action", "*/delete"]).expect("a role");
    assert!(signer.rights().contains(Right::KeysSign));
    assert!(!signer.rights().contains(Right::KeysPurge));
    assert!(!signer.rights().contains(Right::KeysDelete));
    assert!(!signer.rights().intersects(Rights::on(Plane::Management)));
}

/// Guards against a slip of the pen: in an exception it would widen the role.
#[test]
fn what_matches_nothing_is_refused() {
    let slip = "Microsoft.KeyVault/vaults/keys/purge";
    assert_eq!(
        define(&[], &[], &["*"], &[slip]),
        Err(BadRole::Pattern(slip.into(), BadPattern::MatchesNothing))
    );
    assert_eq!(define(&[], &[], &["*"], &["*"]), Err(BadRole::GrantsNothing));
    assert_eq!(define(&[], &[], &["*/sign/action", "*/SIGN/action"], &[]), Err(BadRole::Patterns));
}

/// Guards against definitions without bounds, and against a custom role that takes the
/// place of a built-in one.
#[test]
fn names_and_counts_are_bounded() {
    let definition = || RoleDefinition::new(&[], &[], &["*"], &[]).expect("a definition");
    for name in ["", " x", "x ", "a\nb", &"x".repeat(129)] {
        assert_eq!(Role::custom(RoleId(1), name, definition()), Err(BadRole::Name), "{name:?}");
    }
    assert_eq!(Role::custom(RoleId::OWNER, "Mine", definition()), Err(BadRole::BuiltInId));
    let many: Vec<_> = (1..=129).map(|n| "*".repeat(n)).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(define(&[], &[], &many, &[]), Err(BadRole::Patterns));
}

proptest! {
    /// Guards against exceptions that are applied to the wrong list or in the wrong
    /// order: a right is granted if some pattern names it and no exception does.
    #[test]
    fn a_role_grants_what_its_lists_say(
        picks in prop::collection::vec((prop::sample::select(&Right::ALL[..]), any::<bool>()), 0..12),
    ) {
        let named = |plane, not| -> Vec<&str> {
            let mut names: Vec<_> = picks
                .iter()
                .filter(|(right, is_not)| right.plane() == plane && *is_not == not)
                .map(|(right, _)| right.name())
                .collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let definition = RoleDefinition::new(
            &named(Plane::Management, false),
            &named(Plane::Management, true),
            &named(Plane::Data, false),
            &named(Plane::Data, true),
        ).expect("a definition");
        for right in Right::ALL {
            let expected = picks.contains(&(right, false)) && !picks.contains(&(right, true));
            prop_assert_eq!(definition.rights().contains(right), expected, "{}", right);
        }
    }
}
