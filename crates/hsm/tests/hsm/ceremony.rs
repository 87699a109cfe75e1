//! A ceremony from blank tokens to a group of two, and transcripts that were changed.

use std::{fs, os::unix::fs::chown, path::PathBuf};

use keyreeve_hsm::ceremony::{Confirmation, Plan, run, verify};
use tempfile::TempDir;

use crate::fixture::Place;

/// Two SoftHSMs beside the ceremony file, and the confirmations of two accounts.
struct Table {
    directory: TempDir,
    slots: [Place; 2],
    plan: PathBuf,
}

impl Table {
    fn set() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let slots = [Place::blank(), Place::blank()];
        let mut file = String::from(
            "title = 'Group premium'\ngroup = 'premium'\n\
             [[people]]\nname = 'Ann'\nrole = 'security officer'\n\
             [[people]]\nname = 'Ben'\nrole = 'operator'\n",
        );
        for (name, place) in ["a", "b"].iter().zip(&slots) {
            let profile = place.path("profile.toml");
            file += &format!(
                "[[slot]]\nname = '{name}'\nprofile = {profile:?}\ntoken = 'keyreeve'\n\
                 officer_pin = {:?}\nuser_pin = {:?}\n[[step]]\ndo = 'init'\nslot = '{name}'\n",
                place.path("officer"),
                place.path("user"),
            );
        }
        file += "[[step]]\ndo = 'provision'\nslot = 'a'\nexport = 'trusted'\n\
                 [[step]]\ndo = 'provision'\nslot = 'b'\nwrapping_key = false\n\
                 [[step]]\ndo = 'replicate'\nfrom = 'a'\nto = 'b'\n";
        let plan = directory.path().join("ceremony.toml");
        fs::write(&plan, file).unwrap();
        Self { directory, slots, plan }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Of `person`, owned by `account` where the tests are root's and can give it away.
    fn confirmation(&self, person: &str, plan: &Plan, account: u32) -> Confirmation {
        let path = self.path(person);
        fs::write(&path, format!("person = '{person}'\nplan = '{}'\n", plan.hash)).unwrap();
        let _ = chown(&path, Some(account), None);
        Confirmation::File(path)
    }
}

/// Guards against a ceremony that one person can run, one that cannot be repeated, and
/// a transcript that passes whatever was done to it.
#[test]
fn two_people_run_a_ceremony_and_its_transcript_cannot_be_changed() {
    let table = Table::set();
    let plan = Plan::load(&table.plan).unwrap();
    assert_eq!(plan.steps().len(), 5);
    let transcript = table.path("transcript");

    let same = [table.confirmation("Ann", &plan, 1001), table.confirmation("Ben", &plan, 1001)];
    assert!(run(&plan, &transcript, &same, |_| {}).is_err());
    assert!(!transcript.exists(), "nothing was begun");
    if !rustix::process::geteuid().is_root() {
        return;
    }

    let two = [table.confirmation("Ann", &plan, 1001), table.confirmation("Ben", &plan, 1002)];
    let mut told = Vec::new();
    let ran = run(&plan, &transcript, &two, |step| told.push(step.to_owned())).unwrap();
    assert_eq!((ran.steps, told), (5, plan.steps()));
    let verified = verify(&transcript, &plan).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.faults);
    assert_eq!(verified.head, ran.head);
    assert_eq!(verified.people, ["Ann", "Ben"]);

    assert!(run(&plan, &transcript, &two, |_| {}).is_err(), "a transcript is never written over");
    run(&plan, &table.path("again"), &two, |_| {}).unwrap();

    let text = fs::read_to_string(&transcript).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for secret in ["officer", "user"] {
        let pin = fs::read_to_string(table.slots[0].path(secret)).unwrap();
        assert!(!text.contains(pin.trim()), "a PIN is in the transcript");
    }
    let changed = [
        text.replace("Ben", "Eve"),
        text.replacen("keyreeve-canary", "keyreeve-canarx", 1),
        lines[..lines.len() - 1].join("\n") + "\n",
        [&lines[..3], &lines[4..]].concat().join("\n") + "\n",
        lines[1..].join("\n") + "\n",
        text.trim_end().to_owned(),
        String::new(),
    ];
    for (n, text) in changed.iter().enumerate() {
        fs::write(table.path("changed"), text).unwrap();
        assert!(!verify(&table.path("changed"), &plan).unwrap().is_sound(), "change {n}");
    }

    let text = fs::read_to_string(&table.plan).unwrap();
    fs::write(&table.plan, text.replace("Group premium", "Group Premium")).unwrap();
    let other = Plan::load(&table.plan).unwrap();
    assert_ne!(other.hash, plan.hash);
    assert!(!verify(&transcript, &other).unwrap().is_sound());
    assert!(run(&other, &table.path("other"), &two, |_| {}).is_err(), "another plan's hash");
}

/// Guards against a ceremony that goes on after a step that failed, and a transcript
/// that passes for a whole one then.
#[test]
fn a_step_that_fails_ends_the_ceremony_and_is_written_down() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let table = Table::set();
    // Slot b has no token yet when it is to be provisioned.
    let text = fs::read_to_string(&table.plan).unwrap();
    let text = text.replacen("do = 'init'\nslot = 'b'", "do = 'init'\nslot = 'a'", 1);
    fs::write(&table.plan, text).unwrap();
    let plan = Plan::load(&table.plan).unwrap();
    let two = [table.confirmation("Ann", &plan, 1001), table.confirmation("Ben", &plan, 1002)];
    let failure = run(&plan, &table.path("t"), &two, |_| {}).unwrap_err();
    assert!(failure.what.starts_with("step 4: "), "{failure}");
    let verified = verify(&table.path("t"), &plan).unwrap();
    assert_eq!(verified.steps, 3);
    assert!(verified.faults.iter().any(|fault| fault.starts_with("step 4 failed")));
}

/// Guards against a plan whose slip shows half-way through.
#[test]
fn a_plan_that_cannot_be_run_is_refused_when_it_is_read() {
    let table = Table::set();
    let good = fs::read_to_string(&table.plan).unwrap();
    for (from, to) in [
        ("name = 'Ben'", "name = 'Ann'"),
        ("to = 'b'", "to = 'c'"),
        ("to = 'b'", "to = 'a'"),
        ("do = 'replicate'", "do = 'destroy'"),
        ("export = 'trusted'", "exports = 'trusted'"),
        ("group = 'premium'", "group = 'pre mium'"),
    ] {
        assert!(good.contains(from), "{from}");
        fs::write(&table.plan, good.replace(from, to)).unwrap();
        assert!(Plan::load(&table.plan).is_err(), "{to}");
    }
}
