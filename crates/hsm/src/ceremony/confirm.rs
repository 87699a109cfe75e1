//! Two people who say that this plan is the one they mean.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::PathBuf,
};

use serde::Deserialize;

use super::Plan;
use crate::{Failure, pin::read_line};

/// How a person confirms.
#[derive(Debug, Clone)]
pub enum Confirmation {
    /// A file with `person` and `plan`, written by that person's own account.
    File(PathBuf),
    /// Typed at the terminal when asked.
    Terminal,
}

/// Somebody who confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Confirmed {
    pub(super) person: String,
    /// `typed`, or the number of the account that wrote the file.
    pub(super) how: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    person: String,
    plan: String,
}

/// How much of the hash is typed: 32 bits, against a plan that was exchanged since it
/// was read, by accident or by somebody who cannot choose the file freely.
const TYPED: usize = 8;

/// The two people.
///
/// # Errors
///
/// If one is not in the plan, both are one, both files are of one account, or a hash
/// is another plan's.
pub(super) fn both(plan: &Plan, by: &[Confirmation; 2]) -> Result<[Confirmed; 2], Failure> {
    let confirmed = [one(plan, &by[0])?, one(plan, &by[1])?];
    judge(plan, &confirmed)?;
    Ok(confirmed)
}

fn judge(plan: &Plan, confirmed: &[Confirmed; 2]) -> Result<(), Failure> {
    let known: BTreeSet<&str> = plan.people().map(|(name, _)| name).collect();
    if let Some(stranger) = confirmed.iter().find(|c| !known.contains(c.person.as_str())) {
        return Err(Failure::new(
            format!("{:?} is not among the people of the ceremony file", stranger.person),
            "confirm by a name that is",
        ));
    }
    let [first, second] = confirmed;
    if first.person == second.person {
        return Err(Failure::new(
            format!("{} confirmed twice", first.person),
            "a ceremony takes two people",
        ));
    }
    if first.how == second.how && first.how != "typed" {
        return Err(Failure::new(
            format!("both confirmations were written by {}", first.how),
            "each person writes the file with their own account, or types it when asked",
        ));
    }
    Ok(())
}

fn one(plan: &Plan, by: &Confirmation) -> Result<Confirmed, Failure> {
    let (person, hash, how) = match by {
        Confirmation::File(path) => {
            let doing = |error: &dyn std::fmt::Display| {
                Failure::new(
                    format!("the confirmation {}: {error}", path.display()),
                    format!("write person = \"NAME\" and plan = \"{}\" to it", plan.hash),
                )
            };
            let owner = fs::metadata(path).map_err(|error| doing(&error))?.uid();
            let text = fs::read_to_string(path).map_err(|error| doing(&error))?;
            let written: Written = toml::from_str(&text).map_err(|error| doing(&error))?;
            (written.person, written.plan, format!("account {owner}"))
        }
        Confirmation::Terminal => {
            let (person, typed) = typed(plan).map_err(|error| {
                Failure::new(
                    format!("nobody can confirm at the terminal: {error}"),
                    "run the command at a terminal, or give two --confirmation files",
                )
            })?;
            let right = plan.hash.get(..TYPED) == Some(typed.as_str());
            (person, if right { plan.hash.clone() } else { typed }, "typed".to_owned())
        }
    };
    if hash != plan.hash {
        return Err(Failure::new(
            format!("{person} confirmed another plan: {hash}"),
            format!("`keyreeve hsm ceremony plan` shows this one's hash: {}", plan.hash),
        ));
    }
    Ok(Confirmed { person, how })
}

fn typed(plan: &Plan) -> io::Result<(String, String)> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let mut ask = |text: String| -> io::Result<String> {
        terminal.write_all(text.as_bytes())?;
        Ok(read_line(&mut terminal)?.trim().to_owned())
    };
    let names: Vec<&str> = plan.people().map(|(name, _)| name).collect();
    let person = ask(format!("your name, one of {}: ", names.join(", ")))?;
    let typed = ask(format!("first {TYPED} digits of the hash of the plan that you have read: "))?;
    Ok((person, typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let file = "title = 't'\ngroup = 'g'\n[[people]]\nname = 'Ann'\nrole = 'officer'\n\
                    [[people]]\nname = 'Ben'\nrole = 'user'\n[[slot]]\nname = 'a'\nprofile = \
                    'p'\ntoken = 't'\nofficer_pin = 'o'\nuser_pin = 'u'\n[[step]]\ndo = \
                    'check'\nslot = 'a'\n";
        let file = toml::from_str(file).expect("a ceremony file");
        Plan { file, base: PathBuf::from("/"), hash: "00ff".repeat(16) }
    }

    /// Guards against a ceremony of one: one name twice, one account twice, or a name
    /// that nobody agreed on.
    #[test]
    fn two_people_of_the_plan_must_confirm() {
        let by = |person: &str, how: &str| Confirmed { person: person.into(), how: how.into() };
        let judge = |a, b| judge(&plan(), &[a, b]);
        assert!(judge(by("Ann", "typed"), by("Ben", "typed")).is_ok());
        assert!(judge(by("Ann", "account 1"), by("Ben", "account 2")).is_ok());
        assert!(judge(by("Ann", "account 1"), by("Ben", "typed")).is_ok());
        assert!(judge(by("Ann", "account 1"), by("Ben", "account 1")).is_err());
        assert!(judge(by("Ann", "typed"), by("Ann", "account 2")).is_err());
        assert!(judge(by("Ann", "typed"), by("Eve", "typed")).is_err());
    }

    /// Guards against a confirmation of a plan that was changed after it was read.
    #[test]
    fn a_confirmation_of_another_plan_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("ann");
        let write = |hash: &str| {
            fs::write(&path, format!("person = 'Ann'\nplan = '{hash}'\n")).expect("written");
            one(&plan(), &Confirmation::File(path.clone()))
        };
        assert_eq!(write(&plan().hash).expect("this plan").person, "Ann");
        assert!(write("00").is_err() && write("").is_err());
    }
}
