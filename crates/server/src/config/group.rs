//! `[[group]]`: slots that serve keys together; and `[premium]`, the group of premium
//! vaults.

use std::collections::BTreeMap;

use keyreeve_backend_pkcs11::KeysIn;
use keyreeve_types::Name;
use serde::Deserialize;

use super::Report;

/// `[[group]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupConfig {
    /// What the group is called: as the `backend` of a vault, and in the names of its keys
    /// in the tokens. Vaults remember it, so it must stay.
    pub name: String,
    /// The names of its `[[slot]]`s. A slot is in one group; one that is in none is a
    /// group by itself, of its own name.
    pub slots: Vec<String>,
    /// Where new keys are kept: `wrapped` in the store, so that every slot of the group
    /// serves them; `resident` in the slot that made them. Default `auto`: wrapped in a
    /// slot that holds the group's wrapping key, else resident.
    #[serde(default)]
    pub keys: KeysIn,
    /// How many slots must open a new wrapped key before it is handed out, 1 to the
    /// number of slots. Default: 2, or 1 in a group of one slot.
    pub min_replicas: Option<usize>,
}

/// `[premium]`: one of the two.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PremiumConfig {
    /// The name of a `[[group]]`.
    pub group: Option<String>,
    /// The name of a `[[slot]]` that is a group by itself.
    pub slot: Option<String>,
}

/// A slot group in which everything was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: Name,
    /// The names of its slots, in the order of the file.
    pub slots: Vec<Name>,
    /// Where new keys are kept.
    pub keys: KeysIn,
    /// How many slots must open a new wrapped key.
    pub min_replicas: usize,
}

/// The groups of the file, and those of slots that are in none.
pub(super) fn check(report: &mut Report, groups: &[GroupConfig], known: Vec<Name>) -> Vec<Group> {
    // Which group each slot is in.
    let mut taken = BTreeMap::new();
    let mut checked: Vec<Group> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let Some(group) = group.check(report, index, &known, &mut taken) else { continue };
        if checked.iter().any(|other| other.name == group.name) {
            let field = format!("group[{index}].name");
            report.add(field, format!("`{}` is used twice", group.name), "choose another name");
        }
        checked.push(group);
    }
    for slot in known {
        if taken.contains_key(&slot) {
            continue;
        }
        if checked.iter().any(|group| group.name == slot) {
            report.add(
                "group",
                format!("group `{slot}` has the name of a slot that is not in it"),
                "add the slot to it, or choose another name",
            );
        }
        let (name, slots) = (slot.clone(), vec![slot]);
        checked.push(Group { name, slots, keys: KeysIn::Auto, min_replicas: 1 });
    }
    checked
}

impl GroupConfig {
    fn check(
        &self,
        report: &mut Report,
        index: usize,
        known: &[Name],
        taken: &mut BTreeMap<Name, usize>,
    ) -> Option<Group> {
        let field = |name: &str| format!("group[{index}].{name}");
        let name = self.name.parse::<Name>().ok().filter(|name| name.folded() != "software");
        if name.is_none() {
            report.add(
                field("name"),
                format!("`{}` is not a name, or is that of the software keystore", self.name),
                "use 1 to 127 characters of 0-9, a-z, A-Z and '-'",
            );
        }
        let mut slots = Vec::new();
        for text in &self.slots {
            let slot = text.parse::<Name>().ok();
            let Some(slot) = slot.and_then(|slot| known.iter().find(|known| **known == slot))
            else {
                report.add(
                    field("slots"),
                    format!("no [[slot]] is named `{text}`"),
                    "use the `name` of a [[slot]], or add that slot",
                );
                continue;
            };
            if taken.insert(slot.clone(), index).is_some() {
                report.add(
                    field("slots"),
                    format!("slot `{slot}` is listed twice"),
                    "a slot is in one group, once",
                );
            }
            slots.push(slot.clone());
        }
        if self.slots.is_empty() {
            report.add(field("slots"), "names no slot", "name one or more [[slot]]s");
        }
        let most = self.slots.len().max(1);
        let min_replicas = self.min_replicas.unwrap_or(most.min(2));
        if !(1..=most).contains(&min_replicas) {
            report.add(
                field("min_replicas"),
                format!("{min_replicas} is not 1 to {most}, the number of slots"),
                "leave it out for two, or one in a group of one slot",
            );
        }
        Some(Group { name: name?, slots, keys: self.keys, min_replicas })
    }
}

impl PremiumConfig {
    pub(super) fn check(&self, report: &mut Report, groups: &[Group]) -> Option<Name> {
        let (field, text) = match (&self.group, &self.slot) {
            (Some(group), None) => ("premium.group", group),
            (None, Some(slot)) => ("premium.slot", slot),
            _ => {
                report.add(
                    "premium",
                    "takes either `group` or `slot`",
                    "name the [[group]] that holds premium vaults",
                );
                return None;
            }
        };
        let wanted = text.parse::<Name>().ok();
        let found = groups.iter().find(|group| Some(&group.name) == wanted.as_ref());
        if found.is_none() {
            let (kind, mend) = if self.group.is_some() {
                ("[[group]]", "use the `name` of a [[group]], or add that group")
            } else {
                (
                    "[[slot]] outside a group",
                    "use the `name` of a [[slot]], or name its group with `group`",
                )
            };
            report.add(field, format!("no {kind} is named `{text}`"), mend);
        }
        Some(found?.name.clone())
    }
}
