//! From a blank token to one with PINs.

use std::{fs, os::unix::fs::MetadataExt};

use keyreeve_hsm::{NewPin, Pin, init, list};

use crate::fixture::Place;

/// Guards against a PIN that only the token knows, and a second run that empties a
/// token which is in use.
#[test]
fn a_blank_token_is_initialized_once() {
    let place = Place::blank();
    assert!(
        list(&place.target)
            .unwrap()
            .slots
            .iter()
            .all(|slot| { slot.token.as_ref().is_some_and(|token| !token.initialized) })
    );
    let first = init(&place.target, &place.init()).unwrap();
    assert!(first.changed && first.token.user_pin == "set" && first.token.officer_pin == "set");
    for pin in ["user", "officer"] {
        assert_eq!(fs::metadata(place.path(pin)).unwrap().mode() & 0o777, 0o600);
    }
    let again = init(&place.target, &place.init()).unwrap();
    assert!(!again.changed);
    assert_eq!(again.token.serial, first.token.serial);
}

/// Guards against a token emptied by somebody who did not mean it, and against an
/// officer's PIN that any caller may replace.
#[test]
fn a_token_is_erased_by_its_officer_and_by_name() {
    let place = Place::initialized();
    let mut other = place.init();
    other.label = "other".to_owned();
    other.erase = true;
    let refused = init(&place.target, &other).unwrap_err();
    assert!(refused.next.contains("--erase"), "{refused}");

    let mut wrong = place.init();
    wrong.erase = true;
    wrong.officer = NewPin::Generated(place.path("wrong"));
    wrong.user = NewPin::Generated(place.path("user2"));
    let refused = init(&place.target, &wrong).unwrap_err();
    assert!(refused.what.contains("C_InitToken: CKR_PIN_INCORRECT"), "{refused}");

    let mut right = place.init();
    right.erase = true;
    right.officer = NewPin::Chosen(Pin::File(place.path("officer")));
    right.user = NewPin::Generated(place.path("user3"));
    assert!(init(&place.target, &right).unwrap().changed);
}

/// Guards against a PIN file that is overwritten, and lost with the token it opens.
#[test]
fn a_file_that_is_there_is_not_written_over() {
    let place = Place::blank();
    fs::write(place.path("user"), "kept").unwrap();
    let refused = init(&place.target, &place.init()).unwrap_err();
    assert!(refused.what.contains("already"), "{refused}");
    assert_eq!(fs::read_to_string(place.path("user")).unwrap(), "kept");
}
