//! Files and TCP, by landlock.

use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, path_beneath_rules,
};

use crate::frame::Protection;

/// The newest rules this code knows; older kernels enforce what they can.
const KNOWN: ABI = ABI::V5;

/// Leaves the calling thread `read` and `write`, and TCP only if `network`.
pub(super) fn restrict(read: &[PathBuf], write: &[PathBuf], network: bool) -> Protection {
    let (in_force, detail) = match enforce(read, write, network) {
        Ok(RulesetStatus::FullyEnforced) => (true, String::new()),
        Ok(RulesetStatus::PartiallyEnforced) => {
            (true, "in part: the kernel is older than some of the rules".into())
        }
        Ok(RulesetStatus::NotEnforced) => (false, "the kernel has no landlock".into()),
        Err(error) => (false, error.to_string()),
    };
    Protection { name: "landlock".into(), in_force, detail }
}

fn enforce(
    read: &[PathBuf],
    write: &[PathBuf],
    network: bool,
) -> Result<RulesetStatus, RulesetError> {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?;
    let rules = if network { rules } else { rules.handle_access(AccessNet::from_all(KNOWN))? };
    let status = rules
        .create()?
        .add_rules(path_beneath_rules(read, AccessFs::from_read(KNOWN)))?
        .add_rules(path_beneath_rules(write, AccessFs::from_all(KNOWN)))?
        .restrict_self()?;
    Ok(status.ruleset)
}
