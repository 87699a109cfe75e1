//! `docs/algorithms.md` says what the running backends say.

use std::{env, fmt::Write as _, fs, path::Path};

use keyreeve_backend::{Capabilities, KeyBackend};
use keyreeve_testkit::{KeyhostProcess, SoftHsm, ThroughKeyhost};
use keyreeve_types::{
    EncryptionAlgorithm, KeySpec, MacAlgorithm, SignatureAlgorithm, WrapAlgorithm,
};

const BEGIN: &str = "<!-- generated: KEYREEVE_BLESS=1 cargo test --test product algorithms -->\n";
const END: &str = "<!-- end of what is generated -->\n";

/// Guards against a page that promises what a backend does not do, or is silent about
/// what it does.
#[test]
fn the_page_of_algorithms_is_what_the_backends_report() {
    let token = SoftHsm::direct().expect("a token");
    let keyhosts = [KeyhostProcess::software(), KeyhostProcess::slot(&token)];
    let backends = keyhosts.map(|keyhost| {
        let keyhost = ThroughKeyhost::new(keyhost.expect("a keyhost")).expect("it answers");
        keyhost.capabilities().clone()
    });

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/algorithms.md");
    let page = fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("where the table begins");
    let (_, after) = rest.split_once(END).expect("where the table ends");
    let tables = tables(&backends);
    let made = format!("{before}{BEGIN}\n{tables}{END}{after}");
    if env::var_os("KEYREEVE_BLESS").is_some() {
        fs::write(&path, &made).expect("written");
    }
    assert!(
        fs::read_to_string(&path).expect("the page") == made,
        "docs/algorithms.md is not what the backends report: run `KEYREEVE_BLESS=1 cargo test \
         --test product algorithms` and read what changed. It should be:\n{tables}"
    );
}

fn tables(backends: &[Capabilities]) -> String {
    let mut text = String::new();
    table(&mut text, "Keys", backends, &KeySpec::ALL, KeySpec::to_string, |b| &b.generate);
    let name = |a: &SignatureAlgorithm| a.name().to_owned();
    let all = SignatureAlgorithm::ALL;
    table(&mut text, "Sign, Verify, SignJwt", backends, &all, name, |b| &b.sign);
    let name = |a: &MacAlgorithm| a.name().to_owned();
    table(&mut text, "Mac, VerifyMac, SignJwt", backends, &MacAlgorithm::ALL, name, |b| &b.mac);
    let name = |a: &EncryptionAlgorithm| a.name().to_owned();
    let all = EncryptionAlgorithm::ALL;
    table(&mut text, "Encrypt, Decrypt", backends, &all, name, |b| &b.decrypt);
    let name = |a: &WrapAlgorithm| a.name().to_owned();
    table(&mut text, "WrapKey, UnwrapKey", backends, &WrapAlgorithm::ALL, name, |b| &b.unwrap);
    text
}

fn table<T: PartialEq>(
    text: &mut String,
    title: &str,
    backends: &[Capabilities],
    all: &[T],
    name: impl Fn(&T) -> String,
    has: impl Fn(&Capabilities) -> &Vec<T>,
) {
    let heads: Vec<_> = backends.iter().map(|backend| backend.backend.as_str()).collect();
    let rule = "---|".repeat(heads.len() + 1);
    writeln!(text, "| {title} | {} |\n|{rule}", heads.join(" | ")).expect("memory");
    for one in all {
        let name = name(one);
        let marks = backends.iter().map(|backend| match has(backend).contains(one) {
            true if name == "RSA1_5" => "if configured",
            true => "yes",
            false => "–",
        });
        let marks: Vec<_> = marks.collect();
        writeln!(text, "| {name} | {} |", marks.join(" | ")).expect("memory");
    }
    text.push('\n');
}
