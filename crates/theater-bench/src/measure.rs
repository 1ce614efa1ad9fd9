//! How time is taken: subject and baseline in turns, several rounds, the median of each.

#![expect(clippy::disallowed_methods, reason = "measuring is reading the clock")]

use std::time::{Duration, Instant};

use crate::groups::Failure;

/// One round: does its work and returns what it measured, in the unit of its figure.
pub(crate) type Round<'a> = Box<dyn FnMut() -> Result<f64, Failure> + 'a>;

/// Medians of a subject and of its baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Medians {
    pub(crate) value: f64,
    pub(crate) baseline: Option<f64>,
}

/// Runs both in turns, once to warm up and then `rounds` times.
pub(crate) fn in_turns(
    rounds: u32,
    mut subject: Round<'_>,
    mut baseline: Option<Round<'_>>,
) -> Result<Medians, Failure> {
    let (mut values, mut baselines) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let value = subject()?;
        let other = baseline.as_mut().map(|baseline| baseline()).transpose()?;
        if round > 0 {
            values.push(value);
            baselines.extend(other);
        }
    }
    Ok(Medians { value: median(&mut values).unwrap_or(f64::NAN), baseline: median(&mut baselines) })
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        return Some((values.get(middle.checked_sub(1)?)? + values.get(middle)?) / 2.0);
    }
    values.get(middle).copied()
}

/// Returns how long `work` takes.
pub(crate) fn time<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<(Duration, T), Failure> {
    let start = Instant::now();
    let result = work()?;
    Ok((start.elapsed(), result))
}

/// Returns the nanoseconds that each of `count` took.
pub(crate) fn nanoseconds_each(
    count: u32,
    work: impl FnOnce() -> Result<(), Failure>,
) -> Result<f64, Failure> {
    let (took, ()) = time(work)?;
    Ok(took.as_secs_f64() * 1e9 / f64::from(count))
}

/// Returns how many of `count` were done a second.
pub(crate) fn rate(count: u32, work: impl FnOnce() -> Result<(), Failure>) -> Result<f64, Failure> {
    let (took, ()) = time(work)?;
    Ok(f64::from(count) / took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_middle_ones() {
        assert_eq!(median(&mut [3.0, 1.0, 9.0]), Some(3.0));
        assert_eq!(median(&mut [4.0, 1.0, 9.0, 2.0]), Some(3.0));
        assert_eq!(median(&mut [7.0]), Some(7.0));
        assert_eq!(median(&mut []), None);
    }

    #[test]
    fn rounds_alternate_and_the_first_does_not_count() {
        let order = std::cell::RefCell::new(String::new());
        let mut values = [100.0, 1.0, 2.0, 3.0].into_iter();
        let subject = Box::new(|| {
            order.borrow_mut().push('s');
            values.next().ok_or_else(|| "too many rounds".into())
        });
        let baseline: Round<'_> = Box::new(|| {
            order.borrow_mut().push('b');
            Ok(5.0)
        });
        let medians = in_turns(3, subject, Some(baseline)).unwrap();
        assert_eq!(medians, Medians { value: 2.0, baseline: Some(5.0) });
        assert_eq!(order.into_inner(), "sbsbsbsb");
    }
}
