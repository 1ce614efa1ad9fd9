//! `interop GUESTS PACK_HOST`: runs packages built with two SDKs in two hosts and prints what each call came to.
//!
//! [`cases`] says which export of which package is called with what, and what it must come to; GUESTS is the folder of
//! the built packages. [`ours`] runs them here. Pack's own host is a program in a workspace of its own
//! (`interop/host`), because it links another engine; [`call`] is what it is told and answers. [`matrix`] compares.

mod call;
mod cases;
mod handlers;
mod matrix;
mod ours;

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use call::{Call, Outcome};
use matrix::{Line, Matrix};

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [guests, pack_host] = words.as_slice() else {
        drop(writeln!(std::io::stderr(), "usage: interop GUESTS PACK_HOST"));
        return ExitCode::from(2);
    };
    match run(guests, pack_host).await {
        Ok(matrix) if matrix.is_right() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "error: {error}"));
            ExitCode::from(2)
        }
    }
}

async fn run(guests: &Path, pack_host: &Path) -> Result<Matrix, Box<dyn Error>> {
    let host = ours::Host::new()?;
    let cases = cases::all();
    let (mut calls, mut ours) = (Vec::new(), Vec::new());
    for case in &cases {
        let wasm = guests.join(case.file());
        let (outcome, asked) = host.run(case, &wasm).await;
        ours.push(outcome);
        let (wasm, export, input) = (wasm.display().to_string(), case.export.to_owned(), case.input.clone());
        calls.push(Call { wasm, export, input, asked });
    }
    let theirs = in_pack(pack_host, &calls)?;
    let lines = cases.into_iter().zip(ours).zip(theirs);
    let matrix = Matrix::new(lines.map(|((case, ours), pack)| Line { case, ours, pack }).collect());
    write!(std::io::stdout().lock(), "{matrix}")?;
    Ok(matrix)
}

/// Lets Pack's host make the calls; where it ends before its time, outcomes are missing.
fn in_pack(program: &Path, calls: &[Call]) -> Result<Vec<Outcome>, Box<dyn Error>> {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    // It reads everything before it answers anything.
    let mut input = child.stdin.take().ok_or("no stdin")?;
    for call in calls {
        writeln!(input, "{}", serde_json::to_string(call)?)?;
    }
    drop(input);
    let output = child.wait_with_output()?;
    let mut outcomes: Vec<Outcome> =
        output.stdout.lines().map_while(|line| serde_json::from_str(&line.ok()?).ok()).collect();
    let missing = Outcome::Failed(format!("Pack's host ended with {}", output.status));
    outcomes.resize(calls.len(), missing);
    Ok(outcomes)
}
