//! The keys of a slot group.

use keyreeve_hsm::{Outcome, provision};

use crate::fixture::{Place, premium};

/// Guards against a second run that makes a second wrapping key, and a dry run that
/// makes the first.
#[test]
fn provisioning_is_idempotent_and_a_dry_run_changes_nothing() {
    let place = Place::initialized();
    let mut ask = premium();
    ask.root_recipient = Some("main".to_owned());
    let outcomes = |ask: &keyreeve_hsm::Provision| {
        let done = provision(&place.target, &place.pin(), ask).unwrap();
        done.steps.iter().map(|step| step.outcome).collect::<Vec<_>>()
    };
    let dry = keyreeve_hsm::Provision { dry_run: true, ..ask.clone() };
    assert_eq!(outcomes(&dry), [Outcome::WouldMake; 3]);
    assert_eq!(outcomes(&dry), [Outcome::WouldMake; 3]);
    assert_eq!(outcomes(&ask), [Outcome::Made; 3]);
    assert_eq!(outcomes(&ask), [Outcome::Found; 3]);
}

/// Guards against a group whose name reaches the token as something else.
#[test]
fn a_group_has_a_name() {
    let place = Place::initialized();
    let mut ask = premium();
    ask.group = "a group".to_owned();
    assert!(provision(&place.target, &place.pin(), &ask).is_err());
}
