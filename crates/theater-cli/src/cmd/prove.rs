//! `theater prove`: one event of a run in a file that is checked without the rest of it.

use theater_chain::{ChainIndex, ProveError, prove};

use crate::args::ProveArgs;
use crate::cmd::Outcome;
use crate::home::Home;
use crate::ui::error::CliError;
use crate::ui::printer::Printer;
use crate::{checkpoints, output, recorded};

pub(crate) fn run(args: &ProveArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let dir = home.resolve(Some(&args.run))?;
    let run = recorded::open(&dir)?;
    let (actor, seq) = place(&args.event)?;
    let chains = recorded::chains(&dir, &run)?;
    let chain = match recorded::chains_of(&chains, actor)?.as_slice() {
        [chain] => *chain,
        several => {
            let lives: Vec<_> = chains
                .iter()
                .filter(|chain| several.contains(&chain.index))
                .map(|chain| format!("{}:{seq}", recorded::label(chain)))
                .collect();
            return Err(CliError::environment(format!("`{actor}` has had {} lives", several.len()))
                .hint(format!("say which one: {}", lives.join(", "))));
        }
    };
    let note = match &args.checkpoint {
        Some(path) => checkpoints::read(path)?,
        None => checkpoints::of_run(&home, &dir, printer)?,
    };
    let proof =
        prove(run.files(), chain, seq, Some(note)).map_err(|error| unproven(&dir, args, chain, error))?;
    let proof = if args.without_payload { proof.without_payload() } else { proof };
    let text = proof
        .encode()
        .map_err(|error| CliError::environment("the proof cannot be written").because(error))?;
    output::write(args.output.as_deref(), &text, printer)?;
    Ok(Outcome::Fine)
}

/// Reads `ACTOR:SEQ`.
fn place(event: &str) -> Result<(&str, u64), CliError> {
    let parts = event.rsplit_once(':').and_then(|(actor, seq)| Some((actor, seq.parse().ok()?)));
    parts.filter(|(actor, _)| !actor.is_empty()).ok_or_else(|| {
        CliError::environment(format!("`{event}` names no event")).hint(
            "an event is ACTOR:NUMBER as `theater events` prints them: root:3, root/worker#2:17, or /:0 for the runtime's",
        )
    })
}

fn unproven(dir: &std::path::Path, args: &ProveArgs, chain: ChainIndex, error: ProveError) -> CliError {
    let what = error.to_string();
    match error {
        ProveError::Read(error) => recorded::unreadable(dir, error),
        ProveError::NoEvent { .. } => {
            CliError::environment(format!("there is no event {} (chain {chain})", args.event))
                .hint("`theater events` lists them")
        }
        ProveError::NotCovered { .. } => {
            CliError::environment(what).hint("`theater checkpoint` makes one that reaches it")
        }
        ProveError::OtherRun { .. } => CliError::failed(what)
            .hint("give a checkpoint of this run; if it is one, the run was altered since"),
    }
}
