//! Kept files and pages that a test makes anew and compares. The tests of the gRPC door
//! use this file too.

use std::{env, fs, path::Path};

const END: &str = "<!-- end of what is generated -->\n";

/// Compares `made` with what is kept at `path`. `bless` is the command that keeps it,
/// with `KEYREEVE_BLESS` set.
pub(crate) fn compare(path: &Path, made: &str, bless: &str) {
    if env::var_os("KEYREEVE_BLESS").is_some() {
        fs::write(path, made).expect("written");
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    let line = kept.lines().zip(made.lines()).find(|(kept, made)| kept != made);
    assert!(
        kept == made,
        "{} is not what is decided, first at {line:?}: run `{bless}` and read what changed",
        path.display()
    );
}

/// The same for a part of `docs/roles.md`: what stands between the line that names
/// `bless` and the end of what is generated.
pub(crate) fn compare_page_of_roles(part: &str, bless: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/roles.md");
    let page = fs::read_to_string(&path).expect("the page");
    let begin = format!("<!-- generated: {bless} -->\n");
    let (before, rest) = page.split_once(&begin).expect("where it begins");
    let (_, after) = rest.split_once(END).expect("where it ends");
    compare(&path, &format!("{before}{begin}\n{part}{END}{after}"), bless);
}
