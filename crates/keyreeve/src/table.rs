//! Messages as tables for people.

mod identity;

use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use keyreeve_client::v1;
use prost_types::Timestamp;

pub(crate) use identity::{new_client_secret, new_token, principal, principals, tokens};

/// One vault.
pub(crate) fn vault(vault: &v1::Vault) -> String {
    fields([
        ("vault", short(&vault.name)),
        ("tier", tier(vault.tier()).to_owned()),
        ("backend", vault.backend.clone()),
        ("created", time(vault.create_time)),
    ])
}

/// Vaults, a line each.
pub(crate) fn vaults(list: &v1::ListVaultsResponse) -> String {
    let mut table = table(&["VAULT", "TIER", "BACKEND", "CREATED"]);
    for vault in &list.vaults {
        table.add_row([
            short(&vault.name),
            tier(vault.tier()).to_owned(),
            vault.backend.clone(),
            time(vault.create_time),
        ]);
    }
    finish(&table)
}

/// One key at one version.
pub(crate) fn key(key: &v1::Key) -> String {
    let mut tags: Vec<String> = key.tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
    tags.sort();
    fields([
        ("key", short(&key.name)),
        ("version", version(key).to_owned()),
        ("kind", kind(key)),
        ("operations", key.operations.join(" ")),
        ("enabled", yes(key.enabled()).to_owned()),
        ("not before", time(key.not_before_time)),
        ("expires", time(key.expire_time)),
        ("tags", tags.join(" ")),
        ("backend", key.backend.clone()),
        ("created", time(key.create_time)),
        ("updated", time(key.update_time)),
        ("etag", key.etag.clone()),
    ])
}

/// Keys, a line each.
pub(crate) fn keys(list: &v1::ListKeysResponse) -> String {
    let mut table = table(&["KEY", "KIND", "OPERATIONS", "ENABLED", "EXPIRES", "VERSION"]);
    for key in &list.keys {
        table.add_row([
            short(&key.name),
            kind(key),
            key.operations.join(" "),
            yes(key.enabled()).to_owned(),
            time(key.expire_time),
            version(key).to_owned(),
        ]);
    }
    finish(&table)
}

/// Versions of a key, a line each, oldest first.
pub(crate) fn versions(list: &v1::ListKeyVersionsResponse) -> String {
    let mut table = table(&["VERSION", "KIND", "ENABLED", "CREATED", "EXPIRES"]);
    for key in &list.versions {
        table.add_row([
            version(key).to_owned(),
            kind(key),
            yes(key.enabled()).to_owned(),
            time(key.create_time),
            time(key.expire_time),
        ]);
    }
    finish(&table)
}

/// The service: its processes, then what protects them, then what they can do.
pub(crate) fn status(status: &v1::Status) -> String {
    let mut processes = table(&["PROCESS", "PID", "STATE", "RESTARTS", "DETAIL"]);
    let mut protections = table(&["PROCESS", "PROTECTION", "IN FORCE", "DETAIL"]);
    let mut backends = table(&["BACKEND", "TIER", "KEYS", "ALGORITHMS"]);
    for process in &status.processes {
        let state = process.state().as_str_name().to_lowercase().replace('_', " ");
        processes.add_row([
            process.name.clone(),
            process.pid.to_string(),
            state,
            process.restarts.to_string(),
            process.detail.clone(),
        ]);
        for protection in &process.protections {
            protections.add_row([
                process.name.clone(),
                protection.name.clone(),
                yes(protection.in_force).to_owned(),
                protection.detail.clone(),
            ]);
        }
        if let Some(backend) = &process.backend {
            backends.add_row([
                backend.name.clone(),
                tier(backend.tier()).to_owned(),
                backend.key_specs.join(" "),
                backend.algorithms.join(" "),
            ]);
        }
    }
    let head = format!("keyreeve {}, since {}", status.version, time(status.start_time));
    let mut parts = vec![head, finish(&processes)];
    if let Some(store) = &status.store {
        let state = store.state().as_str_name().to_lowercase();
        parts.push(format!("store: {state} {}", store.detail).trim_end().to_owned());
    }
    if let Some(log) = &status.audit_log {
        let state = log.state().as_str_name().to_lowercase();
        let counts = format!("{} records, {} signed", log.record_count, log.signed_count);
        let line = format!("audit log: {state}, {counts} {}", log.detail);
        parts.push(format!("{}\nkey: {}", line.trim_end(), log.verifier_key));
    }
    parts.extend([&protections, &backends].map(finish));
    parts.join("\n\n")
}

/// `vaults/prod/keys/jwt` as `prod/jwt`, `…/versions/V` as `prod/jwt/V`.
pub(crate) fn short(resource: &str) -> String {
    let parts: Vec<&str> = resource.split('/').skip(1).step_by(2).collect();
    if parts.is_empty() { resource.to_owned() } else { parts.join("/") }
}

