//! The processes the supervisor starts: `keyreeve process front` and
//! `keyreeve process keyhost NAME`.
//!
//! Neither reads a configuration file or the command line beyond its name, which
//! stands there for whoever looks at a list of processes. What they need comes over
//! the control socket.

use std::process::ExitCode;

use keyreeve_keyhost::sandbox;
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::control::ControlSocket;

mod front;
mod keyhost;

/// Runs as the front. Returns when it has drained.
pub fn front() -> ExitCode {
    match begin(c"keyreeve-front") {
        Ok(control) => front::run(control),
        Err(why) => refuse(&why),
    }
}

/// Runs as a keyhost.
pub fn keyhost() -> ExitCode {
    match begin(c"keyreeve-host") {
        Ok(control) => keyhost::run(control),
        Err(why) => refuse(&why),
    }
}

/// Ties this process to its supervisor and finds the way to it.
fn begin(name: &std::ffi::CStr) -> Result<ControlSocket, std::io::Error> {
    // However the supervisor ends, this process ends, and lets go of the store. If
    // it ended before this line, the control socket is at its end.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // Before anything secret is read; the sandbox repeats and reports it.
    sandbox::not_dumpable();
    sandbox::no_core_files();
    rustix::thread::set_name(name)?;
    ControlSocket::from_stdin()
}

/// Ends the process with a panic of any of its threads, unless it is one that is
/// `met` where it happens. The supervisor starts another.
fn abort_on_panic(met: fn() -> bool) {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        if !met() {
            std::process::abort();
        }
    }));
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Ends the process from a thread that is not the main one.
#[expect(
    clippy::disallowed_methods,
    reason = "the main thread is busy for as long as the process lives; the kernel clears its pages"
)]
pub(crate) fn end(code: i32) -> ! {
    std::process::exit(code)
}

#[expect(clippy::print_stderr, reason = "there is no supervisor to log for")]
fn refuse(error: &std::io::Error) -> ExitCode {
    eprintln!("keyreeve process is started by `keyreeve serve` and not by hand ({error})");
    ExitCode::FAILURE
}
