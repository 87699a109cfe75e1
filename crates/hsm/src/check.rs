//! Check: what the token does, what it refuses, and whether it is fit to serve.
//!
//! Everything is tried on throwaway keys; the one thing that is changed is nothing.
//! The report is what the module did today, on this firmware, with this profile: run
//! it again after an update of either.

use std::time::{Duration, SystemTime};

use keyreeve_backend_pkcs11::provision::{Made, Token, Verdict};
use serde::{Deserialize, Serialize};

use crate::{
    Attempt, Export, Failure, Pin, Row, Target, TokenEntry, ask::Ask, moment, provision::name,
    slot::Slot,
};

/// Longest time of a check: the slowest tokens make an RSA-4096 key in minutes.
const LIMIT: Duration = Duration::from_secs(900);

/// Sessions that are opened to learn whether there are enough.
const SESSIONS: usize = 64;

/// Seconds that the token's clock may be off.
const CLOCK: u64 = 300;

/// What a check found.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The token.
    pub token: TokenEntry,
    /// Each algorithm with each kind of key.
    pub algorithms: Vec<Row>,
    /// Each forbidden thing that was tried.
    pub hardening: Vec<Attempt>,
    /// The group's own keys, if a group was named.
    pub group: Option<GroupReport>,
    /// How many sessions were open at once, of 64 that were asked for.
    pub sessions: usize,
    /// Seconds that the token's clock is off; `None` if it has none.
    pub clock_off_by: Option<u64>,
    /// What makes the token unfit. Empty: it is sound.
    pub findings: Vec<String>,
    /// What is worth knowing and no fault.
    pub notes: Vec<String>,
}

/// The keys of a slot group in this slot.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupReport {
    /// The group.
    pub group: String,
    /// How the wrapping key may leave; `None` if there is none.
    pub wrapping_key: Option<Export>,
    /// Whether the canary signed a challenge.
    pub canary: bool,
}

impl Report {
    /// Whether the token is fit to serve.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// What the worker is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Check {
    token: TokenEntry,
    group: Option<String>,
}

/// Checks the token, and the keys of `group` in it.
///
/// # Errors
///
/// If the login is refused or the device fails. A token that is unfit is a report,
/// and no error.
pub fn check(target: &Target, pin: &Pin, group: Option<&str>) -> Result<Report, Failure> {
    if let Some(group) = group {
        name(group, "group")?;
    }
    let mut slot = Slot::start(target, &[])?;
    let token = slot.token_entry()?;
    slot.log_in(pin)?;
    let ask = Ask::Check(Check { token, group: group.map(str::to_owned) });
    slot.exchange(&ask, LIMIT)
}

pub(crate) fn in_worker(token: &Token, ask: Check) -> Result<Report, Failure> {
    let group = ask.group.as_deref().map(|group| name(group, "group")).transpose()?;
    let mut report = Report {
        algorithms: token.algorithms()?,
        hardening: token.hardening()?,
        group: None,
        sessions: token.sessions(SESSIONS),
        clock_off_by: ask.token.clock.as_deref().and_then(off_by),
        token: ask.token,
        findings: Vec::new(),
        notes: Vec::new(),
    };
    if let Some(group) = group {
        let wrapping_key = token.wrapping_key(&group)?;
        if wrapping_key.is_some() {
            report.hardening.extend(token.wrapping_key_hardening(&group)?);
        }
        let canary = match token.canary(&group, false) {
            Ok(made) => made == Made::Found,
            Err(error) => {
                report.findings.push(format!("the canary of {group}: {error}"));
                false
            }
        };
        report.group = Some(GroupReport { group: group.to_string(), wrapping_key, canary });
    }
    let needed = token.threads() + 2;
    judge(&mut report, needed);
    Ok(report)
}

