//! A wrapping key in two slots, each a SoftHSM with a token directory of its own.

use keyreeve_hsm::{End, Export, Pin, check, provision, replicate};

use crate::fixture::{Place, premium};

fn end(place: &Place) -> End {
    End { target: place.target.clone(), pin: place.pin() }
}

/// Guards against a group whose slots hold different keys, a transfer that one person
/// can do, and a second run that does it again.
#[test]
fn a_trusted_key_is_replicated_by_two_people_and_proved_equal() {
    let (a, b) = (Place::initialized(), Place::initialized());
    provision(&a.target, &a.pin(), &premium()).unwrap();
    let canary_alone = keyreeve_hsm::Provision { wrapping_key: false, ..premium() };
    provision(&b.target, &b.pin(), &canary_alone).unwrap();

    let alone = replicate("premium", &end(&a), None, &end(&b), false).unwrap_err();
    assert!(alone.what.contains("security officer"), "{alone}");
    let wrong = Pin::File(a.path("user"));
    let refused = replicate("premium", &end(&a), Some(&wrong), &end(&b), false).unwrap_err();
    assert!(refused.what.contains("CKR_PIN_INCORRECT"), "{refused}");

    let officer = Pin::File(a.path("officer"));
    let done = replicate("premium", &end(&a), Some(&officer), &end(&b), false).unwrap();
    assert!(done.equal && done.transport.is_some() && done.export == Export::Trusted);
    let again = replicate("premium", &end(&a), None, &end(&b), false).unwrap();
    assert!(again.equal && again.transport.is_none());
    let report = check(&b.target, &b.pin(), Some("premium")).unwrap();
    assert!(report.is_sound(), "{:#?}", report.findings);
}

/// Guards against two keys of one name that pass for one, and against the loss of
/// either.
#[test]
fn different_keys_are_told_apart_and_neither_is_replaced() {
    let (a, b) = (Place::initialized(), Place::initialized());
    for place in [&a, &b] {
        provision(&place.target, &place.pin(), &premium()).unwrap();
    }
    let officer = Pin::File(a.path("officer"));
    let refused = replicate("premium", &end(&a), Some(&officer), &end(&b), false).unwrap_err();
    assert!(refused.what.contains("different wrapping keys"), "{refused}");
}

/// Guards against a key that stays open after its transfer, and one that leaves
/// although it never should.
#[test]
fn an_open_key_is_closed_at_both_ends_and_then_never_leaves() {
    let (a, b, c) = (Place::initialized(), Place::initialized(), Place::initialized());
    let open = keyreeve_hsm::Provision { export: Some(Export::Open), ..premium() };
    provision(&a.target, &a.pin(), &open).unwrap();
    let done = replicate("premium", &end(&a), None, &end(&b), true).unwrap();
    assert!(done.equal && done.closed);
    let again = replicate("premium", &end(&a), None, &end(&b), true).unwrap();
    assert!(again.equal && !again.closed);
    let refused = replicate("premium", &end(&b), None, &end(&c), false).unwrap_err();
    assert!(refused.what.contains("never leaves"), "{refused}");
    let report = check(&a.target, &a.pin(), Some("premium")).unwrap();
    assert!(report.is_sound(), "closed: {:#?}", report.findings);
}
