//! `theater keys`: whose signatures count here, and the node's own key.

use std::io::Write;

use serde_json::json;
use theater::entropy;
use theater_chain::{KeyUse, PublicKey};

use crate::args::{KeysAction, KeysArgs};
use crate::cmd::Outcome;
use crate::home::Home;
use crate::keyring::{self, Known};
use crate::node;
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;

pub(crate) fn run(args: &KeysArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    match &args.action {
        None => list(&home, args.json, printer)?,
        Some(KeysAction::List { json }) => list(&home, *json, printer)?,
        Some(KeysAction::Trust { key, name }) => {
            let key = keyring::key_of(key)?;
            let label = name.clone().unwrap_or_else(|| key.name().replace(['/', ':'], "-"));
            keyring::trust(&home, &key, &label)?;
            printer.note(format_args!("{} is trusted as {label}", key.name()));
        }
        Some(KeysAction::Forget { name }) => keyring::forget(&home, name)?,
        Some(KeysAction::Export { witness }) => {
            let key = if *witness {
                node::witness_signer(&home)?.witness_key()
            } else {
                node::signer(&home)?.public_key()
            };
            print_key(&key, printer)?;
        }
        Some(KeysAction::Rotate) => {
            let seed = entropy::bytes::<32>()
                .map_err(|error| CliError::environment("failed to make a node key").because(error))?;
            let (old, new) = keyring::rotate(&home, &seed)?;
            printer.note(format_args!("{} is retired and still verifies what it has signed", old.name()));
            print_key(&new, printer)?;
        }
    }
    Ok(Outcome::Fine)
}

fn print_key(key: &PublicKey, printer: Printer) -> Result<(), CliError> {
    let mut out = printer.data();
    writeln!(out, "{key}").and_then(|()| out.flush()).shown()
}

fn list(home: &Home, json: bool, printer: Printer) -> Result<(), CliError> {
    let mut out = printer.data();
    let known = keyring::all(home)?;
    let width = known.iter().map(|known| known.label.chars().count()).max().unwrap_or(0);
    for Known { origin, label, key } in &known {
        if json {
            let usage = match key.usage() {
                KeyUse::Node => "node",
                KeyUse::Witness => "witness",
            };
            let line = json!({
                "schema": "theater.key.1", "name": label, "origin": origin.name(), "use": usage, "key": key.to_string(),
            });
            writeln!(out, "{line}").shown()?;
        } else {
            writeln!(out, "{:<11}  {label:<width$}  {key}", origin.name()).shown()?;
        }
    }
    if known.is_empty() {
        printer.note("no key is known: the first run makes one, `theater keys trust` adds those of others");
    }
    out.flush().shown()
}
