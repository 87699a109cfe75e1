//! `DIR/dev.env`: how to reach the service that runs on the directory.
//!
//! Plain `KEY=value` lines, which a shell reads with `set -a; . FILE` and a
//! container engine with `--env-file`. It appears when the service is ready and
//! goes when it ends, so that whoever waits for it can go on at once.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use keyreeve_types::Secret;

use super::{DevError, Prepared, write_private};
use crate::supervisor::Running;

/// The file, and what is in it for as long as the directory is the same.
pub struct EnvFile {
    path: PathBuf,
    ca_certificate: String,
    token: Secret<String>,
}

impl EnvFile {
    /// Of a prepared directory. Removes one that a killed service left behind.
    pub fn of(prepared: &Prepared) -> Self {
        let path = prepared.dir.join("dev.env");
        let _ = fs::remove_file(&path);
        Self {
            path,
            ca_certificate: quoted(&prepared.ca_certificate),
            token: Secret::new(prepared.token.expose().clone()),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes it for the service that runs now, mode 0600, whole or not at all.
    pub fn write(&self, running: &Running) -> Result<(), DevError> {
        let Running { grpc, https, processes } = running;
        let pid = processes.first().map_or(0, |front| front.pid);
        let text = Secret::new(format!(
            "KEYREEVE_ADDR=https://{}\nKEYREEVE_HTTPS_URL=https://{}\nKEYREEVE_CACERT={}\n\
             KEYREEVE_TOKEN={}\nKEYREEVE_FRONT_PID={pid}\n",
            reachable(*grpc),
            reachable(*https),
            self.ca_certificate,
            self.token.expose(),
        ));
        write_private(&self.path, text.expose().as_bytes())
    }
}

impl Drop for EnvFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Where a client on this machine connects to: "every address" is none.
pub fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

/// A path as both readers take it; one with a blank or a sign that a shell would
/// expand is quoted for the shell.
fn quoted(path: &Path) -> String {
    shell_quoted(&path.display().to_string())
}

/// `text` as one word of a POSIX shell.
pub fn shell_quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against an address that cannot be connected to.
    #[test]
    fn every_address_becomes_the_loopback() {
        let reach = |text: &str| reachable(text.parse().expect("an address")).to_string();
        assert_eq!(reach("0.0.0.0:7443"), "127.0.0.1:7443");
        assert_eq!(reach("[::]:7443"), "[::1]:7443");
        assert_eq!(reach("10.0.0.1:7443"), "10.0.0.1:7443");
    }

    /// Guards against a directory name that runs as a command when the file is read.
    #[test]
    fn a_path_is_quoted_only_where_a_shell_needs_it() {
        assert_eq!(quoted(Path::new("/tmp/a-b/ca.pem")), "/tmp/a-b/ca.pem");
        assert_eq!(quoted(Path::new("/tmp/it's $(x)")), r"'/tmp/it'\''s $(x)'");
    }
}
