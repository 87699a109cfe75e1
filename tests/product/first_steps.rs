//! What `keyreeve dev` prints is meant to be pasted.

use std::process::Command;

use keyreeve_testkit::Keyreeve;

/// Guards against a first impression that is an error: the printed commands, pasted
/// into a fresh shell in another directory, all work.
#[test]
fn the_printed_commands_work_when_pasted() {
    let service = Keyreeve::start().expect("a service");
    let printed = service.service().log();
    let (_, after) = printed.split_once("Try it, in another shell:").expect("it says what to try");
    let commands: Vec<_> = after.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(commands.len(), 4, "{printed}");
    let elsewhere = tempfile::tempdir().expect("a directory");
    let output = Command::new("bash")
        .args(["-e", "-c", &commands.join("\n")])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", elsewhere.path())
        .current_dir(&elsewhere)
        .output()
        .expect("bash is there");
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{commands:#?}\n{text}{error}");
    assert_eq!(error, "");
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines.iter().any(|line| line.starts_with("key ") && line.contains("dev/jwt")),
        "{text}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("eyJ") && line.split('.').count() == 3),
        "{text}"
    );
    assert!(lines.last().is_some_and(|line| line.contains(r#""keys""#)), "{text}");
}
