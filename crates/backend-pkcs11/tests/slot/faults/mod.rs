//! A module that goes wrong: every return value that matters, from every call that an
//! operation makes, and results that are damaged.
//!
//! The classes are those of `docs/hsm-modules.md`: what an answer says about who can mend
//! it. Whatever a module returns, nothing of a result leaves, nothing panics, and the
//! same session works again as soon as the module does.

mod codes;
mod operations;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

use keyreeve_backend::{Error, KeyBackend, Session};
use keyreeve_backend_pkcs11::Pkcs11Backend;
use keyreeve_publickey::PublicKey;
use keyreeve_testkit::{KeyhostProcess, ThroughKeyhost, Token, with_shim};
use keyreeve_types::{KeySpec, SignInput, SignatureAlgorithm};

use crate::fixture::{SIGN, backend, config, id};
use codes::{CODES, Class};
use operations::{Bench, operations};

/// Guards against a return value that passes for something else: a lost device for a
/// caller's mistake, a caller's garbage for a lost device, an unknown object for a
/// missing key, or any of them for success.
#[test]
fn every_return_value_ends_in_its_class() {
    with_shim(|token| matrix(token, &backend(token), &[]));
}

/// Guards against the same between a keyhost and the front, where a session that failed
/// is replaced and a key opened anew without the caller's knowing.
#[test]
fn every_return_value_ends_in_its_class_through_a_keyhost() {
    let token = Token::shimmed().unwrap();
    let keyhost = KeyhostProcess::slot(&token).unwrap();
    // A keyhost has the key open already and does not ask the module again.
    matrix(&token, &ThroughKeyhost::new(keyhost).unwrap(), &["open"]);
}

/// Guards against a token locked by logging in again, whatever the login returned.
#[test]
fn one_login_is_tried_whatever_it_returns() {
    with_shim(|token| {
        for (name, value, class) in CODES {
            let before = token.faults().count("C_Login");
            token.faults().set(&[&format!("C_Login always return {value:#x}")]).unwrap();
            let error = Pkcs11Backend::open(config(token)).err();
            assert_class(error.as_ref(), class, false, &format!("C_Login: {name}"));
            // The one attempt, and the fault that met it.
            assert_eq!(token.faults().count("C_Login") - before, 2, "{name}");
        }
    });
}

/// Guards against a faulty signature that leaves: of RSA or Ed25519 it gives the key away.
#[test]
fn no_damaged_signature_leaves() {
    with_shim(|token| {
        let backend = backend(token);
        assert_withheld(token, &backend);
    });
}

/// Guards against the same through a keyhost.
#[test]
fn no_damaged_signature_leaves_a_keyhost() {
    let token = Token::shimmed().unwrap();
    let keyhost = KeyhostProcess::slot(&token).unwrap();
    assert_withheld(&token, &ThroughKeyhost::new(keyhost).unwrap());
}

/// Guards against a module that crashes and takes more with it than its process.
#[test]
fn a_module_that_crashes_is_an_error_to_its_caller() {
    let token = Token::shimmed().unwrap();
    let keyhost = ThroughKeyhost::new(KeyhostProcess::slot(&token).unwrap()).unwrap();
    let mut session = keyhost.open_session().unwrap();
    let new = session.generate(id(1), KeySpec::EcP256, SIGN).unwrap();
    token.faults().set(&["C_Sign nth 2 crash"]).unwrap();
    let mut out = Vec::new();
    let signed = session.sign(&new.key, SignatureAlgorithm::Es256, &[7; 32], &mut out);
    assert!(matches!(signed, Err(Error::DeviceFailed(_))), "{signed:?}");
    assert!(out.is_empty());
}

/// Guards against tests of time-outs that pass because nothing was slow, and against a
/// session that is of no use after its module was.
#[test]
fn a_slow_and_a_hanging_module_go_on_where_they_were() {
    with_shim(|token| {
        let backend = backend(token);
        let mut session = backend.open_session().unwrap();
        let new = session.generate(id(1), KeySpec::EcP256, SIGN).unwrap();
        let mut sign = || {
            let (started, mut out) = (Instant::now(), Vec::new());
            session.sign(&new.key, SignatureAlgorithm::Es256, &[7; 32], &mut out).unwrap();
            started.elapsed()
        };
        token.faults().set(&["C_SignInit always delay 150"]).unwrap();
        assert!(sign() >= Duration::from_millis(150));
        token.faults().set(&["C_SignInit always hang"]).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(300));
                token.faults().clear().unwrap();
            });
            assert!(sign() >= Duration::from_millis(250));
        });
        sign();
    });
}

