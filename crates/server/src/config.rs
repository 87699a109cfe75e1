//! The configuration of `keyreeve serve`: one TOML file.
//!
//! Reading has two steps. [`Config`] is the file as written; unknown fields are
//! refused, so that a misspelt limit is an error and not a default. [`Config::check`]
//! then looks at every value and at every file it names, and reports all problems
//! together, before a port is bound and before a process is started.
//!
//! It refuses to read secrets: a PIN file and the root key file are looked at from
//! outside (present, readable, private), and opened only by the keyhost that needs
//! them.

use std::{
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use keyreeve_backend_pkcs11::Profile;
use keyreeve_types::Name;
use serde::Deserialize;

mod audit;
mod client_ca;
mod file;
mod group;
mod issuer;
mod keyhost;
mod limits;
mod listener;
mod log;
mod problem;
mod remote_slot;
mod slot;
mod telemetry;
mod token;

pub use audit::AuditConfig;
pub use client_ca::{ClientCaConfig, SubjectConfig};
pub(crate) use file::check_secret;
pub use group::{Group, GroupConfig, PremiumConfig};
pub(crate) use issuer::https;
pub use issuer::{IssuerConfig, OneOrMany};
pub use keyhost::{CheckedKeyhost, KeyhostConfig, KeyhostGroupConfig, KeyhostTlsConfig};
pub use limits::Limits;
pub use listener::{Door, ListenerConfig, Place, PrivateListener};
pub use log::{Format, LogConfig};
pub use problem::{Problem, Report};
pub use remote_slot::{RemoteSlot, RemoteSlotConfig};
pub use slot::SlotConfig;
pub(crate) use telemetry::CollectorAddress;
pub use telemetry::Telemetry;
pub use token::{Token, TokenConfig};

use crate::{listen::cores, tls};

/// Most threads of a front or a keyhost. Each front thread has two listening
/// sockets, which travel to the front in one packet.
const MAX_THREADS: usize = 32;
/// Longest operation, in milliseconds, unless set. An RSA-4096 signature takes 2 ms
/// in software and tens of milliseconds in a device.
const CALL_LIMIT_MS: u64 = 2_000;
/// What can be set. Less than half a second, and a busy machine would have keyhosts
/// killed that do not hang.
const CALL_LIMITS_MS: RangeInclusive<u64> = 500..=60_000;

/// The file as written. Relative paths start at the file's own directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Directory of the store. Made by the operator, writable by the service.
    pub data_dir: PathBuf,
    /// The gRPC door.
    #[serde(default = "GrpcConfig::standard")]
    pub grpc: GrpcConfig,
    /// The HTTPS door: JWKS and health.
    #[serde(default = "HttpsConfig::standard")]
    pub https: HttpsConfig,
    /// Private listeners, each for the vaults that name it. None by default.
    #[serde(default, rename = "listener")]
    pub listeners: Vec<ListenerConfig>,
    /// The certificate all doors show.
    pub tls: TlsConfig,
    /// What seals the software keystore.
    pub root_key: RootKeyConfig,
    /// The process that faces the network.
    #[serde(default)]
    pub front: FrontConfig,
    /// The software keystore.
    #[serde(default)]
    pub software: SoftwareConfig,
    /// PKCS#11 slots, each with a process of its own. None by default.
    #[serde(default, rename = "slot")]
    pub slots: Vec<SlotConfig>,
    /// Slots whose keyhosts run beside the HSM, on another host. None by default.
    #[serde(default, rename = "remote_slot")]
    pub remote_slots: Vec<RemoteSlotConfig>,
    /// Slots that serve keys together. A slot that is in none is a group by itself.
    #[serde(default, rename = "group")]
    pub groups: Vec<GroupConfig>,
    /// Which slot group holds the keys of premium vaults.
    pub premium: Option<PremiumConfig>,
    /// Who may call.
    #[serde(default, rename = "token")]
    pub tokens: Vec<TokenConfig>,
    /// Whose JWTs are taken. None by default.
    #[serde(default, rename = "issuer")]
    pub issuers: Vec<IssuerConfig>,
    /// Whose client certificates are taken. None by default.
    pub client_ca: Option<ClientCaConfig>,
    /// What a caller can use up.
    #[serde(default)]
    pub limits: Limits,
    /// The audit log.
    #[serde(default)]
    pub audit: AuditConfig,
    /// Who may read the metrics.
    #[serde(default)]
    pub metrics: MetricsConfig,
    /// Spans and audit records for a collector.
    #[serde(default)]
    pub telemetry: Telemetry,
    /// What is logged, to standard error.
    #[serde(default)]
    pub log: LogConfig,
    /// Whether RSA PKCS#1 v1.5 encryption (`RSA1_5`) is offered. Default false:
    /// its padding has been an oracle too often (RFC 8017 section 7.2).
    #[serde(default)]
    pub allow_rsa1_5: bool,
}

