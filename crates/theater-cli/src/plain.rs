//! What verifying a run has shown, told to a reader who is no programmer, and what it cannot show.
//!
//! The text depends on the run and on what was asked, not on when or where it is made: two readers can compare theirs.

use std::fmt::Write;

use theater_chain::{Completeness, HeadCheck, Integrity, Report, RuntimeGenesis, SignerCheck, Witnesses};

use crate::ui::text::{Moment, clean, count};

const WIDTH: usize = 88;
const LABEL: usize = 16;

/// Returns the report. `genesis` is what the runtime said of itself, if that can be read.
pub(crate) fn report(report: &Report, genesis: Option<&RuntimeGenesis>) -> String {
    let mut text = format!("Report on the run {}\n", clean(&report.run_id));
    section(&mut text, "Conclusion", &[conclusion(report)]);
    section(&mut text, "What it is", &what_it_is(report, genesis));
    text.push_str("\nWhat was checked\n\n");
    for (label, found) in checks(report) {
        item(&mut text, &format!("  {label:<LABEL$}"), &found);
    }
    text.push_str("\nWhat this does not show\n\n");
    for limit in limits(report) {
        item(&mut text, "  - ", &limit);
    }
    text.push_str("\nHow to check it again\n\n");
    item(
        &mut text,
        "  ",
        "Install Theater, keep the record of the run as it is, and have the public key of its signer from somebody you trust. Then:",
    );
    let run_id = clean(&report.run_id);
    for command in [
        format!("theater verify RUN --head {} --key KEY", report.head),
        format!("python3 docs/verify.py RUN --head {} --key KEY", report.head),
    ] {
        let command = command.replace("RUN", "PATH-OF-THE-RUN");
        text.push_str(&format!("\n      {command}\n"));
    }
    text.push('\n');
    item(
        &mut text,
        "  ",
        &format!(
            "The second is an independent program that shares nothing with the first. Both must say that run {run_id} is intact."
        ),
    );
    text
}

fn section(text: &mut String, title: &str, paragraphs: &[String]) {
    text.push_str(&format!("\n{title}\n\n"));
    for paragraph in paragraphs {
        item(text, "  ", paragraph);
    }
}

