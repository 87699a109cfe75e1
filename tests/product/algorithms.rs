//! `docs/algorithms.md` says what the running backends say.

use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::Path};

use keyreeve_client::v1;
use keyreeve_testkit::Keyreeve;
use keyreeve_types::{
    EncryptionAlgorithm, KeySpec, MacAlgorithm, SignatureAlgorithm, WrapAlgorithm,
};

use crate::caller::{block_on, client};

const BEGIN: &str = "<!-- generated: KEYREEVE_BLESS=1 cargo test --test product algorithms -->\n";
const END: &str = "<!-- end of what is generated -->\n";

/// Guards against a page that promises what a backend does not do, or is silent about
/// what it does.
#[test]
fn the_page_of_algorithms_is_what_the_backends_report() {
    let service = Keyreeve::start().expect("a service");
    let status = block_on(async { client(&service).status().await }).expect("a status");
    let backends: Vec<_> = status.processes.into_iter().filter_map(|p| p.backend).collect();
    assert_eq!(backends.len(), 2, "SoftHSM is not installed: apt-get install softhsm2");

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

fn tables(backends: &[v1::Backend]) -> String {
    let mut text = String::new();
    let names = KeySpec::ALL.map(|spec| spec.to_string());
    table(&mut text, "Keys", backends, &names, |backend| &backend.key_specs);
    let names = SignatureAlgorithm::ALL.map(|algorithm| algorithm.name().to_owned());
    table(&mut text, "Sign, Verify, SignJwt", backends, &names, |backend| &backend.algorithms);
    let names = MacAlgorithm::ALL.map(|algorithm| algorithm.name().to_owned());
    table(&mut text, "Mac, VerifyMac, SignJwt", backends, &names, |backend| &backend.algorithms);
    let names = EncryptionAlgorithm::ALL.map(|algorithm| algorithm.name().to_owned());
    table(&mut text, "Encrypt, Decrypt", backends, &names, |backend| &backend.algorithms);
    let names = WrapAlgorithm::ALL.map(|algorithm| algorithm.name().to_owned());
    table(&mut text, "WrapKey, UnwrapKey", backends, &names, |backend| &backend.algorithms);

    // What a backend reports and no table has room for would be missed by all.
    let shown: BTreeSet<_> = text.lines().filter_map(|line| line.split('|').nth(1)).collect();
    for name in backends.iter().flat_map(|b| b.key_specs.iter().chain(&b.algorithms)) {
        assert!(shown.contains(format!(" {name} ").as_str()), "{name} is in no table");
    }
    text
}

fn table(
    text: &mut String,
    title: &str,
    backends: &[v1::Backend],
    names: &[String],
    reported: impl Fn(&v1::Backend) -> &Vec<String>,
) {
    let heads: Vec<_> = backends.iter().map(|backend| backend.name.as_str()).collect();
    let rule = "---|".repeat(heads.len() + 1);
    writeln!(text, "| {title} | {} |\n|{rule}", heads.join(" | ")).expect("memory");
    for name in names {
        let marks = backends.iter().map(|backend| match reported(backend).contains(name) {
            true if name == "RSA1_5" => "if configured",
            true => "yes",
            false => "–",
        });
        let marks: Vec<_> = marks.collect();
        writeln!(text, "| {name} | {} |", marks.join(" | ")).expect("memory");
    }
    text.push('\n');
}
