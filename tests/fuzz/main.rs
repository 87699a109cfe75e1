//! The fuzz targets in every test run: each over its seeds and over a few hundred
//! mutations of them, the same ones every time.
//!
//! This finds what breaks for inputs near the valid ones, in seconds; what lies
//! deeper is for `cargo xtask campaign fuzz`, which runs the same targets under
//! libFuzzer. What that finds becomes a case in `found`, for good.

mod found;
mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use mutate::Mutator;
use targets::{TARGETS, Target};

/// Mutations for each target.
const MUTATIONS: usize = 600;

/// One test for each target, so that they run beside each other and fail by name.
macro_rules! targets {
    ($($name:ident)*) => {
        $(
            /// Guards against what the target of this name looks for.
            #[test]
            fn $name() {
                short(target(stringify!($name)));
            }
        )*

        /// Guards against a target that no test run drives.
        #[test]
        fn every_target_has_a_test() {
            let driven = [$(stringify!($name)),*];
            let targets: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(targets, driven);
        }
    };
}

targets! {
    audit_record
    audit_note
    audit_proof
    config
    data_envelope
    frame_request
    frame_response
    grpc_timeout
    hsm_profile
    client_assertion
    key_set
    token
    import_der
    import_jwk
    import_pem
    jwt
    key_envelope
    keyhost
    name
    operation
    page_token
    protobuf
    public_key
    record
    sealed_file
    store_key
}

fn short(target: &Target) {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty());
    for seed in &seeds {
        assert!(seed.len() <= target.max_len, "a seed of {} bytes is never tried", seed.len());
        run(target, seed);
    }
    let mut mutator = Mutator::new(seeds, target.max_len);
    for _ in 0..MUTATIONS {
        run(target, &mutator.next());
    }
    for input in found::INPUTS.iter().filter(|(name, _)| *name == target.name) {
        run(target, input.1);
    }
}

/// Runs a target, and shows what it was given if it fails.
fn run(target: &Target, input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
        eprintln!("{} fails for b\"{}\"", target.name, input.escape_ascii());
        resume_unwind(panic);
    }
}

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).expect("a target of that name")
}
