//! Reading a transcript back: is it whole, and is it of this plan?

use std::{fs, path::Path};

use serde::Serialize;

use super::{
    Plan,
    transcript::{Entry, Event, START, hash},
};
use crate::Failure;

/// What a transcript says, and what is wrong with it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// SHA-256 of its last line, in hex: to be compared with what was written down.
    pub head: String,
    /// Who confirmed.
    pub people: Vec<String>,
    /// How many steps it says were done.
    pub steps: usize,
    /// When it began and ended, by that machine's clock.
    pub time: (String, String),
    /// What is wrong. Empty: it is a whole transcript of this plan.
    pub faults: Vec<String>,
}

impl Verified {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Checks the transcript against the plan it should be of. Whoever changed the plan or
/// a profile since has another plan.
///
/// # Errors
///
/// If it cannot be read. What is wrong with it is in the result.
pub fn verify(transcript: &Path, plan: &Plan) -> Result<Verified, Failure> {
    let text = fs::read_to_string(transcript).map_err(|error| {
        Failure::new(format!("{} cannot be read: {error}", transcript.display()), "check the path")
    })?;
    Ok(judge(&text, plan))
}

fn judge(text: &str, plan: &Plan) -> Verified {
    let mut faults = Vec::new();
    let (mut previous, mut events, mut times) = (START.to_owned(), Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        match serde_json::from_str::<Entry>(line) {
            Ok(entry) => {
                if entry.previous != previous {
                    faults.push(format!("line {number} does not follow the one before"));
                }
                if entry.number != number as u64 {
                    faults.push(format!("line {number} says that it is line {}", entry.number));
                }
                times.push(entry.time);
                events.push(entry.event);
            }
            Err(error) => faults.push(format!("line {number} is no entry: {error}")),
        }
        previous = hash(line.as_bytes());
    }
    if !text.ends_with('\n') {
        faults.push("the last line is not whole".to_owned());
    }
    let (people, steps) = story(&events, plan, &mut faults);
    let time =
        (times.first().cloned().unwrap_or_default(), times.last().cloned().unwrap_or_default());
    Verified { head: previous, people, steps, time, faults }
}

/// Begin, two confirmations, the plan's steps in order, end.
fn story(events: &[Event], plan: &Plan, faults: &mut Vec<String>) -> (Vec<String>, usize) {
    match events.first() {
        Some(Event::Begin { plan: of, .. }) if *of == plan.hash => {}
        Some(Event::Begin { plan: of, .. }) => {
            faults.push(format!("it is of plan {of}, and this is plan {}", plan.hash));
        }
        _ => faults.push("it has no beginning".to_owned()),
    }
    let mut people: Vec<String> = Vec::new();
    for event in events.iter().skip(1).take(2) {
        match event {
            Event::Confirmed { person, .. } if !people.contains(person) => {
                if !plan.people().any(|(name, _)| name == person) {
                    faults.push(format!("{person} is not among the people of the plan"));
                }
                people.push(person.clone());
            }
            _ => faults.push("two people did not confirm before it began".to_owned()),
        }
    }
    let expected = plan.steps();
    let mut steps = 0;
    let mut ended = false;
    for event in events.iter().skip(3) {
        match event {
            Event::Done { step, what, .. } if !ended => {
                if *step != steps + 1 || expected.get(steps) != Some(what) {
                    faults.push(format!("step {step} is not the plan's: {what}"));
                }
                steps += 1;
            }
            Event::Failed { step, error, .. } => {
                faults.push(format!("step {step} failed: {error}"))
            }
            Event::End { .. } if !ended => ended = true,
            _ => faults.push("something stands where it cannot".to_owned()),
        }
    }
    if !ended || steps != expected.len() {
        faults.push(format!("{steps} of {} steps were done", expected.len()));
    }
    (people, steps)
}
