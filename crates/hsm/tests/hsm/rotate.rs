//! A new PIN, and crashes on the way to it.

use std::fs;

use keyreeve_hsm::{Rotated, provision, rotate_pin};

use crate::fixture::{Place, premium};

/// Guards against a PIN file that does not open the token after a rotation, or a
/// second copy of it that is left behind.
#[test]
fn a_rotated_pin_opens_the_token_and_the_old_one_does_not() {
    let place = Place::initialized();
    let file = place.path("user");
    let before = fs::read_to_string(&file).unwrap();
    let done = rotate_pin(&place.target, &file, false).unwrap();
    assert_eq!(done, Rotated { file: file.clone(), resumed: false });
    assert_ne!(fs::read_to_string(&file).unwrap(), before);
    assert!(!place.path("user.new").exists());
    provision(&place.target, &place.pin(), &premium()).unwrap();

    fs::write(&file, before).unwrap();
    let refused = provision(&place.target, &place.pin(), &premium()).unwrap_err();
    assert!(refused.what.contains("CKR_PIN_INCORRECT"), "{refused}");
}

/// Guards against a crash between the token and the file that locks the owner out:
/// wherever it comes, the next run finds the PIN and goes on from there.
#[test]
fn a_rotation_goes_on_where_a_crash_left_it() {
    // Before C_SetPIN: FILE.new was written, and the token has the old PIN.
    let place = Place::initialized();
    let (file, new) = (place.path("user"), place.path("user.new"));
    fs::copy(&file, &new).unwrap();
    fs::write(&new, "a-pin-of-an-earlier-run\n").unwrap();
    let done = rotate_pin(&place.target, &file, false).unwrap();
    assert!(done.resumed && !new.exists());
    assert_eq!(fs::read_to_string(&file).unwrap(), "a-pin-of-an-earlier-run\n");
    provision(&place.target, &place.pin(), &premium()).unwrap();

    // After C_SetPIN: the token has the PIN of FILE.new, FILE the old one.
    fs::rename(&file, &new).unwrap();
    fs::copy(place.path("officer"), &file).unwrap();
    assert!(rotate_pin(&place.target, &file, false).unwrap().resumed);
    assert!(!new.exists());
    provision(&place.target, &place.pin(), &premium()).unwrap();
}
