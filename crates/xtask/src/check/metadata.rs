//! The workspace as `cargo metadata` shows it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell::{cargo, output};

/// The members of the workspace.
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
}

/// One member.
pub(crate) struct Package {
    /// As in its manifest.
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a member's dependencies.
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// For tests, examples and benches only.
    pub(crate) is_dev: bool,
    /// A member of this workspace.
    pub(crate) is_ours: bool,
}

impl Workspace {
    pub(crate) fn read() -> Result<Self> {
        let arguments = ["metadata", "--format-version=1", "--no-deps", "--offline"];
        let text = output(cargo().args(arguments))?;
        let metadata: Value = serde_json::from_str(&text)?;
        let packages = array(&metadata, "packages")?;
        Ok(Self { packages: packages.iter().map(Package::read).collect::<Result<_>>()? })
    }
}

impl Package {
    fn read(value: &Value) -> Result<Self> {
        let dependencies = array(value, "dependencies")?;
        Ok(Self {
            name: string(value, "name")?,
            manifest: string(value, "manifest_path")?.into(),
            dependencies: dependencies.iter().map(Dependency::read).collect::<Result<_>>()?,
        })
    }

    /// Without the project's prefix: `types` for `keyreeve-types`.
    pub(crate) fn short_name(&self) -> &str {
        short(&self.name)
    }

    /// Where its manifest is.
    pub(crate) fn directory(&self) -> &Path {
        self.manifest.parent().unwrap_or(&self.manifest)
    }
}

impl Dependency {
    fn read(value: &Value) -> Result<Self> {
        Ok(Self {
            name: string(value, "name")?,
            is_dev: value["kind"] == "dev",
            is_ours: value["path"].is_string(),
        })
    }

    /// As [`Package::short_name`].
    pub(crate) fn short_name(&self) -> &str {
        short(&self.name)
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix("keyreeve-").unwrap_or(name)
}

fn array<'a>(value: &'a Value, field: &str) -> Result<&'a Vec<Value>> {
    value[field].as_array().with_context(|| format!("cargo metadata has no {field}"))
}

fn string(value: &Value, field: &str) -> Result<String> {
    let text = value[field].as_str().with_context(|| format!("cargo metadata has no {field}"))?;
    Ok(text.to_owned())
}
