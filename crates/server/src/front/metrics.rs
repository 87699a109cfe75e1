//! What the service counts, in the text format of Prometheus (version 0.0.4).
//!
//! Written when it is asked for, out of counters that each thread keeps for itself. The
//! names are an interface: docs/operations.md has them, with alert rules, and a test
//! holds the two together. Labels are operations, outcomes, and names of the
//! configuration; nothing that a caller wrote is here.

mod text;

use std::time::Duration;

use keyreeve_audit::Standing;
use keyreeve_keyhost::{Client, LineState};
use keyreeve_service::{LATENCY_US, Shared, Tier};
use text::Text;

use super::Processes;
use crate::control::{Phase, ProcessState};

/// The content type of what [`write`] gives.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything, at this moment.
pub(super) fn write(shared: &Shared, processes: &Processes) -> String {
    let mut text = Text::default();
    text.family("keyreeve_build_info", "gauge", "Which version serves; always 1.");
    text.sample("", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    requests(&mut text, shared, processes);
    refusals(&mut text, shared);
    keyhosts(&mut text, &processes.now(), &processes.clients());
    state(&mut text, shared);
    text.finish()
}

fn requests(text: &mut Text, shared: &Shared, processes: &Processes) {
    let totals = shared.totals();
    let [standard, premium] = processes.backends();
    text.family("keyreeve_requests_total", "counter", "Requests, by operation and outcome.");
    for requests in &totals.requests {
        let backend = match requests.tier {
            None => "none",
            Some(Tier::Standard) => &standard,
            Some(Tier::Premium) => &premium,
        };
        let labels =
            [("operation", requests.operation), ("code", requests.outcome), ("backend", backend)];
        text.sample("", &labels, requests.count);
    }
    let help = "How long requests took, from the decision to the answer.";
    text.family("keyreeve_request_duration_seconds", "histogram", help);
    for latencies in &totals.latencies {
        let operation = ("operation", latencies.operation);
        let mut sum = 0;
        for (count, bound) in latencies.buckets.iter().zip(LATENCY_US) {
            sum += count;
            let bound = seconds(bound).to_string();
            text.sample("_bucket", &[operation, ("le", &bound)], sum);
        }
        let all: u64 = latencies.buckets.iter().sum();
        text.sample("_bucket", &[operation, ("le", "+Inf")], all);
        text.sample("_sum", &[operation], seconds(latencies.total_us));
        text.sample("_count", &[operation], all);
    }
    let help = "Requests over gRPC, by what came of their credential.";
    text.family("keyreeve_authentications_total", "counter", help);
    for (outcome, count) in totals.authentications {
        text.sample("", &[("outcome", outcome.name())], count);
    }
}

fn refusals(text: &mut Text, shared: &Shared) {
    let throttled = shared.throttled();
    let help = "Operations refused because somebody had used up their rate.";
    text.family("keyreeve_throttled_total", "counter", help);
    text.sample("", &[("by", "principal")], throttled.principal);
    text.sample("", &[("by", "vault")], throttled.vault);
}

fn keyhosts(text: &mut Text, processes: &[ProcessState], clients: &[Client]) {
    // Each thread of the front has a client of its own to each keyhost.
    let mut names: Vec<_> = clients.iter().map(Client::name).collect();
    names.sort_unstable();
    names.dedup();
    let lines: Vec<(&str, [LineState; 2])> =
        clients.iter().map(|client| (client.name(), client.lines())).collect();
    let each = |text: &mut Text, read: &dyn Fn(&mut dyn Iterator<Item = LineState>) -> f64| {
        for name in &names {
            for (place, lane) in ["operations", "slow"].into_iter().enumerate() {
                let of = lines.iter().filter(|(of, _)| of == name);
                let value = read(&mut of.map(|(_, lines)| lines[place]));
                text.sample("", &[("keyhost", name), ("lane", lane)], value);
            }
        }
    };
    let help = "Calls that wait for a keyhost. Making and importing keys has a lane of its own.";
    text.family("keyreeve_keyhost_queue_length", "gauge", help);
    each(text, &|lines| lines.map(|line| line.waiting as f64).sum());
    let help = "How long one more call would wait for a keyhost, in the longest queue.";
    text.family("keyreeve_keyhost_expected_wait_seconds", "gauge", help);
    each(text, &|lines| lines.map(|line| line.expected_wait.as_secs_f64()).fold(0.0, f64::max));
    let help = "Calls refused because they would have waited for too long.";
    text.family("keyreeve_keyhost_refused_total", "counter", help);
    each(text, &|lines| lines.map(|line| line.refused as f64).sum());

    let help = "Whether a keyhost serves: 1, or 0 while it is started or needs an operator.";
    text.family("keyreeve_keyhost_up", "gauge", help);
    for state in processes.iter().skip(1) {
        let up = u64::from(state.phase == Phase::Serving);
        text.sample("", &[("keyhost", &state.name)], up);
    }
    let help = "Threads of the front that have had no answer from a keyhost, and do not ask it.";
    text.family("keyreeve_keyhost_breaker_open", "gauge", help);
    for name in &names {
        let mute = clients.iter().filter(|client| client.name() == *name && client.is_mute());
        text.sample("", &[("keyhost", name)], mute.count() as u64);
    }
    let help = "How often a process was started anew.";
    text.family("keyreeve_process_restarts_total", "counter", help);
    for state in processes {
        text.sample("", &[("process", &state.name)], u64::from(state.restarts));
    }
}

fn state(text: &mut Text, shared: &Shared) {
    let help = "Whether the store takes changes. Keys that exist work either way.";
    text.family("keyreeve_store_up", "gauge", help);
    text.sample("", &[], u64::from(shared.store_health().is_ok()));
    let (exported, dropped) = shared.spans().counted();
    let help = "Spans that were exported, or dropped because the collector was slow or away.";
    text.family("keyreeve_telemetry_spans_total", "counter", help);
    text.sample("", &[("outcome", "exported")], exported);
    text.sample("", &[("outcome", "dropped")], dropped);
    let (sent, dropped, waiting) = shared.outlet().counted();
    let help = "Audit records that a collector took, or that it will never get.";
    text.family("keyreeve_audit_exported_records_total", "counter", help);
    text.sample("", &[("outcome", "exported")], sent);
    text.sample("", &[("outcome", "dropped")], dropped);
    let help = "Audit records that wait to be sent to a collector.";
    text.family("keyreeve_audit_export_waiting_records", "gauge", help);
    text.sample("", &[], waiting);
    let help = "Whether nothing is done because audit records have waited for too long.";
    text.family("keyreeve_audit_export_holds", "gauge", help);
    text.sample("", &[], u64::from(shared.outlet().holds()));
    let audit = shared.audit();
    let help = "Whether the audit log takes records. Without it, no request is answered.";
    text.family("keyreeve_audit_up", "gauge", help);
    text.sample("", &[], u64::from(audit.standing() == Standing::Recording));
    let unsigned = audit.log().map_or(0, |(_, log)| log.durable.saturating_sub(log.signed));
    let help = "Records that are on disk and not yet under a signed checkpoint.";
    text.family("keyreeve_audit_unsigned_records", "gauge", help);
    text.sample("", &[], unsigned);
    let expiring = shared.expiring();
    let help = "Keys whose latest version is enabled and will expire within so many days.";
    text.family("keyreeve_keys_expiring", "gauge", help);
    text.sample("", &[("days", "7")], expiring.within_7_days);
    text.sample("", &[("days", "30")], expiring.within_30_days);
    let help = "Keys whose latest version is enabled and has expired.";
    text.family("keyreeve_keys_expired", "gauge", help);
    text.sample("", &[], expiring.expired);
}

fn seconds(us: u64) -> f64 {
    Duration::from_micros(us).as_secs_f64()
}

#[cfg(test)]
mod tests;
