//! The fuzz targets of `tests/fuzz` under libFuzzer.
//!
//! The compiler of the workspace is enough: LLVM's coverage pass and libFuzzer's
//! runtime (`libfuzzer-sys`) work on stable Rust. There is no address sanitizer, which
//! wants a nightly compiler; safe code has little for it to find. Everything is built
//! into a directory of its own, since the instrumentation concerns every crate.
//!
//! ```text
//! TARGET/fuzz/corpus/NAME      what reached new code, kept from run to run
//! TARGET/fuzz/artifacts/NAME   what crashed
//! TARGET/fuzz/seeds/NAME       made anew for each run
//! ```

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::shell::{self, cargo, root};

/// Longest time for one input, in seconds, and most memory of the process, in MiB.
const TIMEOUT: u32 = 25;
const MEMORY: u32 = 2048;

/// Fuzzes `only`, or one target after another, for `minutes` each.
pub(crate) fn run(only: Option<&str>, minutes: f64) -> Result<()> {
    ensure!(minutes > 0.0 && minutes.is_finite(), "--minutes must be more than 0");
    let fuzzer = Fuzzer::build()?;
    let targets = fuzzer.targets(only)?;
    let started = Instant::now();
    let (mut crashed, mut executions) = (Vec::new(), 0);
    for (number, target) in targets.iter().enumerate() {
        eprintln!("==> {} ({} of {})", target.name, number + 1, targets.len());
        let done = fuzzer.fuzz(target, minutes)?;
        executions += done.executions;
        eprintln!(
            "<== {}: {} executions, {} new inputs, {} edges{}",
            target.name,
            done.executions,
            done.new,
            done.edges,
            if done.crashed { ", CRASHED" } else { "" },
        );
        if done.crashed {
            crashed.push(target.name.as_str());
        }
    }
    eprintln!(
        "campaign fuzz: {} targets, {executions} executions, {} crashed; {:.0} s",
        targets.len(),
        crashed.len(),
        started.elapsed().as_secs_f64()
    );
    if crashed.is_empty() {
        return Ok(());
    }
    bail!(
        "{} crashed; the inputs are in {}; `cargo xtask campaign fuzz --target NAME --replay FILE` \
         shows why. Once mended, add the input to tests/fuzz/found.rs",
        crashed.join(", "),
        fuzzer.directory.join("artifacts").display()
    )
}

/// Runs a target over one file.
pub(crate) fn replay(target: &str, file: &Path) -> Result<()> {
    let fuzzer = Fuzzer::build()?;
    let target = fuzzer.targets(Some(target))?.remove(0);
    let file = fs::canonicalize(file).with_context(|| file.display().to_string())?;
    shell::run(fuzzer.command(&target).arg(file))
}

/// The program with all targets, built.
struct Fuzzer {
    program: PathBuf,
    /// Where everything is kept.
    directory: PathBuf,
}

struct Target {
    name: String,
    max_len: usize,
}

/// What a target did.
struct Done {
    executions: u64,
    new: u64,
    edges: u64,
    crashed: bool,
}

impl Fuzzer {
    fn build() -> Result<Self> {
        let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let directory = root().join(target).join("fuzz");
        // A target by name, so that build scripts and macros are not instrumented.
        let host = shell::output(shell::command("rustc").arg("-vV"))?;
        let host = host.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("rustc -vV names no host")?;
        let mut build = cargo();
        build.args(["test", "--no-run", "--package", "keyreeve-acceptance"]);
        build.args(["--features", "libfuzzer", "--test", "libfuzzer", "--target", host]);
        build.args(["--message-format", "json-render-diagnostics", "--target-dir"]);
        build.arg(directory.join("build"));
        build.env("RUSTFLAGS", INSTRUMENTATION.join(" ")).stderr(Stdio::inherit());
        eprintln!("    building the targets; the first time takes minutes");
        let messages = build.output().context("cannot start cargo")?;
        ensure!(messages.status.success(), "the fuzz targets do not build");
        let messages = String::from_utf8(messages.stdout)?;
        let program = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .context("cargo named no program")?;
        Ok(Self { program, directory })
    }