/// Writes a paragraph with something before its first line; the others are indented as far.
fn item(text: &mut String, before: &str, paragraph: &str) {
    let indent = " ".repeat(before.chars().count());
    let mut line = before.to_owned();
    let mut is_first = true;
    for word in paragraph.split_whitespace() {
        if !is_first && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line.clone_from(&indent);
            is_first = true;
        }
        if !is_first {
            line.push(' ');
        }
        line.push_str(word);
        is_first = false;
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

fn conclusion(report: &Report) -> String {
    if report.is_proven() {
        let by = match (&report.signer, &report.head_check) {
            (SignerCheck::Known(key), _) => {
                format!("it was signed by {}, a key that the checker trusts", key.name())
            }
            _ => "the checker wrote its head down".to_owned(),
        };
        return format!(
            "This record is complete, and nothing in it was changed, removed, added or moved since {by}."
        );
    }
    let mut reasons = Vec::new();
    if let Integrity::Broken(_) = report.integrity {
        reasons.push("it was altered or damaged");
    }
    match report.completeness {
        Completeness::Closed => {}
        Completeness::Incomplete { .. } => reasons.push("it has no end: it was cut off, or the run goes on"),
        Completeness::Unknown => reasons.push("it could not be read to its end"),
    }
    match &report.signer {
        SignerCheck::Known(_) | SignerCheck::Unchecked => {}
        SignerCheck::Invalid { .. } => reasons.push("a signature on it does not hold"),
        SignerCheck::Partly { .. } => reasons.push("its signature does not reach its end"),
        SignerCheck::Unknown { .. } | SignerCheck::Unsigned if report.head_check == HeadCheck::Equal => {}
        SignerCheck::Unknown { .. } | SignerCheck::Unsigned => {
            reasons.push(
                "nobody whom the checker knows has signed it, so whoever kept it could have written it anew",
            );
        }
    }
    match report.head_check {
        HeadCheck::NotGiven | HeadCheck::Equal => {}
        HeadCheck::Earlier { .. } => reasons.push("it went on after the head that the checker wrote down"),
        HeadCheck::Differs { .. } => reasons.push("it is not the record whose head the checker wrote down"),
    }
    if !report.witnesses.missing.is_empty() {
        reasons.push("a witness that was asked for has not seen it");
    }
    format!("Do not rely on this record: {}.", reasons.join("; "))
}

fn what_it_is(report: &Report, genesis: Option<&RuntimeGenesis>) -> Vec<String> {
    let actors = report.chains.saturating_sub(1);
    let mut parts = vec![format!(
        "A record of what {} asked of the computer and what they were told: {} in all, in the order in which they happened.",
        count(actors, "program run"),
        count(report.events, "event")
    )];
    if let Some(genesis) = genesis {
        parts.push(format!(
            "It was made by Theater {} on {}, {}. The computer's clock said {} (UTC) when it began.",
            clean(&genesis.version),
            clean(&genesis.os),
            clean(&genesis.arch),
            Moment::from_unix(genesis.utc_us / 1_000_000).readable()
        ));
        if let Some(note) = &genesis.note {
            parts.push(format!("Whoever started it noted: \"{}\"", clean(note)));
        }
    }
    parts
}

fn checks(report: &Report) -> Vec<(&'static str, String)> {
    let integrity = match &report.integrity {
        Integrity::Intact => {
            "None was found. Every event was hashed again (SHA-256) and agrees with the head of the record."
                .to_owned()
        }
        Integrity::Broken(fault) => format!("Found. The first is here: {}", clean(&fault.to_string())),
    };
    let completeness = match report.completeness {
        Completeness::Closed => "The record has its end.".to_owned(),
        Completeness::Incomplete { torn_bytes: 0 } => "The record has no end.".to_owned(),
        Completeness::Incomplete { .. } => {
            "The record has no end; its last piece was being written when it was cut off, and does not count."
                .to_owned()
        }
        Completeness::Unknown => "Not known, because of the change that was found.".to_owned(),
    };
    let signature = match &report.signer {
        SignerCheck::Known(key) => {
            format!("By {}, which the checker trusts; it is over the whole record.", key.name())
        }
        SignerCheck::Partly { key, signed } => {
            format!("By {}, over the first {signed} of {} pieces only.", key.name(), report.head.size)
        }
        SignerCheck::Unknown { names } => {
            format!("Only by keys that the checker does not know: {}.", clean(&names.join(", ")))
        }
        SignerCheck::Unsigned => "None.".to_owned(),
        SignerCheck::Invalid { name } => format!("One that is said to be by {} is false.", clean(name)),
        SignerCheck::Unchecked => "Not checked, because of the change that was found.".to_owned(),
    };
    let mut checks = vec![
        ("Changes", integrity),
        ("Completeness", completeness),
        ("Signature", signature),
        ("Witnesses", witnesses(&report.witnesses)),
        ("Removed parts", removed(report)),
    ];
    let head = match report.head_check {
        HeadCheck::NotGiven => {
            format!("{}. The checker had none written down to compare it with.", report.head)
        }
        HeadCheck::Equal => format!("{}, as the checker has it written down.", report.head),
        HeadCheck::Earlier { given } => {
            format!("{}. The checker has {given}, an earlier one of this record.", report.head)
        }
        HeadCheck::Differs { given } => {
            format!("{}. The checker has {given}, which is another record's.", report.head)
        }
    };
    checks.push(("Head", head));
    checks
}

fn witnesses(witnesses: &Witnesses) -> String {
    let Witnesses { known, unknown, missing } = witnesses;
    let mut text = match known.as_slice() {
        [] => "Nobody whom the checker knows has seen this head.".to_owned(),
        known => format!("{} has seen this head.", known.join(" and ")),
    };
    if !unknown.is_empty() {
        write!(text, " Others claim to, whom the checker does not know: {}.", clean(&unknown.join(", ")))
            .expect("a string takes all");
    }
    if !missing.is_empty() {
        write!(text, " Asked for and missing: {}.", missing.join(", ")).expect("a string takes all");
    }
    text
}

fn removed(report: &Report) -> String {
    let redactions = &report.redactions;
    let mut text = match redactions.payloads {
        0 => "None.".to_owned(),
        payloads => format!(
            "The contents of {} were taken out by whoever passed the record on. That they happened, when, and in which order is still part of what was checked.",
            count(payloads, "event")
        ),
    };
    if !redactions.withheld.is_empty() {
        let withheld = redactions.withheld.len();
        write!(text, " {withheld} of its programs and their settings are not included.")
            .expect("a string takes all");
    }
    text
}

/// What no verification can show, and what this one did not.
fn limits(report: &Report) -> Vec<String> {
    let mut limits = vec![
        "That the times are right. They are what the clock of the computer said; it may have been wrong or set.".to_owned(),
        "That the programs were told the truth. What the computer answered (of files, the network, chance, the time) is recorded as it was answered. The parts of Theater that fetch such answers, and the computer itself, are trusted.".to_owned(),
        "That what came in from outside came from whom it names, or says what is so.".to_owned(),
        "That the programs are right, or do what their authors say. It shows what they did.".to_owned(),
        "That the programs would do the same again. `theater replay` shows that, from this record alone; it was not part of this check.".to_owned(),
        "That the key was in the right hands. Whoever has a secret key can sign another record with it.".to_owned(),
        "That there was no other run. A record that was thrown away leaves a gap only in the log of its computer, and only who has seen that log before can tell.".to_owned(),
    ];
    if report.redactions.payloads > 0 {
        limits.push("What the removed parts held, or that they mattered little.".to_owned());
    }
    if report.witnesses.known.is_empty() {
        limits.push("That the keeper of the key has not signed two versions of this run: no known witness has seen it.".to_owned());
    }
    if !report.is_proven() {
        limits.push("Anything that the conclusion says not to rely on.".to_owned());
    }
    limits
}

#[cfg(test)]
mod tests {
    use theater_chain::{Fault, FaultKind, Hash, Head, Redactions, Signer};

    use super::*;

    fn good() -> Report {
        Report {
            run_id: "20261125-193000-abc123".to_owned(),
            events: 1234,
            chains: 3,
            head: Head { size: 17, root: Hash([0xab; 32]) },
            integrity: Integrity::Intact,
            completeness: Completeness::Closed,
            signer: SignerCheck::Known(Signer::from_seed(&[1; 32]).public_key()),
            witnesses: Witnesses {
                known: vec!["theater.witness/0011223344556677".to_owned()],
                ..Witnesses::default()
            },
            redactions: Redactions::default(),
            head_check: HeadCheck::NotGiven,
        }
    }

    fn genesis() -> RuntimeGenesis {
        RuntimeGenesis {
            run_id: "20261125-193000-abc123".to_owned(),
            utc_us: 1_795_342_530_000_000,
            version: "0.1.0".to_owned(),
            revision: "unknown".to_owned(),
            os: "linux".to_owned(),
            arch: "x86_64".to_owned(),
            node_key: None,
            user: None,
            note: Some("the monthly\ncount".to_owned()),
        }
    }

    #[test]
    fn a_run_that_is_proven_reads_as_reviewed() {
        insta::assert_snapshot!(report(&good(), Some(&genesis())));
    }

    #[test]
    fn a_run_that_is_not_reads_as_reviewed() {
        let fault = Fault {
            file: "journal/000000.seg".to_owned(),
            offset: 4096,
            batch: Some(3),
            events: Vec::new(),
            what: FaultKind::Commitment,
        };
        let bad = Report {
            integrity: Integrity::Broken(fault),
            completeness: Completeness::Unknown,
            signer: SignerCheck::Unchecked,
            witnesses: Witnesses {
                missing: vec!["theater.witness/0011223344556677".to_owned()],
                ..Witnesses::default()
            },
            ..good()
        };
        insta::assert_snapshot!(report(&bad, None));
    }

    #[test]
    fn every_reason_not_to_rely_on_a_run_is_said() {
        let zero = Head { size: 1, root: Hash::ZERO };
        let cases = [
            (Report { signer: SignerCheck::Unsigned, ..good() }, "written it anew"),
            (Report { signer: SignerCheck::Invalid { name: "x".to_owned() }, ..good() }, "does not hold"),
            (Report { completeness: Completeness::Incomplete { torn_bytes: 3 }, ..good() }, "no end"),
            (Report { head_check: HeadCheck::Differs { given: zero }, ..good() }, "not the record"),
            (Report { head_check: HeadCheck::Earlier { given: zero }, ..good() }, "it went on"),
        ];
        for (case, reason) in cases {
            let text = report(&case, None).split_whitespace().collect::<Vec<_>>().join(" ");
            let (_, conclusion) = text.split_once("Do not rely on this record: ").expect("it warns");
            assert!(
                conclusion.split('.').next().is_some_and(|said| said.contains(reason)),
                "{reason}: {text}"
            );
        }
        let redacted = Report { redactions: Redactions { payloads: 2, ..Redactions::default() }, ..good() };
        assert!(report(&redacted, None).contains("What the removed parts held"));
    }
}
