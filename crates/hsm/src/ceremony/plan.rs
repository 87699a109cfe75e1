//! The plan: the ceremony file, checked, and its hash.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256};
use serde::Deserialize;

use crate::{Export, Failure, Pin, Source, Target, TokenSelector, pin::absolute, provision::name};

/// A ceremony file that can be run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) file: File,
    pub(super) base: PathBuf,
    /// SHA-256 over the file and the profiles it names, in hex.
    pub hash: String,
}

/// The file, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// What this is about, for people.
    pub(super) title: String,
    /// The slot group.
    pub(super) group: String,
    /// Who takes part: at least two.
    pub(super) people: Vec<Person>,
    /// The tokens.
    pub(super) slot: Vec<Slot>,
    /// What is done, in this order.
    pub(super) step: Vec<Step>,
}

/// Who takes part.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) role: String,
}

/// A token. Paths are relative to the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) profile: PathBuf,
    /// Its label.
    pub(super) token: String,
    /// The security officer's PIN. Where the token is initialised and the file is
    /// not there, the PIN is generated into it.
    pub(super) officer_pin: PathBuf,
    /// The user's PIN, in the same way.
    pub(super) user_pin: PathBuf,
}

/// What is done.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Step {
    /// Label and PINs.
    Init { slot: String },
    /// The group's keys.
    Provision {
        slot: String,
        #[serde(default = "yes")]
        wrapping_key: bool,
        export: Option<Export>,
        root_recipient: Option<String>,
    },
    /// The wrapping key from one to another.
    Replicate {
        from: String,
        to: String,
        #[serde(default)]
        close: bool,
    },
    /// A report that must be sound.
    Check { slot: String },
}

const fn yes() -> bool {
    true
}

impl Plan {
    /// Reads and checks the ceremony file at `path`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or cannot be run as it stands; the text names the field.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let read = |path: &Path| {
            fs::read(path).map_err(|error| {
                Failure::new(
                    format!("{} cannot be read: {error}", path.display()),
                    "check the path",
                )
            })
        };
        let bytes = read(path)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Failure::new("the ceremony file is not UTF-8", "mend it"))?;
        let file: File = toml::from_str(text)
            .map_err(|error| Failure::new(format!("{}: {error}", path.display()), "mend it"))?;
        file.check()?;
        let base = absolute(path)?.parent().unwrap_or(Path::new("/")).to_owned();
        let mut hash = Context::new(&SHA256);
        let mut bind = |part: &[u8]| {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        bind(b"keyreeve ceremony v1");
        bind(&bytes);
        for slot in &file.slot {
            bind(slot.name.as_bytes());
            bind(&read(&base.join(&slot.profile))?);
        }
        let hash = hex::encode(hash.finish());
        Ok(Self { file, base, hash })
    }

    /// What this is about.
    pub fn title(&self) -> &str {
        &self.file.title
    }

    /// Who takes part: name and role.
    pub fn people(&self) -> impl Iterator<Item = (&str, &str)> {
        self.file.people.iter().map(|person| (person.name.as_str(), person.role.as_str()))
    }

    /// What is done, a line each.
    pub fn steps(&self) -> Vec<String> {
        self.file.step.iter().map(|step| self.describe(step)).collect()
    }

    fn describe(&self, step: &Step) -> String {
        let token = |name: &str| {
            let slot = self.slot(name);
            slot.map_or_else(String::new, |slot| format!("{name} (token {})", slot.token))
        };
        let group = &self.file.group;
        match step {
            Step::Init { slot } => {
                let pins = self.slot(slot).map_or_else(String::new, |slot| {
                    let (officer, user) = (slot.officer_pin.display(), slot.user_pin.display());
                    format!("; PINs of the security officer in {officer}, of the user in {user}")
                });
                format!("initialise {}{pins}", token(slot))
            }
            Step::Provision { slot, wrapping_key, export, root_recipient } => {
                let mut what = Vec::new();
                if *wrapping_key {
                    what.push(match export {
                        None => "wrapping key".to_owned(),
                        Some(export) => {
                            format!("wrapping key that {}", crate::provision::leaves(*export))
                        }
                    });
                }
                what.push("canary".to_owned());
                what.extend(root_recipient.iter().map(|root| format!("root recipient {root}")));
                format!("provision {} for group {group}: {}", token(slot), what.join(", "))
            }
            Step::Replicate { from, to, close } => {
                let close = if *close { ", then close it at both" } else { "" };
                let (from, to) = (token(from), token(to));
                format!("replicate the wrapping key of group {group} from {from} to {to}{close}")
            }
            Step::Check { slot } => format!("check {} for group {group}", token(slot)),
        }
    }

    pub(super) fn slot(&self, name: &str) -> Option<&Slot> {
        self.file.slot.iter().find(|slot| slot.name == name)
    }

    pub(super) fn target(&self, slot: &Slot) -> Target {
        Target {
            source: Source::Profile(self.base.join(&slot.profile)),
            token: TokenSelector { label: Some(slot.token.clone()), serial: None },
        }
    }

    pub(super) fn user(&self, slot: &Slot) -> Pin {
        Pin::File(self.base.join(&slot.user_pin))
    }

    pub(super) fn officer(&self, slot: &Slot) -> Pin {
        Pin::File(self.base.join(&slot.officer_pin))
    }
}

impl File {
    fn check(&self) -> Result<(), Failure> {
        let fail = |what: String| Err(Failure::new(what, "mend the ceremony file"));
        name(&self.group, "group")?;
        let people: BTreeSet<&str> =
            self.people.iter().map(|person| person.name.trim()).filter(|n| !n.is_empty()).collect();
        if people.len() < 2 || people.len() != self.people.len() {
            return fail("`people` must name at least two, each once".to_owned());
        }
        let slots: BTreeSet<&str> = self.slot.iter().map(|slot| slot.name.as_str()).collect();
        if slots.is_empty() || slots.len() != self.slot.len() {
            return fail("`slot` must name at least one, each once".to_owned());
        }
        if self.step.is_empty() {
            return fail("`step` says nothing to do".to_owned());
        }
        for (index, step) in self.step.iter().enumerate() {
            let named = match step {
                Step::Init { slot } | Step::Provision { slot, .. } | Step::Check { slot } => {
                    [slot, slot]
                }
                Step::Replicate { from, to, .. } if from == to => {
                    return fail(format!("`step` {}: from and to are one slot", index + 1));
                }
                Step::Replicate { from, to, .. } => [from, to],
            };
            if let Some(name) = named.into_iter().find(|name| !slots.contains(name.as_str())) {
                return fail(format!("`step` {}: there is no slot {name:?}", index + 1));
            }
            if let Step::Provision { root_recipient: Some(root), .. } = step {
                name(root, "root recipient")?;
            }
        }
        Ok(())
    }
}
