//! Records as lines for people, or as they are.

use keyreeve_audit::{
    Entry, Outcome, Record,
    record::{Change, Ending, Object, Phase},
};
use keyreeve_client::v1;
use prost_types::Timestamp;

use crate::{
    failure::Failure,
    output::{Format, print_line},
};

/// A record, read.
pub(super) struct Line(pub(super) Entry);

impl Line {
    pub(super) const fn of(entry: Entry) -> Self {
        Self(entry)
    }

    /// A record as the service sent it.
    pub(super) fn read(record: v1::AuditRecord) -> Result<Self, Failure> {
        let bytes = record.record.into_bytes();
        let index = u64::try_from(record.index).unwrap_or_default();
        match Record::decode(&bytes) {
            Ok(record) => Ok(Self(Entry { index, bytes, record })),
            Err(_) => Err(Failure::local(
                format!("record {index} is not one that this program can read"),
                "use a keyreeve of the service's version",
            )),
        }
    }
}

/// Prints records, with a head above the first.
pub(super) struct Show {
    format: Format,
    begun: bool,
}

/// Widths of the columns but the last.
const WIDTHS: [usize; 6] = [8, 20, 8, 18, 24, 24];

impl Show {
    pub(super) const fn new(format: Format) -> Self {
        Self { format, begun: false }
    }

    pub(super) fn print(&mut self, Line(entry): &Line) -> Result<(), Failure> {
        match self.format {
            // A line each, byte for byte what is in the log, with its index beside it.
            Format::Json => {
                let record = String::from_utf8_lossy(&entry.bytes);
                print_line(&format!("{{\"index\":{},\"record\":{record}}}", entry.index))
            }
            Format::Table => {
                if !self.begun {
                    self.begun = true;
                    let head =
                        ["INDEX", "TIME", "OUTCOME", "OPERATION", "PRINCIPAL", "OBJECT", "DETAIL"];
                    print_line(&row(&head.map(str::to_owned)))?;
                }
                print_line(&row(&cells(entry)))
            }
        }
    }
}

fn cells(entry: &Entry) -> [String; 7] {
    let record = &entry.record;
    let seconds = i64::try_from(record.time_us / 1_000_000).unwrap_or_default();
    let outcome = match Outcome::of(record) {
        Outcome::Intent => "intent",
        Outcome::Ok => "ok",
        Outcome::Denied => "denied",
        Outcome::Failed => "failed",
    };
    let mut detail: Vec<String> = Vec::new();
    if let Phase::Outcome { ending: Ending::Failed { code, reason }, .. } = &record.phase {
        detail.push(reason.as_ref().unwrap_or(code).to_string());
    }
    detail.extend(record.action.algorithm.as_ref().map(ToString::to_string));
    detail.extend(record.backend.as_ref().map(ToString::to_string));
    detail.extend(record.number.map(|number| format!("number={number}")));
    detail.extend(record.change.as_deref().map(changed));
    if let Phase::Outcome { latency_us, .. } = &record.phase {
        detail.push(format!("{:.1} ms", *latency_us as f64 / 1000.0));
    }
    let principal = record.caller.principal.as_ref();
    [
        entry.index.to_string(),
        Timestamp { seconds, nanos: 0 }.to_string(),
        outcome.to_owned(),
        record.action.operation.to_string(),
        principal.map_or_else(|| record.caller.method.name().to_owned(), ToString::to_string),
        object(&record.action.object),
        detail.join(" "),
    ]
}

fn object(object: &Object) -> String {
    match (&object.vault, &object.name) {
        (Some(vault), Some(name)) => format!("{}/{}", vault.as_str(), name.as_str()),
        (Some(vault), None) => vault.as_str().to_owned(),
        _ => object.kind.name().to_owned(),
    }
}

/// Records come one by one, so columns have fixed widths; what is longer pushes on.
fn row(cells: &[String; 7]) -> String {
    let mut line = String::new();
    for (i, cell) in cells.iter().enumerate() {
        match WIDTHS.get(i) {
            Some(width) => line.push_str(&format!("{cell:width$}  ")),
            None => line.push_str(cell),
        }
    }
    line.trim_end().to_owned()
}

/// What the request sets of who may do what; of lists, how long they are.
fn changed(change: &Change) -> String {
    let Change { holder, role, scope, .. } = change;
    let mut parts: Vec<String> = Vec::new();
    parts.extend(holder.as_ref().map(|holder| format!("for={holder}")));
    parts.extend(role.map(|role| format!("role={:032x}", u128::from_be_bytes(role.0))));
    parts.extend(scope.as_ref().map(|scope| format!("at={scope}")));
    parts.extend(change.model.as_ref().map(|model| format!("model={model}")));
    parts.extend(change.policies.as_ref().map(|list| format!("policies={}", list.len())));
    parts.extend(change.default_action.as_ref().map(|action| format!("default={action}")));
    for (name, list) in [
        ("actions", &change.actions),
        ("not_actions", &change.not_actions),
        ("data_actions", &change.data_actions),
        ("not_data_actions", &change.not_data_actions),
        ("ranges", &change.ranges),
        ("listeners", &change.listeners),
    ] {
        parts.extend(list.as_ref().map(|list| format!("{name}={}", list.len())));
    }
    parts.join(" ")
}
