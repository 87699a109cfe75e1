//! Source files: their sizes, their headers, and what must not be in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{Fault, metadata::Workspace};
use crate::shell::root;

/// A Rust file of ours.
pub(crate) struct Source {
    /// From the root of the workspace.
    path: PathBuf,
    text: String,
}

/// Reads every Rust file of the workspace.
pub(crate) fn read(workspace: &Workspace) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for package in &workspace.packages {
        for part in ["src", "tests", "benches", "examples", "build.rs"] {
            collect(&package.directory().join(part), &mut sources)?;
        }
    }
    Ok(sources)
}

pub(crate) fn check(sources: &[Source]) -> Vec<Fault> {
    sources.iter().flat_map(faults_in).collect()
}

/// The sizes, for whoever wonders where the code has gone.
pub(crate) fn report(sources: &[Source]) {
    let mut lines: Vec<_> = sources.iter().map(|source| (source.lines(), &source.path)).collect();
    lines.sort();
    let Some((longest, path)) = lines.last() else { return };
    let median = lines[lines.len() / 2].0;
    let over = lines.iter().filter(|(n, _)| *n > FEW_EXCEED).count();
    let total: usize = lines.iter().map(|(n, _)| n).sum();
    eprintln!(
        "    {} files, {total} lines: median {median} (aim: under {MEDIAN_AIM}), {over} over \
         {FEW_EXCEED}, longest {longest} ({})",
        lines.len(),
        path.display()
    );
}

fn faults_in(source: &Source) -> Vec<Fault> {
    let path = source.path.display();
    let mut faults = Vec::new();
    if source.lines() > NONE_EXCEEDS {
        faults.push(format!("{path}: {} lines; split it below {NONE_EXCEEDS}", source.lines()));
    }
    if !source.text.starts_with("//!") {
        faults.push(format!("{path}: begin with `//!`: what it is, why it is so"));
    }
    for (number, line) in (1..).zip(source.text.lines()) {
        let code = line.trim_start();
        // The strings are split so that this file passes its own check.
        let banned =
            [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[", "ignore")];
        for word in banned {
            if !code.starts_with("//") && code.contains(word) {
                faults.push(format!("{path}:{number}: finish it or leave it out: `{word}`"));
            }
        }
    }
    faults
}

fn collect(path: &Path, sources: &mut Vec<Source>) -> Result<()> {
    if path.is_dir() {
        let mut entries: Vec<_> =
            fs::read_dir(path)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| collect(entry, sources));
    }
    if path.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let path = path.strip_prefix(root()).unwrap_or(path).to_owned();
        sources.push(Source { path, text });
    }
    Ok(())
}

impl Source {
    fn lines(&self) -> usize {
        self.text.lines().count()
    }
}

const MEDIAN_AIM: usize = 150;
const FEW_EXCEED: usize = 500;
const NONE_EXCEEDS: usize = 800;

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> usize {
        faults_in(&Source { path: "x.rs".into(), text: text.to_owned() }).len()
    }

    /// Guards against a check that lets everything pass, or takes a comment for code.
    #[test]
    fn what_is_unfinished_or_has_no_header_is_found() {
        assert_eq!(faults("//! A module.\nfn f() {}\n"), 0);
        assert_eq!(faults("fn f() {}\n"), 1);
        assert_eq!(faults(concat!("//! A module.\nfn f() { todo", "!() }\n")), 1);
        assert_eq!(faults(concat!("//! A module.\n#[", "ignore]\nfn f() {}\n")), 1);
        assert_eq!(faults(concat!("//! A module.\n// not a todo", "!()\n")), 0);
        assert_eq!(faults(&format!("//! Long.\n{}", "\n".repeat(NONE_EXCEEDS))), 1);
    }
}
