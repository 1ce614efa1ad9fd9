//! `theater verify`: what a run, a checkpoint, a proof or a node's log proves, and to whom.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use theater_chain::{
    Completeness, Head, HeadCheck, Integrity, KeyUse, NodeLog, NodeLogError, NotAHead, NotAStatement, Report,
    SignerCheck, Statement, Subject, Trust, VerifyOptions, Witnesses,
};

use crate::args::VerifyArgs;
use crate::cmd::{Outcome, cosign};
use crate::home::Home;
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;
use crate::{checkpoints, keyring, output, plain, recorded};

/// Largest proof that is read: a payload and some hashes.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// How a bundle begins.
const ZIP: &[u8] = b"PK";

pub(crate) fn run(args: &VerifyArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let trust = trust(args, &home)?;
    let path = if args.log { home.log() } else { what(args, &home)? };
    let is_good = if args.log || cosign::is_log(&path) {
        let log = NodeLog::read(&path).map_err(checkpoints::unusable_log)?;
        show_statement(args, &Statement::of_log(&log, &trust), printer)?
    } else if !path.is_dir() && !begins_as_bundle(&path)? && !recorded::is_named_as_bundle(&path) {
        show_statement(args, &statement(&path, &trust)?, printer)?
    } else {
        verify_run(args, &home, &path, trust, printer)?
    };
    Ok(if is_good { Outcome::Fine } else { Outcome::Failed })
}

fn trust(args: &VerifyArgs, home: &Home) -> Result<Trust, CliError> {
    let head = args.head.as_deref().map(head_of).transpose()?;
    let mut keys: Vec<_> = keyring::all(home)?.into_iter().map(|known| known.key).collect();
    for word in &args.key {
        keys.push(keyring::key_for(word, KeyUse::Node)?);
    }
    let witnesses = args.witness.iter().map(|word| keyring::key_for(word, KeyUse::Witness));
    Ok(Trust { keys, witnesses: witnesses.collect::<Result<_, _>>()?, head })
}

/// Finds what is meant: a run as every command does, else a file of this name.
fn what(args: &VerifyArgs, home: &Home) -> Result<PathBuf, CliError> {
    let word = args.run.as_deref();
    home.resolve(word).or_else(|error| match word.map(Path::new).filter(|path| path.is_file()) {
        Some(path) => Ok(path.to_owned()),
        None => Err(error),
    })
}

fn begins_as_bundle(path: &Path) -> Result<bool, CliError> {
    let mut first = Vec::new();
    let read = File::open(path).and_then(|file| file.take(2).read_to_end(&mut first));
    read.map_err(|error| CliError::io(format!("failed to read {}", path.display()), error))?;
    Ok(first == ZIP)
}

fn statement(path: &Path, trust: &Trust) -> Result<Statement, CliError> {
    let mut file = Vec::new();
    let read = File::open(path).and_then(|open| open.take(FILE_BYTES_MAX).read_to_end(&mut file));
    read.map_err(|error| CliError::io(format!("failed to read {}", path.display()), error))?;
    let shown = path.display();
    Statement::of_file(&file, trust).map_err(|error| match error {
        NotAStatement::Unknown => {
            CliError::environment(format!("{shown} cannot be verified")).because(error).hint(
                "`theater export`, `checkpoint` and `prove` write what can; it must be given whole and unchanged",
            )
        }
        NotAStatement::Proof(error) => CliError::failed(format!("{shown} proves nothing"))
            .because(error)
            .hint("it was altered or cut off: ask for it again"),
    })
}

fn verify_run(
    args: &VerifyArgs,
    home: &Home,
    dir: &Path,
    trust: Trust,
    printer: Printer,
) -> Result<bool, CliError> {
    let Trust { keys, witnesses, head } = trust;
    let checkpoint = args.checkpoint.as_deref().map(checkpoints::read).transpose()?;
    let options = VerifyOptions { head, keys, witnesses, checkpoint, ..VerifyOptions::default() };
    let report = recorded::verified(dir, options, printer)?;
    if let Some(path) = &args.report {
        let run = theater_chain::Run::open(dir).ok();
        let genesis = run.as_ref().and_then(recorded::runtime_genesis);
        output::write(Some(path), &plain::report(&report, genesis.as_ref()), printer)?;
    }
    let place = Place::of(&report, home);
    let is_good = report.is_proven() && !matches!(place, Place::Other { .. });
    let mut out = printer.data();
    if args.json {
        writeln!(out, "{}", object(&report, &recorded::name(dir), &place)).shown()?;
    } else {
        writeln!(out, "{}", report.to_string().trim_end()).shown()?;
        if let Some(line) = place.line() {
            writeln!(out, "log          {line}").shown()?;
        }
    }
    out.flush().shown()?;
    Ok(is_good)
}

/// Where a run is in the log of this node.
enum Place {
    /// It is not this node's, or did not end.
    Elsewhere,
    /// It is in the log.
    Entry { number: u64, entries: u64 },
    /// It is not.
    Missing,
    /// The log has another end of it.
    Other { head: Head },
    /// The log cannot tell.
    Broken(String),
}

impl Place {
    fn of(report: &Report, home: &Home) -> Self {
        let SignerCheck::Known(key) = &report.signer else { return Self::Elsewhere };
        let is_ours = keyring::all(home).is_ok_and(|known| {
            known.iter().any(|known| known.key == *key && known.origin != keyring::Origin::Trusted)
        });
        if !is_ours {
            return Self::Elsewhere;
        }
        let log = match NodeLog::read(&home.log()) {
            Ok(log) => log,
            Err(NodeLogError::Missing { .. }) => return Self::Missing,
            Err(error) => return Self::Broken(error.to_string()),
        };
        match log.find(&report.run_id).map(|at| (at, log.entries()[at].head)) {
            None => Self::Missing,
            Some((at, head)) if head == report.head => {
                Self::Entry { number: at as u64 + 1, entries: log.entries().len() as u64 }
            }
            Some((_, head)) => Self::Other { head },
        }
    }

