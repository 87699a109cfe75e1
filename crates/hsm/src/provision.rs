//! Provision: the keys a slot needs before it serves a group.

use keyreeve_backend_pkcs11::provision::{Made, Token};
use keyreeve_types::Name;
use serde::{Deserialize, Serialize};

use crate::{Export, Failure, Pin, Target, ask::Ask, slot::Slot};

/// What the token is to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provision {
    /// The slot group.
    pub group: String,
    /// Whether a wrapping key is made where there is none. A slot that gets the key
    /// of another one must not make its own.
    pub wrapping_key: bool,
    /// How a new wrapping key may leave. Not set: under a trusted key where the module
    /// enforces that, else not at all.
    pub export: Option<Export>,
    /// The name of a root recipient, if one is wanted.
    pub root_recipient: Option<String>,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provisioned {
    /// An entry for each object.
    pub steps: Vec<Step>,
}

/// One object.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// `wrapping key`, `canary`, `root recipient`.
    pub object: String,
    /// Its `CKA_LABEL`.
    pub label: String,
    /// What was done.
    pub outcome: Outcome,
    /// What is to be known about it.
    pub detail: String,
}

/// What was done about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was there, and works.
    Found,
    /// It was made, and works.
    Made,
    /// It would be made.
    WouldMake,
    /// It is not there, and was not to be made.
    Missing,
}

/// Provisions the token. Whoever repeats the call finds everything there.
///
/// # Errors
///
/// If the login is refused, something else is in the place of one of the objects, or
/// the module refuses. What was made before stays and is found the next time.
pub fn provision(
    target: &Target,
    pin: &Pin,
    provision: &Provision,
) -> Result<Provisioned, Failure> {
    provision.check()?;
    let mut slot = Slot::start(target, &[])?;
    slot.log_in(pin)?;
    slot.ask(&Ask::Provision(provision.clone()))
}

impl Provision {
    fn check(&self) -> Result<(Name, Option<Name>), Failure> {
        let group = name(&self.group, "group")?;
        let root = self.root_recipient.as_deref().map(|root| name(root, "root recipient"));
        Ok((group, root.transpose()?))
    }
}

pub(crate) fn in_worker(token: &Token, ask: &Provision) -> Result<Provisioned, Failure> {
    let (group, root) = ask.check()?;
    let mut steps = vec![wrapping_key(token, &group, ask)?];
    let canary = token.canary(&group, !ask.dry_run)?;
    steps.push(step("canary", &group, outcome(canary, ask.dry_run), "signed a challenge"));
    if let Some(name) = root {
        let made = token.root_recipient(&name, !ask.dry_run)?;
        let proof = "encrypted and decrypted (AES-256-GCM)";
        steps.push(step("root recipient", &name, outcome(made, ask.dry_run), proof));
    }
    Ok(Provisioned { steps })
}

fn wrapping_key(token: &Token, group: &Name, ask: &Provision) -> Result<Step, Failure> {
    const OBJECT: &str = "wrapping key";
    let (outcome, export) = match token.wrapping_key(group)? {
        Some(export) => (Outcome::Found, export),
        None if !ask.wrapping_key => {
            let detail = "comes from another slot: keyreeve hsm replicate";
            return Ok(step(OBJECT, group, Outcome::Missing, detail));
        }
        None if ask.dry_run => {
            let export = match ask.export {
                Some(export) => export,
                None if token.enforces_trust()? => Export::Trusted,
                None => Export::Never,
            };
            return Ok(step(OBJECT, group, Outcome::WouldMake, leaves(export)));
        }
        None => (Outcome::Made, token.make_wrapping_key(group, ask.export)?),
    };
    let opens = if token.opens_only_sensitive(group)? {
        "opens keys as sensitive alone"
    } else {
        "CAUTION: the holder of the user PIN can read the keys it opens"
    };
    Ok(step(OBJECT, group, outcome, &format!("{}; {opens}", leaves(export))))
}

/// How a wrapping key may leave, in words.
pub(crate) const fn leaves(export: Export) -> &'static str {
    match export {
        Export::Trusted => "leaves under a key the security officer trusts",
        Export::Open => "CAUTION: open, leaves under any key until it is closed",
        Export::Never => "never leaves",
    }
}

fn outcome(made: Made, dry_run: bool) -> Outcome {
    match made {
        Made::Found => Outcome::Found,
        Made::New => Outcome::Made,
        Made::Missing if dry_run => Outcome::WouldMake,
        Made::Missing => Outcome::Missing,
    }
}

fn step(object: &str, of: &Name, outcome: Outcome, detail: &str) -> Step {
    let word = match object {
        "wrapping key" => "wrapping",
        "root recipient" => "root",
        other => other,
    };
    let detail = match (object, outcome) {
        ("wrapping key", _) | (_, Outcome::Found | Outcome::Made) => detail.to_owned(),
        _ => String::new(),
    };
    let (object, label) = (object.to_owned(), format!("keyreeve-{word}:{of}"));
    Step { object, label, outcome, detail }
}

/// A name as vaults have them, which is what groups are called by.
pub(crate) fn name(text: &str, of: &str) -> Result<Name, Failure> {
    text.parse().map_err(|_| {
        Failure::new(
            format!("{text:?} is no name for a {of}"),
            "use 1 to 127 characters of 0-9, a-z, A-Z and '-'",
        )
    })
}
