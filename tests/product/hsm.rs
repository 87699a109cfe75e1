//! The page for operators of HSMs, followed to the letter.

use std::{fs, net::TcpListener, path::Path, process::Command};

use keyreeve_testkit::program;

/// Guards against a page whose commands do not work: all its `sh` blocks, run in order
/// in an empty directory, as they stand but for the ports.
#[test]
fn the_page_on_hsms_works_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/hsm.md")).expect("the page");
    let blocks: Vec<_> = page
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split_once("```").expect("a block ends").0)
        .collect();
    assert!(blocks.len() >= 9, "the blocks are gone");
    let free = || TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let [grpc, https] = [free(), free()].map(|found| found.expect("a port").port().to_string());
    let script = blocks.concat().replace("7443", &grpc).replace("7444", &https);
    let directory = tempfile::tempdir().expect("a directory");
    let bin = program().expect("a program").parent().expect("its directory");
    // Whatever fails, the service does not outlive the script.
    let script = format!("trap 'kill ${{service:-}} 2> /dev/null || true' EXIT\n{script}");
    let output = Command::new("bash")
        .args(["-e", "-o", "pipefail", "-c", &script])
        .env_clear()
        .env("PATH", format!("{}:/usr/sbin:/usr/bin:/bin", bin.display()))
        .env("HOME", directory.path())
        .env("HSM_CONFIG", root.join("hsm-config"))
        .current_dir(&directory)
        .output()
        .expect("bash is there");
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    let log = fs::read_to_string(directory.path().join("service.log")).unwrap_or_default();
    assert!(output.status.success(), "{}\n{text}\n{error}\n{log}", output.status);
    for said in [
        "(blank)",
        "would be made",
        "leaves under a key the security officer trusts; opens keys as sensitive alone",
        "sound: token keyreeve",
        "the new PIN is in",
        "proved: each slot opened what the other wrapped",
        "hash of this plan: ",
    ] {
        assert!(text.contains(said), "{said:?} is not in\n{text}");
    }
    assert!(!text.contains("NOT SOUND"), "{text}");
}
