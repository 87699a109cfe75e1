//! Scripts of the command line: `tests/cli/*.txt`, each run against a fresh
//! `keyreeve dev` in an empty directory.
//!
//! ```text
//! # A comment.
//! $ echo hello > message                    a line for a shell; it must end with 0
//! $ keyreeve sign dev/k --alg ES256         what follows is what it prints, both
//! [..]                                      streams together
//! ? 1                                       the exit code, if it is not 0
//! ```
//!
//! In what is expected, `[..]` stands for any text within a line and `...` alone on a
//! line for any lines. A command whose output does not matter is followed by `...`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use keyreeve_testkit::{Keyreeve, program};

/// Guards against a command that prints, reads or ends otherwise than it did: people's
/// scripts depend on it.
#[test]
fn commands_do_as_they_did() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let entries = fs::read_dir(scripts).expect("the scripts").filter_map(Result::ok);
    let mut scripts: Vec<_> = entries.map(|entry| entry.path()).collect();
    scripts.sort();
    assert!(scripts.len() > 3, "the scripts are gone");
    let service = Keyreeve::start().expect("a service");
    let mut faults = Vec::new();
    for script in &scripts {
        faults.extend(run(&service, script));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// Guards against a pattern that matches anything, and so a test that cannot fail.
#[test]
fn patterns_match_what_they_should() {
    for (pattern, text, fits) in [
        ("a\n", "a\n", true),
        ("a\n", "b\n", false),
        ("a\n", "a\nb\n", false),
        ("a[..]c\n", "abbc\n", true),
        ("a[..]c\n", "abbd\n", false),
        ("[..]b[..]\n", "abc\n", true),
        ("[..]\n", "\n", true),
        ("...\nb\n", "a\na\nb\n", true),
        ("...\nb\n", "a\n", false),
        ("...\n", "", true),
        ("", "a\n", false),
        ("[..]\n", "a\nb\n", false),
    ] {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(matches(&lines(pattern), &lines(text)), fits, "{pattern:?} and {text:?}");
    }
}

/// A line for the shell and what is expected of it.
#[derive(Default)]
struct Step {
    number: usize,
    line: String,
    expected: Vec<String>,
    code: i32,
}

fn run(service: &Keyreeve, script: &Path) -> Vec<String> {
    let text = fs::read_to_string(script).expect("a script");
    let directory = tempfile::tempdir().expect("a directory");
    let mut faults = Vec::new();
    for step in steps(&text) {
        let (printed, code) = shell(service, directory.path(), &step.line);
        if code != Some(step.code) || !matches(&step.expected, &printed) {
            faults.push(format!(
                "{}:{}: $ {}\n--- expected, exit code {}\n{}\n--- printed, exit code {code:?}\n{}",
                script.display(),
                step.number,
                step.line,
                step.code,
                step.expected.join("\n"),
                printed.join("\n")
            ));
        }
    }
    faults
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(line) = line.strip_prefix("$ ") {
            steps.push(Step { number, line: line.to_owned(), ..Step::default() });
        } else if let (Some(code), Some(step)) = (line.strip_prefix("? "), steps.last_mut()) {
            step.code = code.parse().expect("an exit code");
        } else if let (false, Some(step)) =
            (line.starts_with('#') || line.is_empty(), steps.last_mut())
        {
            step.expected.push(line.to_owned());
        }
    }
    steps
}

fn shell(service: &Keyreeve, directory: &Path, line: &str) -> (Vec<String>, Option<i32>) {
    let bin: PathBuf = program().expect("a program").parent().expect("its directory").to_owned();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("bash");
    shell.args(["-o", "pipefail", "-c"]).arg(format!("exec 2>&1; {line}"));
    shell.env_clear().envs(service.settings()).env("PATH", path).env("HOME", directory);
    let output = shell.current_dir(directory).output().expect("bash is there");
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    (lines.map(str::to_owned).collect(), output.status.code())
}

/// Empty lines count for nothing.
fn matches(expected: &[String], printed: &[String]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        Some((first, rest)) => {
            printed.first().is_some_and(|line| line_matches(first, line))
                && matches(rest, &printed[1..])
        }
    }
}

fn line_matches(pattern: &str, line: &str) -> bool {
    match pattern.split_once("[..]") {
        None => pattern == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter().any(|at| line_matches(after, &rest[at..]))
        }),
    }
}
