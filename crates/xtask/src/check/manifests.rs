//! Manifests: every crate takes version, edition, licence and lints from the
//! workspace, and every dependency from its table.

use std::fs;

use anyhow::{Context, Result};
use toml::Table;

use super::{Fault, metadata::Workspace};

pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    for package in &workspace.packages {
        let name = package.short_name();
        let text = fs::read_to_string(&package.manifest)
            .with_context(|| package.manifest.display().to_string())?;
        faults.extend(faults_in(name, &text.parse()?));
    }
    Ok(faults)
}

fn faults_in(name: &str, manifest: &Table) -> Vec<Fault> {
    let inherits = |section: &str, field: &str| {
        manifest.get(section).and_then(|s| s.get(field)).is_some_and(is_inherited)
    };
    let mut faults = Vec::new();
    for field in ["version", "edition", "rust-version", "license"] {
        if !inherits("package", field) {
            faults.push(format!("{name}: write `{field}.workspace = true`"));
        }
    }
    // The exceptions say why in their own manifests and headers.
    if !WITH_UNSAFE.contains(&name) && !manifest.get("lints").is_some_and(is_inherited) {
        faults.push(format!("{name}: write `[lints] workspace = true`"));
    }
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else {
            continue;
        };
        for (dependency, value) in dependencies {
            if !is_inherited(value) {
                faults.push(format!(
                    "{name}: declare {dependency} in [workspace.dependencies] and write \
                     `{dependency}.workspace = true`"
                ));
            }
        }
    }
    faults
}

fn is_inherited(value: &toml::Value) -> bool {
    value.get("workspace").and_then(toml::Value::as_bool) == Some(true)
}

/// Crates that are there for what safe Rust has no words for; their lints are their own.
const WITH_UNSAFE: [&str; 3] = ["memory", "pkcs11-raw", "pkcs11-shim"];

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = 'x'\nversion.workspace = true\n\
        edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\
        [lints]\nworkspace = true\n[dependencies]\nserde.workspace = true\n";

    /// Guards against a check that lets everything pass, or nothing.
    #[test]
    fn what_is_not_inherited_is_found() {
        let faults = |text: &str| faults_in("x", &text.parse().expect("TOML")).len();
        assert_eq!(faults(GOOD), 0);
        assert_eq!(faults(&GOOD.replace("[lints]\nworkspace = true", "")), 1);
        assert_eq!(faults(&GOOD.replace("serde.workspace = true", "serde = '1'")), 1);
        assert_eq!(faults(&GOOD.replace("edition.workspace = true", "edition = '2024'")), 1);
    }
}