fn version(key: &v1::Key) -> &str {
    key.version_name.rsplit('/').next().unwrap_or_default()
}

fn kind(key: &v1::Key) -> String {
    let parameter = if key.size > 0 { key.size.to_string() } else { key.curve.clone() };
    format!("{} {parameter}", key.key_type).trim_end().to_owned()
}

fn tier(tier: v1::vault::Tier) -> &'static str {
    match tier {
        v1::vault::Tier::Unspecified => "",
        v1::vault::Tier::Standard => "standard",
        v1::vault::Tier::Premium => "premium",
    }
}

fn yes(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

pub(crate) fn time(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.to_string())
}

pub(crate) fn fields<const N: usize>(fields: [(&str, String); N]) -> String {
    let mut table = plain();
    for (name, value) in fields {
        table.add_row([name.to_owned(), or_dash(value)]);
    }
    finish(&table)
}

/// A cell that is not left empty.
pub(crate) fn or_dash(value: String) -> String {
    if value.is_empty() { "-".to_owned() } else { value }
}

pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = plain();
    table.set_header(header.iter().copied());
    table
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// Without the blanks that fill the last column, and the margin before the first.
pub(crate) fn finish(table: &Table) -> String {
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned())
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> v1::Key {
        v1::Key {
            name: "vaults/prod/keys/jwt".into(),
            version_name: "vaults/prod/keys/jwt/versions/0123456789abcdef0123456789abcdef".into(),
            key_type: "EC".into(),
            curve: "P-256".into(),
            operations: vec!["sign".into(), "verify".into()],
            enabled: Some(true),
            tags: [("b", "2"), ("a", "1")].map(|(k, v)| (k.into(), v.into())).into(),
            backend: "software".into(),
            create_time: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            ..Default::default()
        }
    }

    /// Guards against a table that changes its columns unnoticed: scripts cut them.
    #[test]
    fn a_key_is_shown_as_before() {
        let expected = "\
key         prod/jwt
version     0123456789abcdef0123456789abcdef
kind        EC P-256
operations  sign verify
enabled     yes
not before  -
expires     -
tags        a=1 b=2
backend     software
created     2023-11-14T22:13:20Z
updated     -
etag        -";
        assert_eq!(key(&sample()), expected);
    }

    /// Guards against the same in lists.
    #[test]
    fn lists_have_a_line_each() {
        let list = v1::ListKeysResponse { keys: vec![sample()], next_page_token: String::new() };
        let expected = "\
KEY       KIND      OPERATIONS   ENABLED  EXPIRES  VERSION
prod/jwt  EC P-256  sign verify  yes      -        0123456789abcdef0123456789abcdef";
        assert_eq!(keys(&list), expected);
    }

    /// Guards against a protection that is not in force being shown as if it were, and
    /// against a process or a store that does not serve for no reason shown.
    #[test]
    fn status_says_what_is_not_in_force() {
        let protection = v1::Protection {
            name: "memory locked".into(),
            in_force: false,
            detail: "RLIMIT_MEMLOCK is 64 KiB".into(),
        };
        let process = v1::Process {
            name: "front".into(),
            pid: 7,
            state: v1::process::State::NeedsOperator.into(),
            detail: "C_Login: CKR_PIN_INCORRECT".into(),
            protections: vec![protection],
            ..Default::default()
        };
        let shown = status(&v1::Status {
            version: "0.1.0".into(),
            processes: vec![process],
            start_time: None,
            audit_log: Some(v1::AuditLog {
                state: v1::audit_log::State::Stopped.into(),
                detail: "no room".into(),
                verifier_key: "name+0011+AQ==".into(),
                record_count: 9,
                signed_count: 7,
            }),
            store: Some(v1::Store {
                state: v1::store::State::Full.into(),
                detail: "the disk is full".into(),
            }),
        });
        assert!(shown.contains("needs operator  0         C_Login: CKR_PIN_INCORRECT"), "{shown}");
        assert!(shown.contains("audit log: stopped, 9 records, 7 signed no room"), "{shown}");
        assert!(shown.contains("key: name+0011+AQ=="), "{shown}");
        assert!(shown.contains("store: full the disk is full"), "{shown}");
        assert!(shown.contains("memory locked  no        RLIMIT_MEMLOCK is 64 KiB"), "{shown}");
    }

    /// Guards against names in tables that cannot be pasted into commands.
    #[test]
    fn names_are_shown_as_they_are_typed() {
        assert_eq!(short("vaults/prod"), "prod");
        assert_eq!(short("vaults/prod/keys/jwt"), "prod/jwt");
        assert_eq!(short("vaults/prod/keys/jwt/versions/0f"), "prod/jwt/0f");
        assert_eq!(short("odd"), "odd");
    }
}