/// Every operation but those `without`, under every return value of every call it makes.
fn matrix<B: KeyBackend>(token: &Token, backend: &B, without: &[&str]) {
    let mut bench = Bench::new(backend);
    let mut cells = 0;
    let mut wrong = Vec::new();
    let mut operations = operations::<B>().to_vec();
    operations.retain(|operation| !without.contains(&operation.name));
    for operation in &operations {
        for function in operation.functions {
            for (name, value, class) in CODES {
                let what = format!("{}: {function}: {name}", operation.name);
                let rule = format!("{function} always return {value:#x}");
                token.faults().set(&[&rule]).unwrap();
                let cell = catch_unwind(AssertUnwindSafe(|| {
                    let mut out = b"before".to_vec();
                    let answer = (operation.run)(&mut bench, &mut out);
                    assert_eq!(out, b"before", "{what}: something of a result remains");
                    assert_class(answer.err().as_ref(), class, operation.takes_ciphertext, &what);
                    token.faults().clear().unwrap();
                    let mut out = b"before".to_vec();
                    (operation.run)(&mut bench, &mut out)
                        .unwrap_or_else(|error| panic!("{what}: then, all being well: {error}"));
                }));
                if let Err(panic) = cell {
                    wrong.push(panic.downcast_ref::<String>().cloned().unwrap_or(what));
                }
                token.faults().clear().unwrap();
                cells += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cells} cells:\n{}", wrong.len(), wrong.join("\n"));
    eprintln!("{} return values, {} operations, {cells} cells", CODES.len(), operations.len());
    assert!(CODES.len() >= 30 && operations.len() >= 8);
}

#[track_caller]
fn assert_class(error: Option<&Error>, class: Class, takes_ciphertext: bool, what: &str) {
    let fits = match (class, error) {
        (Class::Session, Some(Error::SessionFailed(_) | Error::KeyMissing))
        | (Class::Token, Some(Error::DeviceFailed(_)))
        | (Class::Operator, Some(Error::NeedsOperator(_)))
        | (Class::Caller, Some(Error::Unsupported | Error::InvalidInput(_))) => true,
        (Class::Ambiguous | Class::Caller, Some(Error::CryptoFailed)) => takes_ciphertext,
        (Class::Ambiguous, Some(Error::SessionFailed(_))) => !takes_ciphertext,
        _ => false,
    };
    assert!(fits, "{what}: not of class {class:?}: {error:?}");
}

/// Signs with every algorithm that is offered while every other signature is damaged.
fn assert_withheld<B: KeyBackend>(token: &Token, backend: &B) {
    let mut session = backend.open_session().unwrap();
    let specs = [
        KeySpec::Rsa2048,
        KeySpec::EcP256,
        KeySpec::EcP384,
        KeySpec::EcP521,
        KeySpec::EcSecp256k1,
        KeySpec::Ed25519,
    ];
    let (mut signed, mut withheld) = (0, 0);
    for (n, spec) in (1..).zip(specs) {
        let new = session.generate(id(n), spec, SIGN).unwrap();
        let public = PublicKey::from_spki(new.public.as_ref().unwrap()).unwrap();
        for algorithm in backend.capabilities().sign.iter().filter(|a| a.fits(spec)) {
            // The binding asks for the length first: each signature is two calls.
            token.faults().set(&["C_Sign every 4 corrupt"]).unwrap();
            for round in 0..10_u8 {
                let input = match algorithm.input() {
                    SignInput::Digest(digest) => vec![round; digest.len()],
                    SignInput::Message => vec![round; 100],
                };
                let mut out = Vec::new();
                match session.sign(&new.key, *algorithm, &input, &mut out) {
                    Ok(()) => {
                        signed += 1;
                        assert_eq!(public.verify(*algorithm, &input, &out), Ok(true));
                    }
                    Err(error) => {
                        withheld += 1;
                        assert_eq!(error, Error::FaultyResult, "{algorithm}");
                        assert!(out.is_empty(), "{algorithm}: a damaged signature left");
                    }
                }
            }
        }
        token.faults().clear().unwrap();
    }
    eprintln!("{signed} signatures left, {withheld} damaged ones were withheld");
    assert_eq!(withheld, token.faults().count("C_Sign"), "each damaged one was withheld");
    assert_eq!(signed, withheld);
}
