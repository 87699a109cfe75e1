//! The text format of Prometheus, as far as it is needed: counters, gauges, histograms.

use std::fmt::{Display, Write as _};

/// A page of metrics, while it is written.
#[derive(Default)]
pub(super) struct Text {
    page: String,
    family: &'static str,
}

impl Text {
    /// Begins a family; the samples that follow are its own.
    pub(super) fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.family = name;
        // Writing to a string does not fail.
        let _ = writeln!(self.page, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One sample of the family, under its name and `suffix`.
    pub(super) fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        self.page.push_str(self.family);
        self.page.push_str(suffix);
        for (place, (name, value)) in labels.iter().enumerate() {
            self.page.push(if place == 0 { '{' } else { ',' });
            self.page.push_str(name);
            self.page.push_str("=\"");
            for letter in value.chars() {
                match letter {
                    '\\' => self.page.push_str("\\\\"),
                    '"' => self.page.push_str("\\\""),
                    '\n' => self.page.push_str("\\n"),
                    letter => self.page.push(letter),
                }
            }
            self.page.push('"');
        }
        if !labels.is_empty() {
            self.page.push('}');
        }
        let _ = writeln!(self.page, " {value}");
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        self.page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a label that ends early and lets the rest of its value be read as
    /// something else.
    #[test]
    fn what_is_in_a_label_stays_in_it() {
        let mut text = Text::default();
        text.family("a_total", "counter", "What it counts.");
        text.sample("", &[], 1);
        text.sample("_sum", &[("x", "a\"} 9\n"), ("y", "\\")], 0.5);
        assert_eq!(
            text.finish(),
            "# HELP a_total What it counts.\n# TYPE a_total counter\na_total 1\n\
             a_total_sum{x=\"a\\\"} 9\\n\",y=\"\\\\\"} 0.5\n"
        );
    }
}