/// What of the report makes the token unfit. `needed` sessions are what a keyhost
/// opens: one for each thread, the anchor, and one to spare.
fn judge(report: &mut Report, needed: usize) {
    let (mut findings, mut notes) = (std::mem::take(&mut report.findings), Vec::new());
    for row in &report.algorithms {
        let what = format!("{} with {} keys ({})", row.algorithm, row.key, row.mechanism);
        match (row.offered, row.verdict) {
            (true, Verdict::Works) => {}
            (true, _) => findings.push(format!("{what} is offered and fails: {}", row.detail)),
            (false, Verdict::Works) => {
                notes.push(format!("{what} works and is not offered: the profile leaves it out"));
            }
            (false, Verdict::Wrong) => {
                notes.push(format!("{what} gives a wrong result, and is rightly not offered"));
            }
            (false, Verdict::Refused) => {}
        }
    }
    for attempt in report.hardening.iter().filter(|attempt| !attempt.held) {
        findings.push(format!("{}: could {}", attempt.key, attempt.tried));
    }
    if let Some(group) = &report.group {
        match group.wrapping_key {
            None => findings.push(format!("there is no wrapping key of group {}", group.group)),
            Some(Export::Open) => findings.push(format!(
                "the wrapping key of group {} is open: close it with `keyreeve hsm replicate \
                 --close`",
                group.group
            )),
            Some(Export::Trusted | Export::Never) => {}
        }
        if !group.canary && !findings.iter().any(|finding| finding.starts_with("the canary")) {
            findings.push(format!("there is no canary of group {}", group.group));
        }
    }
    if report.sessions < needed {
        findings.push(format!(
            "only {} sessions open at once; the profile's threads need {needed}",
            report.sessions
        ));
    }
    if let Some(off) = report.clock_off_by.filter(|off| *off > CLOCK) {
        findings.push(format!("the token's clock is {off} s off"));
    }
    if !matches!(report.token.user_pin.as_str(), "set") {
        findings.push(format!("the user PIN is {}", report.token.user_pin));
    }
    (report.findings, report.notes) = (findings, notes);
}

fn off_by(clock: &str) -> Option<u64> {
    let token = moment::parse(clock)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    Some(now.abs_diff(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let token = serde_json::json!({
            "label": "t", "serial": "1", "manufacturer": "", "model": "", "firmware": "1.0",
            "hardwareVersion": "1.0", "initialized": true, "userPin": "set", "officerPin": "set",
            "pinLength": [4, 255], "freeMemory": null, "sessions": null, "maxSessions": null,
            "clock": null, "pinPad": false
        });
        Report {
            token: serde_json::from_value(token).expect("a token"),
            algorithms: Vec::new(),
            hardening: Vec::new(),
            group: None,
            sessions: 8,
            clock_off_by: None,
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn row(offered: bool, verdict: Verdict) -> Row {
        Row {
            key: "EC P-256".to_owned(),
            algorithm: "ES256".to_owned(),
            mechanism: "CKM_ECDSA".to_owned(),
            listed: true,
            offered,
            verdict,
            detail: String::new(),
            per_second: None,
        }
    }

    fn could(tried: &str) -> Attempt {
        let (key, tried, answer) = ("a key".to_owned(), tried.to_owned(), "done".to_owned());
        Attempt { key, tried, held: false, answer }
    }

    /// Guards against a report that calls a token sound whatever was found: each of
    /// these faults alone makes it unfit.
    #[test]
    fn each_fault_alone_makes_a_token_unfit() {
        let mut sound = report();
        sound.algorithms = vec![row(true, Verdict::Works), row(false, Verdict::Wrong)];
        judge(&mut sound, 4);
        assert!(sound.is_sound(), "{:?}", sound.findings);

        let group = |wrapping_key, canary| {
            Some(GroupReport { group: "g".to_owned(), wrapping_key, canary })
        };
        let faults: [fn(&mut Report); 6] = [
            |r| r.hardening = vec![could("read CKA_VALUE")],
            |r| r.algorithms = vec![row(true, Verdict::Wrong)],
            |r| r.algorithms = vec![row(true, Verdict::Refused)],
            |r| r.sessions = 2,
            |r| r.clock_off_by = Some(4000),
            |r| r.token.user_pin = "final try".to_owned(),
        ];
        for (n, fault) in faults.iter().enumerate() {
            let mut unfit = report();
            fault(&mut unfit);
            judge(&mut unfit, 4);
            assert_eq!(unfit.findings.len(), 1, "{n}: {:?}", unfit.findings);
        }
        for group in
            [group(None, true), group(Some(Export::Open), true), group(Some(Export::Never), false)]
        {
            let mut unfit = report();
            unfit.group = group;
            judge(&mut unfit, 4);
            assert_eq!(unfit.findings.len(), 1, "{:?}", unfit.findings);
        }
    }
}
