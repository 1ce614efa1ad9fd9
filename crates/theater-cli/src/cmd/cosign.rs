//! `theater cosign`: this machine as a witness of heads that others sign.

use std::path::{Path, PathBuf};

use theater::clock;
use theater_chain::{
    Hash, NodeLog, Note, SignerCheck, Statement, Trust, Witness, WitnessError, batch_commitments,
};

use crate::args::CosignArgs;
use crate::cmd::Outcome;
use crate::home::Home;
use crate::ui::error::CliError;
use crate::ui::printer::Printer;
use crate::{checkpoints, keyring, node, output, recorded};

pub(crate) fn run(args: &CosignArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let mut note = checkpoints::read(&args.file)?;
    let mut keys: Vec<_> = keyring::all(&home)?.into_iter().map(|known| known.key).collect();
    for word in &args.key {
        keys.push(keyring::key_for(word, theater_chain::KeyUse::Node)?);
    }
    check_signed(&note, keys)?;
    let leaves = match tree(&home, args.run.as_deref(), &note)? {
        Some(path) => Some(leaves(&path)?),
        None => None,
    };
    let witness = Witness::new(node::witness_signer(&home)?, home.witness());
    let time = clock::utc_us() / 1_000_000;
    witness.cosign(&mut note, leaves.as_deref(), time).map_err(refused)?;
    output::write(args.output.as_deref(), &note.to_string(), printer)?;
    Ok(Outcome::Fine)
}

/// A witness vouches for heads that their logs have signed, not for any text.
fn check_signed(note: &Note, keys: Vec<theater_chain::PublicKey>) -> Result<(), CliError> {
    let statement = Statement::of_checkpoint(note, &Trust { keys, ..Trust::default() });
    let what = match statement.signer {
        SignerCheck::Known(_) | SignerCheck::Partly { .. } => return Ok(()),
        SignerCheck::Unknown { names } => format!("it is signed by nobody known ({})", names.join(", ")),
        SignerCheck::Unsigned | SignerCheck::Unchecked => "it is not signed".to_owned(),
        SignerCheck::Invalid { name } => format!("the signature of {name} does not hold"),
    };
    Err(CliError::failed(format!("the checkpoint of {} is not cosigned: {what}", note.checkpoint.origin))
        .hint("`theater keys trust KEY` or `--key KEY` makes the key of its node known"))
}

/// Finds what shows that the head continues the one before: what was named, else what is in this home.
fn tree(home: &Home, word: Option<&str>, note: &Note) -> Result<Option<PathBuf>, CliError> {
    if let Some(word) = word {
        return home.resolve(Some(word)).map(Some);
    }
    let here = match note.checkpoint.run_id() {
        Some(id) => home.runs().join(id),
        None => home.log(),
    };
    // The log here is another node's if its name is another.
    let is_ours = match note.checkpoint.run_id() {
        Some(_) => recorded::is_run(&here),
        None => NodeLog::read(&here).is_ok_and(|log| log.origin() == note.checkpoint.origin),
    };
    Ok(is_ours.then_some(here))
}

fn leaves(path: &Path) -> Result<Vec<Hash>, CliError> {
    if is_log(path) {
        return Ok(NodeLog::read(path).map_err(checkpoints::unusable_log)?.leaves());
    }
    let run = recorded::open(path)?;
    batch_commitments(run.files()).map_err(|error| recorded::unreadable(path, error))
}

/// Says whether a folder is the log of a node.
pub(crate) fn is_log(path: &Path) -> bool {
    path.join("entries").is_file() && !path.join("journal").is_dir()
}

fn refused(error: WitnessError) -> CliError {
    let what = error.to_string();
    match error {
        WitnessError::Io { path, source } => {
            CliError::io(format!("failed to remember the head in {}", path.display()), source)
        }
        WitnessError::Damaged { .. } => CliError::environment(what)
            .hint("restore it from a copy: without it this witness could contradict itself"),
        WitnessError::Rewound { .. } | WitnessError::Forked { .. } => CliError::failed(what)
            .hint("keep both checkpoints: together they show that the log has two pasts"),
        WitnessError::NoProof { .. } => CliError::environment(what)
            .hint("name the run or the node's log that has this head: `--run PATH`"),
        WitnessError::OtherTree { .. } => {
            CliError::failed(what).hint("name the run or the node's log that the checkpoint was made of")
        }
    }
}