/// `[grpc]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrpcConfig {
    /// Address and port, as `0.0.0.0:7443` or `[::1]:7443`; port 0 takes a free one.
    /// Default `127.0.0.1:7443`, so that nothing is offered to a network unasked.
    pub listen: String,
}

/// `[https]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpsConfig {
    /// As `grpc.listen`. Default `127.0.0.1:7444`.
    #[serde(default = "HttpsConfig::standard_listen")]
    pub listen: String,
    /// Where those outside find this door, as `https://keyreeve.example:7444`. Needed by
    /// clients that prove themselves with an assertion, which must name the service.
    pub url: Option<String>,
}

/// `[tls]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file with the server's certificate and then its intermediates.
    pub certificate: PathBuf,
    /// PEM file with the certificate's private key (PKCS#8, SEC1 or PKCS#1), not
    /// readable by group or others.
    pub key: PathBuf,
}

/// `[root_key]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootKeyConfig {
    /// The root key's file, not readable by group or others. `keyreeve root-key
    /// create FILE` makes one.
    pub file: PathBuf,
}

/// `[front]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontConfig {
    /// How many threads serve connections, 1 to 32. Default: one per core, because
    /// each runs alone and never waits for another.
    pub threads: Option<usize>,
}

/// `[software]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftwareConfig {
    /// How many threads compute, 1 to 32. Default: one per core.
    pub threads: Option<usize>,
    /// Longest time of one operation, in milliseconds, 500 to 60000: after it the
    /// keyhost is taken for hung, killed and started anew. Making and importing keys
    /// has a minute. Default 2000.
    pub call_limit_ms: Option<u64>,
}

/// `[metrics]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// Whether whoever reaches the HTTPS door may read `/metrics` without a token.
    /// Default false: it takes a token that may read the status.
    #[serde(default)]
    pub open: bool,
}

impl GrpcConfig {
    fn standard() -> Self {
        Self { listen: "127.0.0.1:7443".to_owned() }
    }
}

impl HttpsConfig {
    fn standard() -> Self {
        Self { listen: Self::standard_listen(), url: None }
    }

    fn standard_listen() -> String {
        "127.0.0.1:7444".to_owned()
    }
}

/// A configuration in which everything was looked at. All paths are absolute.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Where the store is.
    pub data_dir: PathBuf,
    /// Where gRPC listens.
    pub grpc: SocketAddr,
    /// Where HTTPS listens.
    pub https: SocketAddr,
    /// Private listeners.
    pub listeners: Vec<PrivateListener>,
    /// The certificate and its key.
    pub tls: TlsConfig,
    /// The root key's file.
    pub root_key: PathBuf,
    /// Threads of the front.
    pub front_threads: usize,
    /// Threads of the software keystore.
    pub software_threads: usize,
    /// Longest operation of the software keystore.
    pub software_call_limit: Duration,
    /// The slots.
    pub slots: Vec<Slot>,
    /// The remote slots.
    pub remote_slots: Vec<RemoteSlot>,
    /// The slot groups: every slot is in one.
    pub groups: Vec<Group>,
    /// The group of premium vaults.
    pub premium: Option<Name>,
    /// Who may call, and what they hold.
    pub tokens: Vec<Token>,
    /// Whose JWTs are taken.
    pub issuers: Vec<IssuerConfig>,
    /// Whose client certificates are taken.
    pub client_ca: Option<ClientCaConfig>,
    /// Where those outside find the HTTPS door.
    pub https_url: Option<String>,
    /// What a caller can use up.
    pub limits: Limits,
    /// The audit log.
    pub audit: AuditConfig,
    /// Whether the metrics are for everybody.
    pub open_metrics: bool,
    /// Spans for a collector.
    pub telemetry: Telemetry,
    /// What is logged.
    pub log: LogConfig,
    /// Whether RSA1_5 is offered.
    pub allow_rsa1_5: bool,
}

