//! Records as a SIEM wants them: OCSF 1.3 API Activity, class 6003.
//!
//! Exporting reads the log and never changes or signs anything: the line carries the
//! record's index, by which the original is found and proven. All text is escaped by
//! JSON; there is nothing here for a spreadsheet to run.

use serde_json::{Map, Value, json};

use crate::record::{Decision, Ending, Kind, Object, Peer, Phase};
use crate::{Entry, Outcome};

const CLASS: u64 = 6003;

/// One record as one line of JSON, without the line's end. `log` is the log's name.
pub fn to_ocsf(entry: &Entry, log: &str) -> String {
    let record = &entry.record;
    let operation = record.action.operation.as_str();
    let (activity_id, activity) = activity(operation);
    let (status_id, status) = match Outcome::of(record) {
        Outcome::Intent => (0, "Unknown"),
        Outcome::Ok => (1, "Success"),
        Outcome::Denied | Outcome::Failed => (2, "Failure"),
    };
    let mut line = object(json!({
        "category_uid": 6,
        "class_uid": CLASS,
        "class_name": "API Activity",
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": CLASS * 100 + activity_id,
        "time": record.time_us / 1000,
        "severity_id": 1,
        "severity": "Informational",
        "status_id": status_id,
        "status": status,
        "metadata": {
            "version": "1.3.0",
            "product": {"name": "Keyreeve", "vendor_name": "Keyreeve"},
            "log_name": log,
            "sequence": entry.index,
            "uid": format!("{log}/{}", entry.index),
            "correlation_uid": hex::encode(record.request.0),
        },
        "actor": {"user": user(entry)},
        "api": {
            "operation": operation,
            "service": {"name": "keyreeve"},
            "request": {"uid": hex::encode(record.request.0)},
        },
        "resources": resources(entry),
        "src_endpoint": endpoint(entry),
    }));
    if let Phase::Outcome { ending, latency_us } = &record.phase {
        line.insert("duration".into(), (latency_us / 1000).into());
        if let Ending::Failed { code, reason } = ending {
            line.insert("status_code".into(), code.as_str().into());
            let detail = reason.as_ref().unwrap_or(code).as_str();
            line.insert("status_detail".into(), detail.into());
        }
    }
    line.insert("unmapped".into(), Value::Object(unmapped(entry)));
    Value::Object(line).to_string()
}

/// OCSF knows four things that can be done by an API; using a key is none of them.
fn activity(operation: &str) -> (u64, &str) {
    let starts = |with: &[&str]| with.iter().any(|prefix| operation.starts_with(prefix));
    if starts(&["Create", "Import", "Restore"]) {
        (1, "Create")
    } else if starts(&["Get", "List", "Backup"]) {
        (2, "Read")
    } else if starts(&["Update", "Rotate", "Set", "Recover", "Enable", "Disable"]) {
        (3, "Update")
    } else if starts(&["Delete", "Purge", "Prune", "Revoke"]) {
        (4, "Delete")
    } else {
        (99, operation)
    }
}

fn user(entry: &Entry) -> Value {
    let caller = &entry.record.caller;
    let mut user = object(json!({"type_id": 0, "type": "Unknown"}));
    if let Some(principal) = &caller.principal {
        user.insert("name".into(), principal.as_str().into());
    }
    if let Some(credential) = caller.credential {
        user.insert("credential_uid".into(), credential.to_string().into());
    }
    Value::Object(user)
}

fn endpoint(entry: &Entry) -> Value {
    let mut endpoint = Map::new();
    match entry.record.source.peer {
        Some(Peer::Ip(address, port)) => {
            endpoint.insert("ip".into(), address.to_canonical().to_string().into());
            endpoint.insert("port".into(), port.into());
        }
        Some(Peer::Unix(user)) => {
            endpoint.insert("uid".into(), format!("unix:{user}").into());
        }
        None => {}
    }
    if let Some(listener) = &entry.record.source.listener {
        endpoint.insert("interface_name".into(), listener.as_str().into());
    }
    Value::Object(endpoint)
}

fn resources(entry: &Entry) -> Vec<Value> {
    let action = &entry.record.action;
    [Some(&action.object), action.from.as_ref()].into_iter().flatten().map(resource).collect()
}

fn resource(of: &Object) -> Value {
    let mut path = Vec::new();
    if let Some(vault) = &of.vault {
        path.push(format!("vaults/{}", vault.as_str()));
    }
    if let Some(name) = &of.name {
        path.push(format!("{}s/{}", of.kind.name(), name.as_str()));
    }
    let mut resource = object(json!({"type": of.kind.name()}));
    if !path.is_empty() && of.kind != Kind::Service {
        resource.insert("name".into(), path.join("/").into());
    }
    if let Some(id) = of.id {
        resource.insert("uid".into(), hex::encode(id.0).into());
    }
    if let Some(version) = of.version {
        resource.insert("version".into(), version.to_string().into());
    }
    Value::Object(resource)
}

fn unmapped(entry: &Entry) -> Map<String, Value> {
    let record = &entry.record;
    let (decision, assignment) = match record.decision {
        Decision::NotReached => ("none", None),
        Decision::Allowed(by) => ("allow", by),
        Decision::Denied(by) => ("deny", by),
    };
    let mut rest = object(json!({
        "phase": if record.phase == Phase::Intent { "intent" } else { "outcome" },
        "auth": record.caller.method.name(),
        "decision": decision,
    }));
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            rest.insert(name.into(), value);
        }
    };
    put("assignment", assignment.map(|id| hex::encode(id.0).into()));
    put("algorithm", record.action.algorithm.as_ref().map(|word| word.as_str().into()));
    put("backend", record.backend.as_ref().map(|word| word.as_str().into()));
    put("trace_id", record.trace.map(|id| hex::encode(id.0).into()));
    put("number", record.number.map(Into::into));
    put("change", record.change.as_deref().and_then(|change| serde_json::to_value(change).ok()));
    rest
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
