//! What the control file says, and how often it came true.
//!
//! ```text
//! FUNCTION  WHEN     WHAT
//! C_Sign    always   return 0x30
//! C_Sign    every 3  corrupt
//! C_Login   first 1  return 0xa0
//! C_Decrypt nth 5    delay 200
//! C_SignInit always  hang
//! C_SignInit always  crash
//! ```
//!
//! Empty lines and lines that begin with `#` say nothing; any other ends the process. Of several rules for one
//! function, each counts its calls by itself; counting starts when a rule appears.

use std::{
    collections::HashMap,
    env, fs,
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    process,
    str::FromStr,
    sync::{Mutex, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use cryptoki_sys::{CK_BYTE, CK_RV, CK_ULONG};

/// Names the control file.
const CONTROL: &str = "KEYREEVE_SHIM_CONTROL";

/// A line of the control file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Rule {
    /// The function's name in the standard, as `C_Sign`.
    function: String,
    /// Which of its calls.
    when: When,
    /// What becomes of them.
    fault: Fault,
}

/// Which calls of a function go wrong, counted from when the rule appeared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum When {
    /// All.
    Always,
    /// The first so many.
    First(u64),
    /// Every so-manieth.
    Every(u64),
    /// One: the so-manieth, from 1.
    Nth(u64),
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// It is not made, and this value is returned.
    Return(u64),
    /// It is made after so many milliseconds.
    Delay(u64),
    /// It does not return while the rule stands.
    Hang,
    /// The process ends.
    Crash,
    /// It is made, and one bit of its result is flipped.
    Corrupt,
}

/// What is left to do for a call that is made.
pub(crate) struct Faults {
    pub(crate) corrupt: bool,
    function: &'static str,
}

/// Lets what the control file says about `function` happen that comes before the call;
/// `Err` is a value to return instead of making it.
pub(crate) fn enter(function: &'static str) -> Result<Faults, CK_RV> {
    let mut faults = Faults { corrupt: false, function };
    if function == "C_Login" {
        faults.log();
    }
    for rule in hit(function) {
        match rule.fault {
            Fault::Corrupt => faults.corrupt = true,
            Fault::Delay(milliseconds) => thread::sleep(Duration::from_millis(milliseconds)),
            Fault::Return(value) => {
                faults.log();
                return Err(value as CK_RV);
            }
            Fault::Hang => {
                faults.log();
                while rules().contains(&rule) {
                    thread::sleep(Duration::from_millis(20));
                }
            }
            Fault::Crash => {
                faults.log();
                process::abort();
            }
        }
    }
    Ok(faults)
}

/// Flips a bit in the middle of a result.
///
/// # Safety
///
/// `out` must point to `len` bytes that may be written.
pub(crate) unsafe fn damage(out: *mut CK_BYTE, len: CK_ULONG) {
    if len > 0 {
        // SAFETY: the middle is within.
        unsafe { *out.add(len as usize / 2) ^= 0x10 };
    }
}

impl Faults {
    /// A line in the log: the function. Whoever reads it knows which rule stood.
    pub(crate) fn log(&self) {
        let Some(path) = control_file() else { return };
        let log = path.with_extension("log");
        if let Ok(mut log) = OpenOptions::new().append(true).create(true).open(log) {
            // A line that is lost fails the test that counts lines.
            let _ = writeln!(log, "{}", self.function);
        }
    }
}

/// The rules that this call of `function` meets, which it counts.
fn hit(function: &str) -> Vec<Rule> {
    static COUNTS: Mutex<Option<HashMap<Rule, u64>>> = Mutex::new(None);
    let rules = rules();
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let counts = counts.get_or_insert_default();
    counts.retain(|rule, _| rules.contains(rule));
    let mut hit = Vec::new();
    for rule in rules.into_iter().filter(|rule| rule.function == function) {
        let count = counts.entry(rule.clone()).or_default();
        *count += 1;
        let meets = match rule.when {
            When::Always => true,
            When::First(n) => *count <= n,
            When::Every(n) => n > 0 && count.is_multiple_of(n),
            When::Nth(n) => *count == n,
        };
        if meets {
            hit.push(rule);
        }
    }
    hit
}

fn rules() -> Vec<Rule> {
    let text = control_file().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let said = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    text.lines().filter(said).map(rule).collect()
}

/// A line that is no rule ends the process: a test whose fault never happens would pass.
fn rule(line: &str) -> Rule {
    line.parse().unwrap_or_else(|NotARule| {
        eprintln!("keyreeve-pkcs11-shim: not a rule: {line:?}");
        process::abort()
    })
}

fn control_file() -> Option<&'static Path> {
    static PATH: OnceLock<Option<PathBuf>> = OnceLock::new();
    PATH.get_or_init(|| env::var_os(CONTROL).map(PathBuf::from)).as_deref()
}

/// A line that is no rule.
#[derive(Debug)]
pub(crate) struct NotARule;

impl FromStr for Rule {
    type Err = NotARule;

    fn from_str(line: &str) -> Result<Self, NotARule> {
        let mut words = line.split_whitespace();
        let mut word = || words.next().ok_or(NotARule);
        let function = word()?.to_owned();
        let when = match word()? {
            "always" => When::Always,
            "first" => When::First(number(word()?)?),
            "every" => When::Every(number(word()?)?),
            "nth" => When::Nth(number(word()?)?),
            _ => return Err(NotARule),
        };
        let fault = match word()? {
            "return" => Fault::Return(number(word()?)?),
            "delay" => Fault::Delay(number(word()?)?),
            "hang" => Fault::Hang,
            "crash" => Fault::Crash,
            "corrupt" => Fault::Corrupt,
            _ => return Err(NotARule),
        };
        Ok(Self { function, when, fault })
    }
}

/// Decimal, or hexadecimal after `0x`.
fn number(text: &str) -> Result<u64, NotARule> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| NotARule)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a rule that a test writes and the module reads as another one.
    #[test]
    fn rules_are_read() {
        let read = |line: &str| line.parse::<Rule>().ok().map(|rule| (rule.when, rule.fault));
        for (line, when, fault) in [
            ("C_Sign always return 0x30", When::Always, Fault::Return(0x30)),
            ("C_Sign first 2 delay 5", When::First(2), Fault::Delay(5)),
            ("C_Sign every 3 hang", When::Every(3), Fault::Hang),
            ("C_Sign nth 4 crash", When::Nth(4), Fault::Crash),
            ("C_Sign always corrupt", When::Always, Fault::Corrupt),
        ] {
            assert_eq!(read(line), Some((when, fault)), "{line}");
        }
        for wrong in ["C_Sign", "C_Sign never hang", "C_Sign nth hang", "C_Sign always return x"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