    /// The targets, with fresh seeds.
    fn targets(&self, only: Option<&str>) -> Result<Vec<Target>> {
        let seeds = self.directory.join("seeds");
        if seeds.exists() {
            fs::remove_dir_all(&seeds)?;
        }
        fs::create_dir_all(&seeds)?;
        shell::output(shell::command(&self.program.to_string_lossy()).env(SEEDS, &seeds))?;
        let list = fs::read_to_string(seeds.join("targets"))?;
        let all = list.lines().map(|line| {
            let (name, max_len) = line.split_once(' ').context("a name and a length")?;
            Ok(Target { name: name.to_owned(), max_len: max_len.parse()? })
        });
        let all: Vec<Target> = all.collect::<Result<_>>()?;
        let names: Vec<_> = all.iter().map(|target| target.name.clone()).collect();
        let found: Vec<_> =
            all.into_iter().filter(|target| only.is_none_or(|only| target.name == only)).collect();
        ensure!(!found.is_empty(), "no such target; there are {}", names.join(", "));
        Ok(found)
    }

    fn fuzz(&self, target: &Target, minutes: f64) -> Result<Done> {
        let corpus = self.directory.join("corpus").join(&target.name);
        let artifacts = self.directory.join("artifacts").join(&target.name);
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&artifacts)?;
        let mut command = self.command(target);
        command
            .arg(format!("-max_total_time={}", (minutes * 60.0).ceil()))
            .arg(format!("-max_len={}", target.max_len))
            .arg(format!("-timeout={TIMEOUT}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .args(["-print_final_stats=1", "-use_value_profile=1"])
            .arg(corpus)
            .arg(self.directory.join("seeds").join(&target.name))
            .stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot start the fuzzer")?;
        let mut done = Done { executions: 0, new: 0, edges: 0, crashed: false };
        for line in BufReader::new(child.stderr.take().context("a pipe")?).split(b'\n') {
            done.read(&String::from_utf8_lossy(&line?));
        }
        done.crashed = !child.wait()?.success();
        Ok(done)
    }

    fn command(&self, target: &Target) -> Command {
        let mut command = shell::command(&self.program.to_string_lossy());
        command.env(TARGET, &target.name);
        command
    }
}

impl Done {
    /// Takes a line of libFuzzer: a figure to keep, progress to show, or anything else,
    /// which is about a crash. That something new was found is of no interest here.
    fn read(&mut self, line: &str) {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            ["stat::number_of_executed_units:", count] => {
                self.executions = count.parse().unwrap_or_default();
            }
            ["stat::new_units_added:", count] => self.new = count.parse().unwrap_or_default(),
            [count, what, ref rest @ ..] if count.starts_with('#') => {
                self.executions = count[1..].parse().unwrap_or(self.executions);
                let edges = rest.iter().skip_while(|word| **word != "cov:").nth(1);
                self.edges = edges.and_then(|text| text.parse().ok()).unwrap_or(self.edges);
                if matches!(what, "INITED" | "pulse" | "DONE") {
                    eprintln!("    {line}");
                }
            }
            [first, ..] if NOISE.iter().any(|noise| first.starts_with(noise)) => {}
            // It looks for the sanitizers that are not there.
            _ if line.contains("\"__sanitizer_") => {}
            _ => eprintln!("    {line}"),
        }
    }
}

/// As in tests/fuzz/libfuzzer.rs.
const TARGET: &str = "KEYREEVE_FUZZ_TARGET";
const SEEDS: &str = "KEYREEVE_FUZZ_SEEDS";

/// How lines of libFuzzer begin that say nothing to a person: its figures, its
/// functions by address, the words it has learnt.
const NOISE: [&str; 6] = ["stat::", "INFO:", "NEW_FUNC[", "\"", "######", "Done"];

/// What libFuzzer learns from: a counter on every edge, and the operands of
/// comparisons.
const INSTRUMENTATION: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a summary that shows nothing, because libFuzzer's lines are not
    /// understood.
    #[test]
    fn figures_are_read_from_libfuzzers_lines() {
        let mut done = Done { executions: 0, new: 0, edges: 0, crashed: false };
        done.read("#1024\tpulse  cov: 321 ft: 900 corp: 12/1Kb lim: 4 exec/s: 512 rss: 60Mb");
        assert_eq!((done.executions, done.edges), (1024, 321));
        done.read("stat::number_of_executed_units: 2048");
        done.read("stat::new_units_added:          17");
        assert_eq!((done.executions, done.new, done.edges), (2048, 17, 321));
    }
}
