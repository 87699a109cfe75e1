//! Running a plan: two confirmations, then step after step, written down one by one.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    Confirmation, Plan, confirm,
    plan::{Slot, Step},
    transcript::{Event, Transcript},
};
use crate::{End, Failure, Init, NewPin, Pin, Provision, check, init, provision, replicate};

/// A ceremony that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// How many steps were done: all.
    pub steps: usize,
    /// SHA-256 of the transcript's last line, in hex. Written down by both people, it
    /// fixes the whole transcript.
    pub head: String,
}

/// Runs `plan` and writes what happens to a new file. `progress` is told of each step
/// before it is done.
///
/// # Errors
///
/// If two people do not confirm, nothing was done. If a step fails, the transcript
/// says which, and none after it was begun.
pub fn run(
    plan: &Plan,
    transcript: &Path,
    by: &[Confirmation; 2],
    mut progress: impl FnMut(&str),
) -> Result<Ran, Failure> {
    let confirmed = confirm::both(plan, by)?;
    let mut transcript = Transcript::create(transcript)?;
    transcript.add(Event::Begin {
        title: plan.file.title.clone(),
        group: plan.file.group.clone(),
        plan: plan.hash.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })?;
    for confirm::Confirmed { person, how } in confirmed {
        let role = plan.people().find(|(name, _)| *name == person).map(|(_, role)| role);
        let role = role.unwrap_or_default().to_owned();
        transcript.add(Event::Confirmed { person, role, how })?;
    }
    for (index, (step, what)) in plan.file.step.iter().zip(plan.steps()).enumerate() {
        progress(&what);
        let number = index + 1;
        match perform(plan, step) {
            Ok(result) => transcript.add(Event::Done { step: number, what, result })?,
            Err(failure) => {
                let error = failure.what.clone();
                transcript.add(Event::Failed { step: number, what, error })?;
                return Err(failure.while_(&format!("step {number}")));
            }
        }
    }
    let steps = plan.file.step.len();
    transcript.add(Event::End { steps })?;
    Ok(Ran { steps, head: transcript.head().to_owned() })
}

fn perform(plan: &Plan, step: &Step) -> Result<Value, Failure> {
    let slot = |name: &str| {
        plan.slot(name).ok_or_else(|| Failure::new(format!("there is no slot {name}"), "mend it"))
    };
    let group = &plan.file.group;
    match step {
        Step::Init { slot: name } => {
            let slot = slot(name)?;
            let ask = Init {
                label: slot.token.clone(),
                slot: None,
                officer: kept_or_new(plan.officer(slot)),
                user: kept_or_new(plan.user(slot)),
                erase: false,
            };
            Ok(json!(init(&plan.target(slot), &ask)?))
        }
        Step::Provision { slot: name, wrapping_key, export, root_recipient } => {
            let slot = slot(name)?;
            let ask = Provision {
                group: group.clone(),
                wrapping_key: *wrapping_key,
                export: *export,
                root_recipient: root_recipient.clone(),
                dry_run: false,
            };
            Ok(json!(provision(&plan.target(slot), &plan.user(slot), &ask)?))
        }
        Step::Replicate { from, to, close } => {
            let (from, to) = (slot(from)?, slot(to)?);
            let end = |slot: &Slot| End { target: plan.target(slot), pin: plan.user(slot) };
            // Where the key asks for no officer, there need not be one.
            let officer = match plan.officer(from) {
                Pin::File(path) if !path.exists() => None,
                pin => Some(pin),
            };
            Ok(json!(replicate(group, &end(from), officer.as_ref(), &end(to), *close)?))
        }
        Step::Check { slot: name } => {
            let slot = slot(name)?;
            let report = check(&plan.target(slot), &plan.user(slot), Some(group.as_str()))?;
            if !report.is_sound() {
                return Err(Failure::new(
                    format!("{name} is not sound: {}", report.findings.join("; ")),
                    "`keyreeve hsm check` shows the whole report",
                ));
            }
            Ok(json!({
                "token": report.token,
                "sound": true,
                "algorithms": report.algorithms.len(),
                "forbiddenTried": report.hardening.len(),
                "group": report.group,
            }))
        }
    }
}

fn kept_or_new(pin: Pin) -> NewPin {
    match pin {
        Pin::File(path) if !path.exists() => NewPin::Generated(path),
        pin => NewPin::Chosen(pin),
    }
}
