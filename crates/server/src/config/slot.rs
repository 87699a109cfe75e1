//! `[[slot]]`: a PKCS#11 token, served by a process of its own.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use keyreeve_backend_pkcs11::Profile;
use keyreeve_types::Name;
use serde::Deserialize;

use super::{Report, Slot, file};

/// Most keyhosts of one slot.
const MAX_KEYHOSTS: usize = 16;

/// `[[slot]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotConfig {
    /// What the slot is called in `keyreeve status`, in the log, and as the
    /// `backend` of a vault: 1 to 127 of `0-9 a-z A-Z -`. Vaults remember it, so it
    /// must stay.
    pub name: String,
    /// The module's profile, as in `hsm-config/softhsm2/profile.toml`: where the
    /// module is, what it may reach, what it does in its own way.
    pub profile: PathBuf,
    /// `CKA_LABEL` of the token. Needed if the profile names no token.
    pub token: Option<String>,
    /// File with the user PIN on its first line, not readable by group or others.
    /// It is tried once; a wrong PIN is never tried again by itself.
    pub pin_file: PathBuf,
    /// Threads, each with a session of its own, 1 to 64. Default: the profile's.
    pub threads: Option<usize>,
    /// How many keyhosts serve the slot, 1 to 16, each with its own login and threads.
    /// Default 1. More than one helps where threads in one module contend, as SoftHSM's.
    pub keyhosts: Option<usize>,
    /// Longest time of one operation, in milliseconds, 500 to 60000: after it the
    /// keyhost is taken for hung, killed and started anew. Making, importing and
    /// destroying keys has a minute. Default 2000.
    pub call_limit_ms: Option<u64>,
}

/// The slots, and the names that are taken.
pub(super) fn check(
    report: &mut Report,
    slots: &[SlotConfig],
    base: &Path,
) -> (Vec<Slot>, BTreeSet<Name>) {
    let mut names = BTreeSet::new();
    let mut checked = Vec::new();
    for (index, slot) in slots.iter().enumerate() {
        let name = name(report, &format!("slot[{index}].name"), &slot.name, &mut names);
        checked.extend(slot.check(report, index, base, name));
    }
    (checked, names)
}

/// How many keyhosts serve a slot.
pub(super) fn keyhosts(report: &mut Report, field: &str, given: Option<usize>) -> usize {
    let keyhosts = given.unwrap_or(1);
    if !(1..=MAX_KEYHOSTS).contains(&keyhosts) {
        report.add(field, format!("{keyhosts} is not 1 to {MAX_KEYHOSTS}"), "leave it out for one");
    }
    keyhosts
}

/// A slot's name, which no other has.
pub(super) fn name(
    report: &mut Report,
    field: &str,
    text: &str,
    taken: &mut BTreeSet<Name>,
) -> Option<Name> {
    let Ok(name) = text.parse::<Name>() else {
        report.add(
            field,
            format!("`{text}` is not a name"),
            "use 1 to 127 characters of 0-9, a-z, A-Z and '-'",
        );
        return None;
    };
    if name.folded() == "software" || name.folded() == "front" {
        report.add(
            field,
            format!("`{text}` is the name of another process"),
            "choose another name",
        );
        return None;
    }
    if !taken.insert(name.clone()) {
        report.add(field, format!("`{text}` is used twice"), "give each slot a name of its own");
    }
    Some(name)
}

impl SlotConfig {
    /// Nothing that the slot's keyhost reads may be the front's to change: not its PIN,
    /// its profile or its module, and not the files of a token that lies on disk.
    pub(super) fn check_outside(
        &self,
        report: &mut Report,
        index: usize,
        base: &Path,
        data_dir: &Path,
    ) {
        let field = |name: &str| format!("slot[{index}].{name}");
        file::check_outside(report, &field("pin_file"), &base.join(&self.pin_file), data_dir);
        let profile_path = base.join(&self.profile);
        file::check_outside(report, &field("profile"), &profile_path, data_dir);
        // One that cannot be read was reported.
        let Ok(profile) = Profile::load(&profile_path) else { return };
        for (name, paths) in [
            ("module", &profile.module),
            ("sandbox.read", &profile.sandbox.read),
            ("sandbox.write", &profile.sandbox.write),
        ] {
            for path in paths {
                file::check_outside(report, &field(&format!("profile: {name}")), path, data_dir);
            }
        }
    }

    fn check(
        &self,
        report: &mut Report,
        index: usize,
        base: &Path,
        name: Option<Name>,
    ) -> Option<Slot> {
        let field = |name: &str| format!("slot[{index}].{name}");
        let pin_file = base.join(&self.pin_file);
        file::check_secret(
            report,
            &field("pin_file"),
            &pin_file,
            "write the token's user PIN to the file, mode 0600",
        );
        let profile_path = base.join(&self.profile);
        let profile = match Profile::load(&profile_path) {
            Ok(profile) => profile,
            Err(error) => {
                report.add(
                    field("profile"),
                    error.to_string(),
                    "start from a profile in hsm-config/",
                );
                return None;
            }
        };
        if let Err(error) = profile.module_path() {
            report.add(
                field("profile"),
                error.to_string(),
                "nothing of this slot works without it",
            );
        }
        if self.token.is_none() && profile.token.label.is_none() && profile.token.serial.is_none() {
            report.add(
                field("token"),
                "neither the slot nor its profile names a token",
                "give the token's label",
            );
        }
        let threads = self.threads.unwrap_or(profile.threads);
        if !(1..=64).contains(&threads) {
            report.add(
                field("threads"),
                format!("{threads} is not 1 to 64"),
                "leave it out for the profile's number",
            );
        }
        let keyhosts = keyhosts(report, &field("keyhosts"), self.keyhosts);
        let call_limit = super::call_limit(report, &field("call_limit_ms"), self.call_limit_ms);
        Some(Slot {
            name: name?,
            keyhosts,
            profile_path,
            profile,
            token: self.token.clone(),
            pin_file,
            threads,
            call_limit,
        })
    }
}