/// A slot in which everything was looked at.
#[derive(Debug, Clone)]
pub struct Slot {
    /// Its name, and that of its first keyhost.
    pub name: Name,
    /// How many keyhosts serve it.
    pub keyhosts: usize,
    /// Where the profile is.
    pub profile_path: PathBuf,
    /// What it says.
    pub profile: Profile,
    /// The token's label, if the profile does not give it.
    pub token: Option<String>,
    /// Where the PIN is.
    pub pin_file: PathBuf,
    /// Threads, each with a session.
    pub threads: usize,
    /// Longest operation.
    pub call_limit: Duration,
}

impl Config {
    /// Reads and checks the file at `path`.
    pub fn load(path: &Path) -> Result<Checked, Report> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Report::of(
                path,
                Problem::new("the file", error.to_string(), "name a readable file with --config"),
            )
        })?;
        Self::parse(path, &text)?.check(path)
    }

    /// Reads `text`, found at `path`, without looking at what it names.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Report> {
        toml::from_str(text).map_err(|error| {
            Report::of(
                path,
                Problem::new(
                    "the file",
                    error.to_string().trim_end().to_owned(),
                    "every field is described in docs/configuration.md",
                ),
            )
        })
    }

    /// Looks at every value and at every file it names.
    pub fn check(self, path: &Path) -> Result<Checked, Report> {
        let mut problems = Report::new(path);
        let report = &mut problems;
        let base = file::base(path);
        let at = |path: &Path| base.join(path);

        let data_dir = at(&self.data_dir);
        file::check_directory(report, "data_dir", &data_dir);
        let grpc = address(report, "grpc.listen", &self.grpc.listen);
        let https = address(report, "https.listen", &self.https.listen);
        if let (Some(grpc), Some(https)) = (grpc, https)
            && grpc == https
            && grpc.port() != 0
        {
            report.add("https.listen", "is the address of grpc.listen", "choose another port");
        }
        let listeners = listener::check(report, &self.listeners, &base, [grpc, https]);
        let tls = TlsConfig { certificate: at(&self.tls.certificate), key: at(&self.tls.key) };
        tls::check(report, &tls);
        let root_key = at(&self.root_key.file);
        check_secret(
            report,
            "root_key.file",
            &root_key,
            "make one with `keyreeve root-key create FILE`, or name where it is",
        );
        let front_threads = threads(report, "front.threads", self.front.threads);
        let software_call_limit =
            call_limit(report, "software.call_limit_ms", self.software.call_limit_ms);
        let software_threads = threads(report, "software.threads", self.software.threads);
        let (slots, mut taken) = slot::check(report, &self.slots, &base);
        let remote_slots =
            remote_slot::check(report, &self.remote_slots, &mut taken, &base, &data_dir);
        file::check_outside(report, "tls.key", &tls.key, &data_dir);
        file::check_outside(report, "root_key.file", &root_key, &data_dir);
        for (index, slot) in self.slots.iter().enumerate() {
            slot.check_outside(report, index, &base, &data_dir);
        }
        let groups = group::check(report, &self.groups, taken.into_iter().collect());
        let premium = self.premium.and_then(|premium| premium.check(report, &groups));
        let tokens = token::check(report, &self.tokens);
        let issuers = issuer::check(report, self.issuers, &base);
        let client_ca = self.client_ca.map(|client_ca| client_ca.check(report, &base));
        if let Some(Err(wrong)) = self.https.url.as_deref().map(https_url) {
            report.add("https.url", wrong, "write it as https://keyreeve.example:7444");
        }
        self.limits.check(report);
        self.audit.check(report);
        let telemetry = self.telemetry.check(report, &base);
        self.log.check(report);

        match (grpc, https, problems.into_result()) {
            (Some(grpc), Some(https), Ok(())) => Ok(Checked {
                data_dir,
                grpc,
                https,
                listeners,
                tls,
                root_key,
                front_threads,
                software_threads,
                software_call_limit,
                slots,
                remote_slots,
                groups,
                premium,
                tokens,
                issuers,
                client_ca,
                https_url: self.https.url,
                limits: self.limits,
                audit: self.audit,
                open_metrics: self.metrics.open,
                telemetry,
                log: self.log,
                allow_rsa1_5: self.allow_rsa1_5,
            }),
            (_, _, Err(report)) => Err(report),
            // An address that did not parse was reported above.
            (_, _, Ok(())) => Err(Report::new(path)),
        }
    }
}