    fn line(&self) -> Option<String> {
        match self {
            Self::Elsewhere => None,
            Self::Entry { number, entries } => {
                Some(format!("entry {number} of {entries} of this node's log"))
            }
            Self::Missing => Some("not in this node's log".to_owned()),
            Self::Other { head } => Some(format!("this node's log has another head of it: {head}")),
            Self::Broken(what) => Some(what.clone()),
        }
    }

    fn object(&self) -> serde_json::Value {
        match self {
            Self::Elsewhere => json!(null),
            Self::Entry { number, entries } => json!({"state": "entry", "entry": number, "entries": entries}),
            Self::Missing => json!({"state": "missing"}),
            Self::Other { head } => json!({"state": "other", "head": head.to_string()}),
            Self::Broken(what) => json!({"state": "broken", "fault": what}),
        }
    }
}

fn show_statement(args: &VerifyArgs, statement: &Statement, printer: Printer) -> Result<bool, CliError> {
    if args.checkpoint.is_some() || args.report.is_some() {
        let option = if args.checkpoint.is_some() { "--checkpoint" } else { "--report" };
        return Err(CliError::environment(format!("{option} goes with a run only"))
            .hint("a checkpoint, a proof or a log by itself is verified like this: theater verify FILE"));
    }
    let mut out = printer.data();
    if args.json {
        writeln!(out, "{}", statement_object(statement)).shown()?;
    } else {
        writeln!(out, "{statement}").shown()?;
    }
    out.flush().shown()?;
    Ok(statement.is_proven())
}

fn statement_object(statement: &Statement) -> serde_json::Value {
    let subject = match &statement.subject {
        Subject::Checkpoint { origin, is_closed } => {
            json!({"checkpoint": {"origin": origin, "closed": is_closed}})
        }
        Subject::Event { run_id, chain, header, payload_bytes } => json!({"event": {
            "run_id": run_id,
            "chain": chain,
            "seq": header.seq,
            "kind": header.kind.to_string(),
            "outcome": header.outcome.to_string(),
            "time_us": header.time_us,
            "payload_bytes": payload_bytes,
        }}),
        Subject::Log { origin, entries, signed } => {
            json!({"log": {"origin": origin, "entries": entries, "signed": signed}})
        }
    };
    json!({
        "schema": "theater.statement.1",
        "subject": subject,
        "proven": statement.is_proven(),
        "head": statement.head.to_string(),
        "signer": signer(&statement.signer),
        "witnesses": witnesses(&statement.witnesses),
        "given_head": head_check(&statement.head_check),
    })
}

fn witnesses(witnesses: &Witnesses) -> serde_json::Value {
    let Witnesses { known, unknown, missing } = witnesses;
    json!({"known": known, "unknown": unknown, "missing": missing})
}

fn head_check(check: &HeadCheck) -> &'static str {
    match check {
        HeadCheck::NotGiven => "none",
        HeadCheck::Equal => "equal",
        HeadCheck::Earlier { .. } => "earlier",
        HeadCheck::Differs { .. } => "differs",
    }
}

fn object(report: &Report, name: &str, place: &Place) -> serde_json::Value {
    let fault = match &report.integrity {
        Integrity::Intact => None,
        Integrity::Broken(fault) => Some(fault.to_string()),
    };
    let (completeness, torn_bytes) = match report.completeness {
        Completeness::Closed => ("closed", 0),
        Completeness::Incomplete { torn_bytes } => ("incomplete", torn_bytes),
        Completeness::Unknown => ("unknown", 0),
    };
    json!({
        "schema": "theater.verify.1",
        "run": name,
        "run_id": report.run_id,
        "proven": report.is_proven(),
        "events": report.events,
        "chains": report.chains,
        "head": report.head.to_string(),
        "integrity": {"intact": fault.is_none(), "fault": fault},
        "completeness": {"state": completeness, "torn_bytes": torn_bytes},
        "signer": signer(&report.signer),
        "witnesses": witnesses(&report.witnesses),
        "redactions": {
            "payloads": report.redactions.payloads,
            "secret_dropped": report.redactions.is_secret_dropped,
            "withheld": report.redactions.withheld.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
        "given_head": head_check(&report.head_check),
        "log": place.object(),
    })
}

fn signer(check: &SignerCheck) -> serde_json::Value {
    match check {
        SignerCheck::Known(key) => json!({"state": "known", "key": key.to_string()}),
        SignerCheck::Partly { key, signed } => {
            json!({"state": "partly", "key": key.to_string(), "batches": signed})
        }
        SignerCheck::Unknown { names } => json!({"state": "unknown", "names": names}),
        SignerCheck::Unsigned => json!({"state": "unsigned"}),
        SignerCheck::Invalid { name } => json!({"state": "invalid", "names": [name]}),
        SignerCheck::Unchecked => json!({"state": "unchecked"}),
    }
}

fn head_of(text: &str) -> Result<Head, CliError> {
    text.parse().map_err(|error: NotAHead| {
        CliError::environment(format!("`{text}` is no head"))
            .because(error)
            .hint("a head is printed when a run ends: SIZE:ROOT, a number and 64 hexadecimal digits")
    })
}
