//! The fuzz targets under libFuzzer: one program for all of them.
//!
//! `cargo xtask campaign fuzz` builds it with coverage instrumentation and runs it.
//! `KEYREEVE_FUZZ_TARGET` says which target runs; with `KEYREEVE_FUZZ_SEEDS` it
//! writes the seeds of all targets into that directory, `TARGET/NUMBER`, and the list
//! of targets, `targets`, with the longest input of each, and ends.

#![no_main]

mod targets;

use std::{env, fs, io, path::Path, process, sync::OnceLock};

use libfuzzer_sys::fuzz_target;
use targets::{TARGETS, Target};

fuzz_target!(init: write_seeds_if_asked(), |input: &[u8]| (target().run)(input));

fn target() -> &'static Target {
    static TARGET: OnceLock<&Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        let name = env::var("KEYREEVE_FUZZ_TARGET").expect("KEYREEVE_FUZZ_TARGET names a target");
        TARGETS.iter().find(|target| target.name == name).expect("a target of that name")
    })
}

#[expect(clippy::disallowed_methods, reason = "main is libFuzzer's, and there are no keys here")]
fn write_seeds_if_asked() {
    if let Some(directory) = env::var_os("KEYREEVE_FUZZ_SEEDS") {
        write_seeds(Path::new(&directory)).expect("the seeds can be written");
        process::exit(0);
    }
}

fn write_seeds(directory: &Path) -> io::Result<()> {
    let mut list = String::new();
    for target in TARGETS {
        list.push_str(&format!("{} {}\n", target.name, target.max_len));
        let directory = directory.join(target.name);
        fs::create_dir_all(&directory)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(directory.join(number.to_string()), seed)?;
        }
    }
    fs::write(directory.join("targets"), list)
}
