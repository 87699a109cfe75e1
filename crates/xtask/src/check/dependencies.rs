//! Third-party dependencies: each is in use, and docs/dependencies.md says what for.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result};
use toml::Table;

use super::{Fault, metadata::Workspace};
use crate::shell::root;

pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Fault>> {
    let manifest = root().join("Cargo.toml");
    let manifest: Table = fs::read_to_string(manifest)?.parse()?;
    let declared = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(toml::Value::as_table)
        .context("Cargo.toml has no [workspace.dependencies]")?;
    let declared: BTreeSet<&str> = declared
        .iter()
        .filter(|(_, value)| value.get("path").is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    let used: BTreeSet<&str> = workspace
        .packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .filter(|dependency| !dependency.is_ours)
        .map(|dependency| dependency.name.as_str())
        .collect();
    let page = "docs/dependencies.md";
    let explained = fs::read_to_string(root().join(page)).unwrap_or_default();
    Ok(faults_in(&declared, &used, &explained, page))
}

fn faults_in(
    declared: &BTreeSet<&str>,
    used: &BTreeSet<&str>,
    explained: &str,
    page: &str,
) -> Vec<Fault> {
    let unused = declared
        .difference(used)
        .map(|name| format!("{name} is declared in Cargo.toml and used by no crate: remove it"));
    let unexplained = used
        .iter()
        .filter(|name| !explained.contains(&format!("`{name}`")))
        .map(|name| format!("{page} does not say what `{name}` is for: add a line"));
    unused.chain(unexplained).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a dependency that nobody can account for.
    #[test]
    fn unused_and_unexplained_dependencies_are_found() {
        let declared = BTreeSet::from(["hex", "serde"]);
        let used = BTreeSet::from(["serde"]);
        assert_eq!(faults_in(&declared, &used, "`serde`: formats", "page").len(), 1);
        assert_eq!(faults_in(&used, &used, "nothing here", "page").len(), 1);
        assert_eq!(faults_in(&used, &used, "- `serde`: formats", "page").len(), 0);
    }
}
