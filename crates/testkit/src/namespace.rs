//! Tokens whose module needs daemons and fixed places: they live in Linux namespaces of
//! their own, together with the process that uses them, and end with it.

use std::{path::Path, process::Command};

use anyhow::Result;

use crate::softhsm::{TOKEN_LABEL, Token, first_of};

/// A PIN that openCryptoki takes: 4 to 8 characters.
const SHORT_PIN: &str = "47114711";
const SHORT_SO_PIN: &str = "76543210";

impl Token {
    /// openCryptoki's token in software, as it is seen from inside the namespace.
    pub(crate) fn opencryptoki_in(directory: &Path) -> Result<Self> {
        Ok(Self {
            vendor: "opencryptoki",
            module: first_of(&OPENCRYPTOKI, "opencryptoki")?,
            pin: SHORT_PIN.to_owned(),
            ..Self::bare(directory)
        })
    }

    /// A TPM 2.0 in software through tpm2-pkcs11, as it is seen from inside.
    pub(crate) fn tpm2_in(directory: &Path) -> Result<Self> {
        Ok(Self {
            vendor: "tpm2-pkcs11",
            module: first_of(&TPM2_PKCS11, "libtpm2-pkcs11-1")?,
            pin: SHORT_PIN.to_owned(),
            environment: vec![
                ("TPM2_PKCS11_STORE".into(), directory.join("store").display().to_string()),
                ("TPM2_PKCS11_TCTI".into(), "tabrmd:bus_type=session".into()),
            ],
            ..Self::bare(directory)
        })
    }
}

/// What starts `program` in namespaces of its own, behind the script that makes the
/// token there. Needs root, which it asks sudo for if it is not.
pub(crate) fn inside(token: &Token, program: &Path) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("modules").join(token.vendor);
    let is_root = rustix::process::geteuid().is_root();
    let mut command = Command::new(if is_root { "unshare" } else { "sudo" });
    if !is_root {
        command.args(["--preserve-env", "unshare"]);
    }
    command.args(["--mount", "--ipc", "--net", "--pid", "--mount-proc", "--fork", "--kill-child"]);
    command.arg(script).arg(&token.directory).arg(program);
    command.env("TOKEN_LABEL", TOKEN_LABEL);
    command.env("TOKEN_PIN", &token.pin).env("TOKEN_SO_PIN", SHORT_SO_PIN);
    command
}

const OPENCRYPTOKI: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/opencryptoki/libopencryptoki.so.0",
    "/usr/lib/aarch64-linux-gnu/opencryptoki/libopencryptoki.so.0",
    "/usr/lib64/opencryptoki/libopencryptoki.so.0",
];

const TPM2_PKCS11: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1",
    "/usr/lib/aarch64-linux-gnu/libtpm2_pkcs11.so.1",
    "/usr/lib64/pkcs11/libtpm2_pkcs11.so",
];
