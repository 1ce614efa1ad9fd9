//! The matrix as a table, and whether every outcome is the one that it must be.

use std::collections::BTreeSet;
use std::fmt;

use pack_abi::Value;

use crate::call::Outcome;
use crate::cases::{Case, Host, Sdk};

/// A call, and what both hosts made of it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) case: Case,
    pub(crate) ours: Outcome,
    pub(crate) pack: Outcome,
}

impl Line {
    fn outcome(&self, host: Host) -> &Outcome {
        match host {
            Host::Ours => &self.ours,
            Host::Pack => &self.pack,
        }
    }

    /// Compares bytes and texts; of a failed host, how its words begin.
    fn is_right(&self, host: Host) -> bool {
        match (self.case.expected_in(host), self.outcome(host)) {
            (Outcome::Failed(expected), Outcome::Failed(found)) => found.starts_with(expected),
            (expected, found) => found == expected,
        }
    }

    fn cell(&self, host: Host) -> String {
        let text = match self.outcome(host) {
            Outcome::Value(bytes) => format!("value, {} bytes", bytes.len()),
            Outcome::Error(_) => "error of the guest".to_owned(),
            Outcome::Refused(_) => "arguments refused".to_owned(),
            Outcome::Trap => "trap".to_owned(),
            Outcome::Failed(_) => "the host failed".to_owned(),
        };
        let known = self.case.difference.as_ref().filter(|difference| difference.host == host);
        match (self.is_right(host), known) {
            (false, _) => format!("WRONG: {text}"),
            (true, Some(difference)) => format!("{text}: {}", difference.reason),
            (true, None) => text,
        }
    }
}

/// The whole matrix.
#[derive(Debug)]
pub(crate) struct Matrix {
    lines: Vec<Line>,
}

impl Matrix {
    pub(crate) fn new(lines: Vec<Line>) -> Self {
        Self { lines }
    }

    /// Whether each host did with each call what it must.
    pub(crate) fn is_right(&self) -> bool {
        self.wrong().next().is_none()
    }

    fn wrong(&self) -> impl Iterator<Item = (&Line, Host)> {
        let both = self.lines.iter().flat_map(|line| [(line, Host::Ours), (line, Host::Pack)]);
        both.filter(|(line, host)| !line.is_right(*host))
    }

    fn packages(&self, sdk: Sdk) -> usize {
        let packages = self.lines.iter().filter(|line| line.case.sdk == sdk).map(|line| line.case.package);
        packages.collect::<BTreeSet<_>>().len()
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = ["package", "function", "shape", "our host", "Pack's host"].map(str::to_owned);
        let rows = self.lines.iter().map(|line| {
            let Case { sdk, package, shape, .. } = &line.case;
            [
                format!("{}/{package}", sdk.name()),
                line.case.function().to_owned(),
                (*shape).to_owned(),
                line.cell(Host::Ours),
                line.cell(Host::Pack),
            ]
        });
        let rows: Vec<[String; 5]> = std::iter::once(heading).chain(rows).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 4] = std::array::from_fn(width);
        for row in &rows {
            for (text, width) in row.iter().zip(&widths) {
                write!(f, "{text:width$}  ")?;
            }
            writeln!(f, "{}", row[4])?;
        }
        writeln!(
            f,
            "\nEvery value is compared byte for byte; every call of our host is verified and replayed."
        )?;
        for (line, host) in self.wrong() {
            let Case { sdk, package, shape, .. } = &line.case;
            writeln!(f, "wrong: {}/{package}.{}, {shape}, in {host:?}", sdk.name(), line.case.function())?;
            writeln!(f, "  expected  {}", told(line.case.expected_in(host)))?;
            writeln!(f, "  found     {}", told(line.outcome(host)))?;
        }
        let (pack, theater) = (self.packages(Sdk::Pack), self.packages(Sdk::Theater));
        let (calls, wrong) = (self.lines.len(), self.wrong().count());
        let known = self.lines.iter().filter(|line| line.case.difference.is_some()).count();
        writeln!(
            f,
            "{pack} packages of Pack, {theater} of ours, {calls} calls in each host: \
             {known} known differences, {wrong} wrong"
        )
    }
}

/// Returns an outcome as a person reads it.
fn told(outcome: &Outcome) -> String {
    const CHARS: usize = 300;
    let text = match outcome {
        Outcome::Value(bytes) => match pack_abi::decode::<Value>(bytes) {
            Ok(value) => value.to_string(),
            Err(error) => format!("{} bytes that are no value: {error}", bytes.len()),
        },
        Outcome::Error(text) => format!("error of the guest: {text}"),
        Outcome::Refused(text) => format!("arguments refused: {text}"),
        Outcome::Trap => "trap".to_owned(),
        Outcome::Failed(text) => format!("the host failed: {text}"),
    };
    text.chars().take(CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases;

    fn right() -> Vec<Line> {
        let line = |case: Case| Line {
            ours: case.expected_in(Host::Ours).clone(),
            pack: case.expected_in(Host::Pack).clone(),
            case,
        };
        cases::all().into_iter().map(line).collect()
    }

    #[test]
    fn one_wrong_outcome_in_either_host_is_found_and_shown() {
        assert!(Matrix::new(right()).is_right());
        for at in 0..right().len() {
            for host in [Host::Ours, Host::Pack] {
                let mut lines = right();
                let outcome = match host {
                    Host::Ours => &mut lines[at].ours,
                    Host::Pack => &mut lines[at].pack,
                };
                *outcome = Outcome::Value(vec![0]);
                let matrix = Matrix::new(lines);
                assert!(!matrix.is_right());
                let text = matrix.to_string();
                assert_eq!(text.matches("WRONG: value, 1 bytes").count(), 1, "{text}");
                assert!(text.contains("1 bytes that are no value"), "{text}");
            }
        }
    }

    #[test]
    fn a_known_difference_that_is_gone_is_wrong() {
        let mut lines = right();
        let known = lines.iter_mut().filter(|line| line.case.difference.is_some());
        let count = known
            .map(|line| (line.ours, line.pack) = (line.case.expected.clone(), line.case.expected.clone()))
            .count();
        assert!(count > 0);
        assert_eq!(Matrix::new(lines).wrong().count(), count);
    }

    #[test]
    fn there_are_twelve_packages_of_each_sdk_at_least() {
        let matrix = Matrix::new(right());
        assert!(Sdk::ALL.into_iter().all(|sdk| matrix.packages(sdk) >= 12), "{matrix}");
    }
}
