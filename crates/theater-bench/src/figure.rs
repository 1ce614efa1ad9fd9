//! What is printed: one figure with its unit, its baseline and the circumstances.

use std::fmt;

use serde_json::{Value, json};

use crate::machine;

/// Name of the form of [`Figure::to_json`].
pub const SCHEMA: &str = "theater.bench.1";

/// What a figure counts, and with that which direction is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Nanoseconds for one of something.
    Nanoseconds,
    /// Microseconds for one of something.
    Microseconds,
    /// Milliseconds for one of something.
    Milliseconds,
    /// So many a second.
    PerSecond,
    /// Bytes for one of something.
    Bytes,
    /// KiB for one of something.
    Kibibytes,
    /// A plain number of which fewer are better.
    Count,
    /// How many times faster.
    Times,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
            Self::PerSecond => "1/s",
            Self::Bytes => "B",
            Self::Kibibytes => "KiB",
            Self::Count => "n",
            Self::Times => "x",
        }
    }

    const fn is_more_better(self) -> bool {
        match self {
            Self::PerSecond | Self::Times => true,
            Self::Nanoseconds
            | Self::Microseconds
            | Self::Milliseconds
            | Self::Bytes
            | Self::Kibibytes
            | Self::Count => false,
        }
    }
}

/// What something is compared with: its name and its value in the same unit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Baseline {
    pub(crate) what: &'static str,
    pub(crate) value: f64,
}

/// One measured figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: Unit,
    pub(crate) baseline: Option<Baseline>,
    /// Circumstances by name: payload, durability, recording.
    pub(crate) settings: Vec<(&'static str, String)>,
}

impl Figure {
    /// Returns the path of the figure, e.g. `chain/append/batched/100B`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how many times better than the baseline it is: above 1 it is better, below 1 it is worse.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let baseline = self.baseline.as_ref()?.value;
        let ratio = if self.unit.is_more_better() { self.value / baseline } else { baseline / self.value };
        ratio.is_finite().then_some(ratio)
    }

    /// Returns the figure as one JSON object of the schema [`SCHEMA`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut settings = serde_json::Map::new();
        if let Some(baseline) = &self.baseline {
            settings.insert("baseline".to_owned(), baseline.what.into());
        }
        for (name, value) in &self.settings {
            settings.insert((*name).to_owned(), value.as_str().into());
        }
        json!({
            "schema": SCHEMA,
            "name": self.name,
            "value": self.value,
            "unit": self.unit.name(),
            "baseline": self.baseline.as_ref().map(|baseline| baseline.value),
            "ratio": self.ratio(),
            "machine": machine::object(),
            "settings": settings,
        })
    }
}

impl fmt::Display for Figure {
    /// Writes one line: name, value, unit, baseline, ratio, circumstances.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit.name();
        write!(f, "{:<40} {:>12} {unit:<3}", self.name, shown(self.value))?;
        match (&self.baseline, self.ratio()) {
            (Some(Baseline { what, value }), Some(ratio)) => {
                write!(f, " {:>12} {unit:<3} {ratio:>7.2}x  of {what}", shown(*value))?;
            }
            _ => write!(f, " {:>12} {:<3} {:>8} ", "-", "", "-")?,
        }
        for (number, (name, value)) in self.settings.iter().enumerate() {
            write!(f, "{} {name} {value}", if number == 0 { ";" } else { "," })?;
        }
        Ok(())
    }
}

/// Four significant digits, large numbers in groups of three.
fn shown(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    if value < 1000.0 {
        let digits = if value < 10.0 { 2 } else { 1 };
        return format!("{value:.digits$}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(unit: Unit, value: f64, baseline: Option<f64>) -> Figure {
        Figure {
            name: "call/import/recorded/memory/64B".to_owned(),
            value,
            unit,
            baseline: baseline.map(|value| Baseline { what: "bare call", value }),
            settings: vec![("payload", "64 B".to_owned()), ("recording", "on".to_owned())],
        }
    }

    #[test]
    fn a_ratio_above_one_is_better_whatever_is_counted() {
        assert_eq!(figure(Unit::Nanoseconds, 50.0, Some(100.0)).ratio(), Some(2.0));
        assert_eq!(figure(Unit::PerSecond, 50.0, Some(100.0)).ratio(), Some(0.5));
        assert_eq!(figure(Unit::PerSecond, 50.0, None).ratio(), None);
        assert_eq!(figure(Unit::PerSecond, 50.0, Some(0.0)).ratio(), None);
    }

    #[test]
    fn a_line_names_everything() {
        let line = figure(Unit::Nanoseconds, 1_234_567.4, Some(60.0)).to_string();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[..5], ["call/import/recorded/memory/64B", "1,234,567", "ns", "60.0", "ns"]);
        assert!(line.ends_with("0.00x  of bare call; payload 64 B, recording on"), "{line}");
        let line = figure(Unit::PerSecond, 3.25, None).to_string();
        assert_eq!(line.split_whitespace().nth(3), Some("-"), "{line}");
    }

    #[test]
    fn an_object_has_the_fields_of_its_schema() {
        let object = figure(Unit::Nanoseconds, 50.0, Some(100.0)).to_json();
        let fields: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["schema", "name", "value", "unit", "baseline", "ratio", "machine", "settings"]);
        assert_eq!(object["schema"], SCHEMA);
        assert_eq!(object["ratio"], 2.0);
        assert_eq!(object["settings"]["baseline"], "bare call");
        assert_eq!(object["settings"]["payload"], "64 B");
        assert!(object["machine"]["cores"].as_u64().unwrap() > 0);
        let object = figure(Unit::Nanoseconds, 50.0, None).to_json();
        assert!(object["baseline"].is_null() && object["ratio"].is_null());
    }

    #[test]
    fn numbers_are_short_and_readable() {
        let texts = [0.5, 12.34, 999.94, 1000.0, 1_234_567.0, f64::NAN].map(shown);
        assert_eq!(texts, ["0.50", "12.3", "999.9", "1,000", "1,234,567", "-"]);
    }
}
