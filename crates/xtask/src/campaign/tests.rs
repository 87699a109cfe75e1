//! Campaigns that are tests of every run, told by their environment to go on for
//! longer.

use std::{process::Command, time::Instant};

use anyhow::{Result, ensure};

use crate::{
    deps,
    shell::{self, cargo},
};

/// The service, killed under writes.
pub(crate) fn kills(count: u32) -> Result<()> {
    ensure!(count > 0, "no kill proves nothing");
    let started = Instant::now();
    let mut test = test("keyreeve-acceptance", "product");
    test.arg("durability::nothing_acknowledged_is_lost_when_everything_is_killed");
    shell::run(test.env("KEYREEVE_KILLS", count.to_string()))?;
    summary("kills", started, &format!("{count} kills of everything, no acknowledged write lost"));
    Ok(())
}

/// The service, killed under load, and its audit log.
pub(crate) fn audit(count: u32) -> Result<()> {
    ensure!(count > 0, "no kill proves nothing");
    let started = Instant::now();
    let mut test = test("keyreeve-acceptance", "product");
    test.arg("audit::every_answer_that_was_received_is_on_record");
    shell::run(test.env("KEYREEVE_AUDIT_KILLS", count.to_string()))?;
    summary("audit", started, &format!("{count} kills of everything, no answer without a record"));
    Ok(())
}

/// Two slots, one of which fails, again and again.
pub(crate) fn failover(count: u32) -> Result<()> {
    ensure!(count > 0, "no fault proves nothing");
    let started = Instant::now();
    let mut test = test("keyreeve-acceptance", "product");
    test.arg("failover::with_two_slots_no_request_fails_whatever_one_of_them_does");
    shell::run(test.env("KEYREEVE_FAILOVER", count.to_string()))?;
    summary("failover", started, &format!("{count} faults of one of two slots, none noticed"));
    Ok(())
}

/// Many wrapped keys, and a working set of some.
pub(crate) fn wrapped_keys(count: u32) -> Result<()> {
    ensure!(count > 0, "no key proves nothing");
    let started = Instant::now();
    let mut test = test("keyreeve-keyhost", "keyhost");
    test.arg("many_keys::many_wrapped_keys_are_as_fast_as_one_resident_key");
    shell::run(test.env("KEYREEVE_WRAPPED_KEYS", count.to_string()))?;
    let figures = format!("{count} wrapped keys, no slower in use than a resident one");
    summary("wrapped-keys", started, &figures);
    Ok(())
}

/// Ten times more than the service can do.
pub(crate) fn overload(seconds: u64) -> Result<()> {
    ensure!(seconds > 0, "no time proves nothing");
    let started = Instant::now();
    // What refusing costs counts here, so the build is the one that is shipped.
    let mut test = cargo();
    test.args(["test", "--release", "--quiet", "--package", "keyreeve-acceptance"]);
    test.args(["--test", "product", "--", "--nocapture", "--exact"]);
    test.arg("overload::under_ten_times_its_capacity_it_goes_on_as_if_at_capacity");
    shell::run(test.env("KEYREEVE_OVERLOAD", seconds.to_string()))?;
    let figures = "goodput stayed above 80 %, the p99 of what was answered below 3 times";
    summary("overload", started, figures);
    Ok(())
}

/// A large file, sealed and unsealed.
pub(crate) fn seal() -> Result<()> {
    let started = Instant::now();
    let mut test = test("keyreeve-acceptance", "product");
    test.arg("sealing::a_large_file_comes_back_identical_in_little_memory");
    shell::run(test.env("KEYREEVE_LONG", "1"))?;
    summary("seal", started, "1 GiB came back identical, in less than 64 MiB of memory");
    Ok(())
}

/// The store, killed under commits and on a disk that fails.
pub(crate) fn store(rounds: u32) -> Result<()> {
    ensure!(rounds > 0, "no round proves nothing");
    let started = Instant::now();
    for round in 1..=rounds {
        eprintln!("==> round {round} of {rounds}");
        shell::run(&mut test("keyreeve-store-redb", "crash"))?;
    }
    let mut disk = cargo();
    disk.args(["test", "--quiet", "--package", "keyreeve-store-redb", "--lib", "--", "disk"]);
    shell::run(&mut disk)?;
    let kills = rounds * KILLS_A_ROUND;
    summary(
        "store",
        started,
        &format!("{kills} kills of a committing process, no acknowledged commit lost"),
    );
    Ok(())
}

/// A TPM in software, behind a resource manager.
pub(crate) fn tpm2() -> Result<()> {
    deps::tpm2()?;
    let started = Instant::now();
    let mut suite = cargo();
    suite.args(["test", "--quiet", "--package", "keyreeve-backend-pkcs11"]);
    suite.args(["--features", "tpm2", "--test", "tpm2", "--", "--nocapture"]);
    shell::run(suite.env("KEYREEVE_TESTKIT_SHOW", "1"))?;
    summary("tpm2", started, "what it offers works, what it does not is named above");
    Ok(())
}

/// As tests/crash.rs of the store has it.
const KILLS_A_ROUND: u32 = 100;

/// A test that shows its figures while it runs. Not nextest: it would end a test that
/// takes hours.
fn test(package: &str, test: &str) -> Command {
    let mut command = cargo();
    command.args(["test", "--quiet", "--package", package, "--test", test]);
    command.args(["--", "--nocapture", "--exact"]);
    command
}

fn summary(name: &str, started: Instant, figures: &str) {
    eprintln!("campaign {name}: {figures}; {:.0} s", started.elapsed().as_secs_f64());
}
