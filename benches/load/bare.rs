//! Limit c: the primitive in a loop on one thread, in a process of its own on the
//! servers' core.
//!
//! The child is told `PRIMITIVE MILLISECONDS` on its standard input and answers
//! `OPERATIONS NANOSECONDS` when it has done that.

use std::{
    io::{self, BufRead, BufReader, Write},
    process::{ChildStdin, ChildStdout, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use keyreeve_testkit::SoftHsm;

use crate::{
    child::{Child, pinned},
    cpu::Spent,
    row::Primitive,
    this_program,
};

mod module;
mod software;

/// The role of the child.
pub(crate) const ROLE: &str = "role:bare";

/// One primitive, ready to be done: called with a number that differs each time.
type Operation = Box<dyn FnMut(u64) -> Result<()>>;

/// Every primitive and its name in the pipe.
const PRIMITIVES: [(&str, Primitive); 5] = [
    ("sign-p256", Primitive::SignP256),
    ("sign-rsa2048", Primitive::SignRsa2048),
    ("verify-p256", Primitive::VerifyP256),
    ("encrypt-gcm", Primitive::EncryptGcm),
    ("module-p256", Primitive::ModuleP256),
];

/// The child.
pub(crate) fn serve() -> Result<()> {
    let mut prepared: Vec<(String, Operation)> = Vec::new();
    for line in io::stdin().lines() {
        let line = line?;
        let (name, length) = line.split_once(' ').context("PRIMITIVE MILLISECONDS expected")?;
        let length = Duration::from_millis(length.parse()?);
        if !prepared.iter().any(|(known, _)| known == name) {
            prepared.push((name.to_owned(), prepare(name)?));
        }
        let (_, operation) =
            prepared.iter_mut().find(|(known, _)| known == name).context("prepared above")?;
        let (operations, elapsed) = repeat(operation, length)?;
        let mut out = io::stdout().lock();
        writeln!(out, "{operations} {}", elapsed.as_nanos())?;
        out.flush()?;
    }
    Ok(())
}

fn prepare(name: &str) -> Result<Operation> {
    let (_, primitive) = PRIMITIVES
        .into_iter()
        .find(|(known, _)| *known == name)
        .with_context(|| format!("no primitive is called {name}"))?;
    match primitive {
        Primitive::SignP256 => software::sign_p256(),
        Primitive::SignRsa2048 => software::sign_rsa2048(),
        Primitive::VerifyP256 => software::verify_p256(),
        Primitive::EncryptGcm => software::encrypt_gcm(),
        Primitive::ModuleP256 => module::sign_p256(),
    }
}

fn repeat(operation: &mut Operation, length: Duration) -> Result<(u64, Duration)> {
    let start = Instant::now();
    let mut done = 0;
    loop {
        // Looking at the clock is a tenth of an AES-GCM: not each time.
        for _ in 0..16 {
            operation(done)?;
            done += 1;
        }
        let elapsed = start.elapsed();
        if elapsed >= length {
            return Ok((done, elapsed));
        }
    }
}

/// The running child, and the token that its module reads.
pub(crate) struct Bare {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    child: Child,
    _token: Option<SoftHsm>,
}

/// What a run of the loop cost, in microseconds per operation.
pub(crate) struct Loop {
    /// CPU time.
    pub(crate) cpu: f64,
    /// Wall-clock time.
    pub(crate) wall: f64,
}

impl Bare {
    /// Starts it; with a SoftHSM token of its own if `with_module`.
    pub(crate) fn start(with_module: bool) -> Result<Self> {
        let mut command = pinned(this_program()?);
        command.arg(ROLE).stdout(Stdio::piped());
        let token = if with_module { Some(SoftHsm::direct()?) } else { None };
        if let Some(token) = &token {
            command.envs(token.environment.clone());
            command.env(module::MODULE, &token.module);
            command.env(module::PIN, &token.pin);
        }
        let mut child = Child::start(command)?;
        let (stdin, stdout) = child.pipes().context("the bare loop has no pipes")?;
        Ok(Self { stdin, stdout: BufReader::new(stdout), child, _token: token })
    }

    /// Runs the loop of one primitive.
    pub(crate) fn run(&mut self, primitive: Primitive, length: Duration) -> Result<Loop> {
        let (name, _) = PRIMITIVES
            .into_iter()
            .find(|(_, known)| *known == primitive)
            .context("every primitive has a name")?;
        // The first run makes the key: not while it is measured.
        self.ask(name, Duration::from_millis(1))?;
        let pid = self.child.pid();
        let before = Spent::by(&[pid])?;
        let (operations, elapsed) = self.ask(name, length)?;
        let cpu = Spent::by(&[pid])?.since(&before, pid);
        ensure!(operations > 0, "the loop of {name} did nothing");
        let each = |ns: u64| ns as f64 / 1e3 / operations as f64;
        Ok(Loop { cpu: each(cpu), wall: each(elapsed) })
    }

    fn ask(&mut self, name: &str, length: Duration) -> Result<(u64, u64)> {
        writeln!(self.stdin, "{name} {}", length.as_millis())?;
        self.stdin.flush()?;
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            bail!("the bare loop ended; what it said is above");
        }
        let (operations, elapsed) = line.trim().split_once(' ').context("an answer of two")?;
        Ok((operations.parse()?, elapsed.parse()?))
    }
}