/// A keyhost of a slot.
#[derive(Debug, Clone)]
pub struct SlotKeyhost<'c> {
    /// The slot it serves.
    pub slot: &'c Name,
    /// What it is called. The first of a slot has the slot's own name, the others a number
    /// besides: `hsm-a/2`.
    pub name: String,
    /// Where it runs.
    pub at: At<'c>,
}

/// Where a slot is.
#[derive(Debug, Clone, Copy)]
pub enum At<'c> {
    /// Here.
    Here(&'c Slot),
    /// Elsewhere.
    Remote(&'c RemoteSlot),
}

impl Checked {
    /// The keyhosts of slots, those here first.
    pub fn slot_keyhosts(&self) -> impl Iterator<Item = SlotKeyhost<'_>> {
        let here = self.slots.iter().map(|slot| (&slot.name, slot.keyhosts, At::Here(slot)));
        let remote = self.remote_slots.iter();
        let remote = remote.map(|slot| (&slot.name, slot.keyhosts, At::Remote(slot)));
        here.chain(remote).flat_map(|(slot, keyhosts, at)| {
            (1..=keyhosts).map(move |number| {
                let name = if number == 1 { slot.to_string() } else { format!("{slot}/{number}") };
                SlotKeyhost { slot, name, at }
            })
        })
    }

    /// The group that a slot is in.
    pub fn group_of(&self, slot: &Name) -> Option<&Group> {
        self.groups.iter().find(|group| group.slots.contains(slot))
    }
}

fn https_url(text: &str) -> Result<(), String> {
    let url = https(text)?;
    let bare = matches!(url.path(), "" | "/");
    if bare { Ok(()) } else { Err(format!("`{text}` has a path")) }
}

fn address(report: &mut Report, field: &str, text: &str) -> Option<SocketAddr> {
    let parsed = text.parse();
    if parsed.is_err() {
        report.add(
            field,
            format!("`{text}` is not an IP address with a port"),
            "write it as 127.0.0.1:7443 or [::1]:7443; a host name does not do",
        );
    }
    parsed.ok()
}

fn threads(report: &mut Report, field: &str, given: Option<usize>) -> usize {
    let threads = given.unwrap_or_else(|| cores().min(MAX_THREADS));
    if !(1..=MAX_THREADS).contains(&threads) {
        report.add(
            field,
            format!("{threads} is not 1 to {MAX_THREADS}"),
            "leave it out for one per core",
        );
    }
    threads
}

/// How long an operation may take before the keyhost is taken for hung.
fn call_limit(report: &mut Report, field: &str, given: Option<u64>) -> Duration {
    let millis = given.unwrap_or(CALL_LIMIT_MS);
    if !CALL_LIMITS_MS.contains(&millis) {
        let (low, high) = (CALL_LIMITS_MS.start(), CALL_LIMITS_MS.end());
        report.add(
            field,
            format!("{millis} is not {low} to {high}"),
            "leave it out for 2000; a device far away may need more",
        );
    }
    Duration::from_millis(millis)
}

#[cfg(test)]
mod tests;
