//! Hostile tokens: none is accepted, also when many come at once.
//!
//! Most are signed by the issuer's own key, so that the one thing that is wrong with
//! them is what must be seen. The same generator makes the good tokens, which are
//! accepted: a verifier that refuses everything fails as well.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};

use crate::{
    signer::{Signer, encode, hmac_token},
    world::{AUDIENCE, ISSUER, NOW, OTHER, World, claims},
};

const AT_ONCE: usize = 64;

type Hostile = Vec<(String, String)>;

/// Guards against every known way to have a forged, stale or foreign token accepted,
/// and against a verifier that takes one in ten of them when it is busy.
#[test]
fn no_hostile_token_is_accepted_64_at_a_time() {
    let world = World::new();
    let mut tokens = Hostile::new();
    for signer in &world.signers[0] {
        forms(signer, &mut tokens);
        headers(signer, &mut tokens);
        contents(signer, &mut tokens);
        signatures(signer, &mut tokens);
    }
    strangers(&world, &mut tokens);
    assert!(tokens.len() >= 400, "{} tokens", tokens.len());
    let good: Vec<_> = world.signers[0].iter().map(good).collect();

    let (barrier, accepted) = (Barrier::new(AT_ONCE), AtomicUsize::new(0));
    thread::scope(|scope| {
        for turn in 0..AT_ONCE {
            let (world, tokens, good) = (&world, &tokens, &good);
            let (barrier, accepted) = (&barrier, &accepted);
            scope.spawn(move || {
                barrier.wait();
                for (index, token) in good.iter().enumerate() {
                    assert!(world.verify(token).is_ok(), "good token {index}");
                }
                for index in (turn..tokens.len()).step_by(8) {
                    let (name, token) = &tokens[index];
                    if let Ok(subject) = world.verify(token) {
                        eprintln!("accepted: {name} as {}", subject.principal());
                        accepted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(accepted.into_inner(), 0);
    // The threads take every eighth; here each is seen by one more reader.
    for (name, token) in &tokens {
        assert!(world.verify(token).is_err(), "{name}");
    }
    eprintln!("{} hostile tokens, {} good ones", tokens.len(), good.len());
}

fn good(signer: &Signer) -> String {
    signer.sign(signer.header().as_bytes(), claims(ISSUER).as_bytes())
}

/// What is not a compact JWS in its one spelling.
fn forms(signer: &Signer, out: &mut Hostile) {
    let good = good(signer);
    let [header, body, signature] = good.split('.').collect::<Vec<_>>()[..] else { unreachable!() };
    let flattened = json!({"protected": header, "payload": body, "signature": signature});
    let mut bits = signature.to_owned();
    // The last character of these lengths has unused bits: another spelling of the same.
    let last = bits.pop().expect("a character");
    bits.push(char::from(last as u8 + 1));
    for (name, token) in [
        ("empty", String::new()),
        ("dots", "..".to_owned()),
        ("no signature", format!("{header}.{body}.")),
        ("no separator", format!("{header}.{body}")),
        ("no body", format!("{header}..{signature}")),
        ("no header", format!(".{body}.{signature}")),
        ("four parts", format!("{good}.x")),
        ("five parts", format!("{good}.x.y")),
        ("a dot behind", format!("{good}.")),
        ("padding", format!("{good}==")),
        ("trailing bits", format!("{header}.{body}.{bits}")),
        ("space behind", format!("{good} ")),
        ("line feed inside", format!("{header}.{body}\n.{signature}")),
        ("not base64url", format!("{header}.{body}.{}+/", &signature[2..])),
        ("NUL", format!("{good}\0")),
        ("JSON serialisation", flattened.to_string()),
        ("huge", format!("{header}.{}.{signature}", "A".repeat(1_000_000))),
        ("header again as body", format!("{header}.{header}.{signature}")),
        ("a nested token", signer.sign(signer.header().as_bytes(), good.as_bytes())),
        ("a text for claims", signer.sign(signer.header().as_bytes(), b"\"alice\"")),
        ("a list for claims", signer.sign(signer.header().as_bytes(), b"[]")),
    ] {
        out.push((format!("{} {name}", signer.algorithm), token));
    }
}

/// Headers that choose how they are verified.
fn headers(signer: &Signer, out: &mut Hostile) {
    let (alg, kid) = (signer.algorithm, signer.kid.as_str());
    let mine = json!(Signer::new("ES256", kid, 1).jwk());
    let added = |name: &str, value: Value| {
        let mut header = json!({"alg": alg, "kid": kid});
        header[name] = value;
        header.to_string()
    };
    let confused = if alg == "RS256" { "PS256" } else { "RS256" };
    for (name, header) in [
        ("alg none", format!(r#"{{"alg":"none","kid":"{kid}"}}"#)),
        ("alg None", format!(r#"{{"alg":"None","kid":"{kid}"}}"#)),
        ("alg lower case", format!(r#"{{"alg":"{}","kid":"{kid}"}}"#, alg.to_lowercase() + "x")),
        ("alg with a space", format!(r#"{{"alg":" {alg}","kid":"{kid}"}}"#)),
        ("alg another", format!(r#"{{"alg":"{confused}","kid":"{kid}"}}"#)),
        ("alg a list", format!(r#"{{"alg":["{alg}"],"kid":"{kid}"}}"#)),
        ("alg empty", format!(r#"{{"alg":"","kid":"{kid}"}}"#)),
        ("alg NUL", format!(r#"{{"alg":"{alg}\u0000","kid":"{kid}"}}"#)),
        ("no alg", format!(r#"{{"kid":"{kid}"}}"#)),
        ("alg twice", format!(r#"{{"alg":"{alg}","alg":"none","kid":"{kid}"}}"#)),
        ("alg twice, escaped", format!(r#"{{"alg":"{alg}","\u0061lg":"{alg}","kid":"{kid}"}}"#)),
        ("kid twice", format!(r#"{{"alg":"{alg}","kid":"x","kid":"{kid}"}}"#)),
        ("no kid", format!(r#"{{"alg":"{alg}"}}"#)),
        ("kid a number", format!(r#"{{"alg":"{alg}","kid":1}}"#)),
        ("kid null", format!(r#"{{"alg":"{alg}","kid":null}}"#)),
        ("kid traversal", added("kid", json!("../../../../dev/null"))),
        ("kid SQL", added("kid", json!("x' UNION SELECT 'key"))),
        ("kid command", added("kid", json!("|/bin/sleep 10"))),
        ("kid NUL", added("kid", json!(format!("{kid}\0")))),
        ("kid case", added("kid", json!(kid.to_uppercase()))),
        ("kid space", added("kid", json!(format!("{kid} ")))),
        ("kid URL", added("kid", json!("https://evil.example/key"))),
        ("kid long", added("kid", json!("k".repeat(4000)))),
        ("jwk", added("jwk", mine.clone())),
        ("jku", added("jku", json!("https://evil.example/jwks"))),
        ("x5u", added("x5u", json!("https://evil.example/cert"))),
        ("x5c", added("x5c", json!(["MIIB"]))),
        ("crit", added("crit", json!(["exp"]))),
        ("crit empty", added("crit", json!([]))),
        ("b64", added("b64", json!(false))),
        ("zip", added("zip", json!("DEF"))),
        ("enc", added("enc", json!("A256GCM"))),
        ("cty", added("cty", json!("JWT"))),
        ("typ of another token", added("typ", json!("dpop+jwt"))),
        ("typ logout", added("typ", json!("logout+jwt"))),
        ("typ a list", added("typ", json!(["JWT"]))),
        ("deep", format!(r#"{{"alg":"{alg}","kid":"{kid}","x":{}}}"#, deep())),
        ("not JSON", "alg".to_owned()),
        ("behind the object", format!("{}x", signer.header())),
    ] {
        let token = signer.sign(header.as_bytes(), claims(ISSUER).as_bytes());
        out.push((format!("{alg} header: {name}"), token));
    }
    // What is signed with the key that the header brings along.
    let thief = Signer::new("ES256", kid, 1);
    let header = json!({"alg": "ES256", "kid": kid, "jwk": thief.jwk()}).to_string();
    out.push((
        format!("{alg} embedded key"),
        thief.sign(header.as_bytes(), claims(ISSUER).as_bytes()),
    ));
    let unsigned = format!(
        "{}.{}.",
        encode(format!(r#"{{"alg":"none","kid":"{kid}"}}"#).as_bytes()),
        encode(claims(ISSUER).as_bytes())
    );
    out.push((format!("{alg} none, unsigned"), unsigned));
    let public = signer.public_bytes();
    for (name, key) in [("raw", &public[..]), ("hex", hex::encode(&public).as_bytes()), ("", b"")] {
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
        out.push((format!("{alg} HMAC {name}"), hmac_token(&header, &claims(ISSUER), key)));
    }
}

/// Claims that do not hold, each properly signed.
fn contents(signer: &Signer, out: &mut Hostile) {
    let now = NOW.0;
    let changed = |name: &str, value: Value| {
        let mut all: Value = serde_json::from_str(&claims(ISSUER)).expect("JSON");
        match value {
            Value::Null => drop(all.as_object_mut().expect("an object").remove(name)),
            value => all[name] = value,
        }
        all.to_string()
    };
    let raw = |member: &str| claims(ISSUER).replacen('{', &format!("{{{member},"), 1);
    for (name, claims) in [
        ("exp passed", changed("exp", json!(now - 61))),
        ("exp at the leeway", changed("exp", json!(now - 60))),
        ("no exp", changed("exp", Value::Null)),
        ("exp a text", changed("exp", json!((now + 600).to_string()))),
        ("exp a fraction", changed("exp", json!(now as f64 + 600.5))),
        ("exp an exponent", claims(ISSUER).replace(&(now + 600).to_string(), "1e300")),
        ("exp true", changed("exp", json!(true))),
        ("exp a list", changed("exp", json!([now + 600]))),
        ("exp an object", changed("exp", json!({"$gt": 0}))),
        ("exp null", claims(ISSUER).replace(&(now + 600).to_string(), "null")),
        ("exp negative", changed("exp", json!(-1))),
        ("exp wraps", changed("exp", json!(u64::MAX))),
        ("exp at the end of i64", changed("exp", json!(i64::MAX))),
        ("exp twice", raw(&format!(r#""exp":{}"#, now + 600))),
        ("exp twice, escaped", raw(&format!(r#""\u0065xp":{}"#, now + 600))),
        ("nbf ahead", changed("nbf", json!(now + 61))),
        ("nbf a text", changed("nbf", json!("0"))),
        ("iat ahead", changed("iat", json!(now + 3600))),
        ("iat a list", changed("iat", json!([]))),
        ("aud of another", changed("aud", json!("https://else.example"))),
        ("aud with a slash", changed("aud", json!(format!("{AUDIENCE}/")))),
        ("aud in capitals", changed("aud", json!(AUDIENCE.to_uppercase()))),
        ("aud a part", changed("aud", json!(&AUDIENCE[..10]))),
        ("no aud", changed("aud", Value::Null)),
        ("aud empty", changed("aud", json!([]))),
        ("aud with a number", changed("aud", json!([AUDIENCE, 1]))),
        ("aud an object", changed("aud", json!({AUDIENCE: true}))),
        ("aud nested", changed("aud", json!([[AUDIENCE]]))),
        ("aud too many", changed("aud", json!(vec![AUDIENCE; 33]))),
        ("iss with a slash", changed("iss", json!(format!("{ISSUER}/")))),
        ("iss a list", changed("iss", json!([ISSUER]))),
        ("no iss", changed("iss", Value::Null)),
        ("iss unknown", changed("iss", json!("https://evil.example"))),
        ("iss twice", raw(&format!(r#""iss":"{OTHER}""#))),
        ("iss of the other issuer", changed("iss", json!(OTHER))),
        ("no sub", changed("sub", Value::Null)),
        ("sub empty", changed("sub", json!(""))),
        ("sub a number", changed("sub", json!(1))),
        ("sub a list", changed("sub", json!(["alice"]))),
        ("sub with a line feed", changed("sub", json!("alice\nroot"))),
        ("sub with NUL", changed("sub", json!("alice\0"))),
        ("sub too long", changed("sub", json!("a".repeat(2049)))),
        ("sub twice", raw(r#""sub":"root""#)),
        ("deep", raw(&format!(r#""x":{}"#, deep()))),
        ("not UTF-8", String::new()),
    ] {
        let body = if name == "not UTF-8" { claims_with_bad_utf8() } else { claims.into_bytes() };
        let token = signer.sign(signer.header().as_bytes(), &body);
        out.push((format!("{} claims: {name}", signer.algorithm), token));
    }
}

/// Signatures that were changed.
fn signatures(signer: &Signer, out: &mut Hostile) {
    let signed =
        format!("{}.{}", encode(signer.header().as_bytes()), encode(claims(ISSUER).as_bytes()));
    let real = signer.signature(signed.as_bytes());
    let mut made = vec![
        ("zero", vec![0; real.len()]),
        ("one byte", vec![1]),
        ("short", real[..real.len() - 1].to_vec()),
        ("long", [&real[..], &[0]].concat()),
        ("zero before", [&[0], &real[..]].concat()),
        ("twice", [&real[..], &real[..]].concat()),
        ("all ones", vec![0xff; real.len()]),
        ("of another text", signer.signature(b"another text")),
        ("of the claims alone", signer.signature(claims(ISSUER).as_bytes())),
        ("reversed", real.iter().rev().copied().collect()),
    ];
    for at in [0, real.len() / 2, real.len() - 1] {
        let mut flipped = real.clone();
        flipped[at] ^= 1;
        made.push(("flipped", flipped));
    }
    if signer.algorithm.starts_with("ES") {
        let (r, s) = real.split_at(real.len() / 2);
        let zero = vec![0; r.len()];
        let mut one = zero.clone();
        *one.last_mut().expect("a byte") = 1;
        made.extend([
            ("s zero", [r, &zero].concat()),
            ("r zero", [&zero, s].concat()),
            ("r and s one", [&one[..], &one].concat()),
            ("r and s swapped", [s, r].concat()),
            ("DER", der(r, s)),
        ]);
    }
    for (name, signature) in made {
        let token = format!("{signed}.{}", encode(&signature));
        out.push((format!("{} signature: {name}", signer.algorithm), token));
    }
}

/// Tokens of those who may sign, for somebody else or with something else.
fn strangers(world: &World, out: &mut Hostile) {
    for (first, second) in world.signers[0].iter().zip(&world.signers[1]) {
        let mut push = |name: &str, token| out.push((format!("{} {name}", first.algorithm), token));
        // Both issuers have a key of this name.
        let sign = |signer: &Signer, issuer: &str| {
            signer.sign(signer.header().as_bytes(), claims(issuer).as_bytes())
        };
        push("second's key, first's name", sign(second, ISSUER));
        push("first's key, second's name", sign(first, OTHER));
        if first.algorithm != "EdDSA" {
            push("an algorithm that is not configured", sign(second, OTHER));
        }
    }
}

fn deep() -> String {
    format!("{}1{}", "[".repeat(3000), "]".repeat(3000))
}

fn claims_with_bad_utf8() -> Vec<u8> {
    let mut body = claims(ISSUER).into_bytes();
    let at = body.windows(5).position(|part| part == b"alice").expect("a name");
    body[at] = 0xff;
    body
}

/// ECDSA's other encoding.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        let sign: &[u8] = if bytes[0] >= 0x80 { &[0] } else { &[] };
        [&[2, (sign.len() + bytes.len()) as u8], sign, bytes].concat()
    };
    let body = [integer(r), integer(s)].concat();
    if body.len() < 0x80 {
        [&[0x30, body.len() as u8], &body[..]].concat()
    } else {
        [&[0x30, 0x81, body.len() as u8], &body[..]].concat()
    }
}
