//! `keyreeve`: the service and its command line in one program.
//!
//! Exit codes: 0 it is done; 1 the answer is no (not valid, not allowed, not found,
//! decryption failed); 2 the command or its surroundings are wrong; 3 the service
//! could not be reached or failed; 130 interrupted.

mod access_table;
mod additional_data;
mod cli;
mod connection;
mod failure;
mod file_progress;
mod input;
mod json;
mod mark;
mod moment;
mod next;
mod output;
mod principal;
mod scope;
mod table;
mod usual;

use std::process::ExitCode;

use keyreeve_memory::WipingAllocator;

/// Front, keyhosts and command line alike: what passes through a buffer does not
/// outlive it.
#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator;

fn main() -> ExitCode {
    let (cli, object) = cli::Cli::from_arguments();
    match cli.run() {
        Ok(code) => code,
        Err(failure) => failure.report(object.as_deref()),
    }
}
