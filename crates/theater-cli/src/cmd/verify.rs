//! `theater verify`: what a run proves, and to whom.

use std::io::Write;
use std::path::Path;

use serde_json::json;
use theater_chain::{
    Completeness, Head, HeadCheck, Integrity, NotAHead, NotAPublicKey, PublicKey, Report, SignerCheck,
    VerifyOptions, verify,
};

use crate::args::VerifyArgs;
use crate::cmd::Outcome;
use crate::home::Home;
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;
use crate::{node, recorded};

/// Largest file that can hold a public key.
const KEY_FILE_BYTES_MAX: u64 = 4096;

pub(crate) fn run(args: &VerifyArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let head = args.head.as_deref().map(head_of).transpose()?;
    let mut keys: Vec<PublicKey> = node::public_key(&home)?.into_iter().collect();
    for word in &args.key {
        keys.push(key_of(word)?);
    }
    let dir = home.resolve(args.run.as_deref())?;
    let options = VerifyOptions { head, keys, ..VerifyOptions::default() };
    let report = verify(&dir, &options).map_err(|error| recorded::unreadable(&dir, error))?;
    let is_good = report.is_proven();
    let mut out = printer.data();
    if args.json {
        let object = object(&report, &recorded::name(&dir));
        writeln!(out, "{object}").shown()?;
    } else {
        writeln!(out, "{}", report.to_string().trim_end()).shown()?;
    }
    out.flush().shown()?;
    Ok(if is_good { Outcome::Fine } else { Outcome::Failed })
}

fn object(report: &Report, name: &str) -> serde_json::Value {
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
        "witnesses": {"known": report.witnesses.known, "unknown": report.witnesses.unknown},
        "redactions": {
            "payloads": report.redactions.payloads,
            "secret_dropped": report.redactions.is_secret_dropped,
            "withheld": report.redactions.withheld.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
        "given_head": match report.head_check {
            HeadCheck::NotGiven => "none",
            HeadCheck::Equal => "equal",
            HeadCheck::Earlier { .. } => "earlier",
            HeadCheck::Differs { .. } => "differs",
        },
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

/// Reads a key: the word itself, or the first line of the file that it names.
fn key_of(word: &str) -> Result<PublicKey, CliError> {
    let text = match std::fs::metadata(Path::new(word)) {
        Ok(file) if file.len() <= KEY_FILE_BYTES_MAX => std::fs::read_to_string(word)
            .map_err(|error| CliError::io(format!("failed to read the key in {word}"), error))?,
        _ => word.to_owned(),
    };
    let line = text.lines().next().unwrap_or_default().trim();
    line.parse().map_err(|error: NotAPublicKey| {
        CliError::environment(format!("`{word}` is neither a public key nor a file that holds one"))
            .because(error)
    })
}
