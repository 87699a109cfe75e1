//! The table and the JSON.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    bench::Round,
    row::{Row, Target},
};

/// The rows and what was measured of each.
pub(crate) struct Report {
    rows: Vec<(&'static Row, Vec<Round>)>,
}

/// The medians of a row. Each is taken by itself, so that the table adds up.
#[derive(Clone, Copy)]
struct Medians {
    a: f64,
    large: Option<f64>,
    b: Option<f64>,
    front: Option<f64>,
    unaudited: Option<f64>,
    /// The rate of b as a part of that without an audit log.
    kept: Option<f64>,
    c: f64,
}

impl Report {
    pub(crate) fn new(rows: &[&'static Row]) -> Self {
        Self { rows: rows.iter().map(|row| (*row, Vec::new())).collect() }
    }

    /// Adds a round of the row at `index`.
    pub(crate) fn add(&mut self, index: usize, round: Round) {
        self.rows[index].1.push(round);
    }

    /// Whether no target is missed.
    pub(crate) fn met(&self) -> bool {
        self.rows.iter().all(|(row, rounds)| Medians::of(rounds).met(row.target) != Some(false))
    }

    /// Every round, and what follows from them. Microseconds.
    pub(crate) fn json(&self) -> Value {
        let rows = self.rows.iter().map(|(row, rounds)| {
            let medians = Medians::of(rounds);
            let each: Vec<_> = rounds
                .iter()
                .map(|round| {
                    json!({
                        "a": round.echo,
                        "a_large": round.large_echo,
                        "b": round.keyreeve.map(|cost| cost.total),
                        "b_front": round.keyreeve.and_then(|cost| cost.front),
                        "b_unaudited": round.unaudited.map(|cost| cost.total),
                        "b_rate": round.keyreeve.map(|cost| cost.rate),
                        "b_unaudited_rate": round.unaudited.map(|cost| cost.rate),
                        "c": round.bare,
                    })
                })
                .collect();
            json!({
                "name": row.name,
                "title": row.title,
                "unit": match row.target {
                    Target::Latency(_) => "µs of median latency",
                    _ => "µs of CPU time per operation",
                },
                "a": medians.a,
                "a_large": medians.large,
                "b": medians.b,
                "b_front": medians.front,
                "b_unaudited": medians.unaudited,
                "rate_kept_by_the_audit_log": medians.kept,
                "c": medians.c,
                "ratio": medians.ratio(row.target),
                "target": row.target.value(),
                "target_is": row.target.to_string(),
                "met": medians.met(row.target),
                "rounds": each,
            })
        });
        json!({ "rows": rows.collect::<Vec<_>>() })
    }
}

impl Medians {
    fn of(rounds: &[Round]) -> Self {
        let costs = || rounds.iter().filter_map(|round| round.keyreeve);
        Self {
            a: median(rounds.iter().map(|round| round.echo)).unwrap_or(f64::NAN),
            large: median(rounds.iter().filter_map(|round| round.large_echo)),
            b: median(costs().map(|cost| cost.total)),
            front: median(costs().filter_map(|cost| cost.front)),
            unaudited: median(
                rounds.iter().filter_map(|round| round.unaudited).map(|cost| cost.total),
            ),
            kept: median(
                rounds
                    .iter()
                    .filter_map(|round| Some(round.keyreeve?.rate / round.unaudited?.rate)),
            ),
            c: median(rounds.iter().map(|round| round.bare)).unwrap_or(f64::NAN),
        }
    }

    /// b in terms of the target: a multiple, or what is above the limits.
    fn ratio(&self, target: Target) -> Option<f64> {
        let b = self.b?;
        Some(match target {
            Target::OfBoth(_) => b / (self.a + self.c),
            Target::OfBare(_) => b / self.c,
            Target::Latency(_) => b - (self.a + self.c),
        })
    }

    fn met(&self, target: Target) -> Option<bool> {
        Some(self.ratio(target)? <= target.value())
    }
}

impl Target {
    const fn value(self) -> f64 {
        match self {
            Self::OfBoth(value) | Self::OfBare(value) | Self::Latency(value) => value,
        }
    }

    /// `value` as the table shows it.
    fn show(self, value: f64) -> String {
        match self {
            Self::OfBoth(_) => format!("{value:.2}"),
            Self::OfBare(_) => format!("{value:.2} of c"),
            Self::Latency(_) => format!("{value:+.0} µs"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfBoth(value) => write!(f, "b ≤ {value} × (a + c)"),
            Self::OfBare(value) => write!(f, "b ≤ {value} × c"),
            Self::Latency(value) => write!(f, "b ≤ a + c + {value} µs"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["", "b Keyreeve", "a echo", "c bare", "a + c", "ratio", "target"];
        line(f, &head.map(str::to_owned), "")?;
        for (row, rounds) in &self.rows {
            let medians = Medians::of(rounds);
            let or_dash = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
            let cells = [
                row.title.to_owned(),
                or_dash(medians.b.map(micros)),
                micros(medians.a),
                micros(medians.c),
                micros(medians.a + medians.c),
                or_dash(medians.ratio(row.target).map(|ratio| row.target.show(ratio))),
                row.target.show(row.target.value()),
            ];
            let verdict = match medians.met(row.target) {
                Some(true) => "met",
                Some(false) => "MISSED",
                None => "",
            };
            line(f, &cells, verdict)?;
        }
        writeln!(
            f,
            "\nMicroseconds of CPU time per operation of everything that serves (p50: of \
             waiting), the median of {} rounds.",
            self.rows.first().map_or(0, |(_, rounds)| rounds.len()),
        )?;
        for (row, rounds) in &self.rows {
            let medians = Medians::of(rounds);
            if let (Some(b), Some(front)) = (medians.b, medians.front) {
                let hosts = b - front;
                writeln!(f, "{}: front {front:.1}, keyhosts {hosts:.1}.", row.title)?;
            }
            if let (Some(unaudited), Some(kept)) = (medians.unaudited, medians.kept) {
                let without = Medians { b: Some(unaudited), ..medians };
                let ratio = without.ratio(row.target).map(|ratio| row.target.show(ratio));
                writeln!(
                    f,
                    "{}: without the audit log {unaudited:.1}, ratio {}; with it, {:.0} % of \
                     the throughput.",
                    row.title,
                    ratio.unwrap_or_default(),
                    kept * 100.0,
                )?;
            }
            if let Some(large) = medians.large {
                writeln!(f, "{}: an echo of as many bytes takes {large:.1}.", row.title)?;
            }
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, cells: &[String; 7], verdict: &str) -> fmt::Result {
    let [title, b, a, c, sum, ratio, target] = cells;
    let line =
        format!("{title:28}{b:>11}{a:>10}{c:>10}{sum:>10}{ratio:>12}{target:>12}  {verdict}");
    writeln!(f, "{}", line.trim_end())
}

fn micros(value: f64) -> String {
    format!("{value:.1}")
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
