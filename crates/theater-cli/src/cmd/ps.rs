//! `theater ps` and `theater tree`: who lives in the live runs.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::json;

use crate::args::LiveArgs;
use crate::cmd::Outcome;
use crate::home::Home;
use crate::live::{LiveActor, Sockets, choose};
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;
use crate::ui::text::{bytes, clean, shorten};

pub(crate) fn list(args: &LiveArgs, printer: Printer) -> Result<Outcome, CliError> {
    let sockets = Sockets::of(&Home::locate()?);
    let runs = match &args.run {
        Some(run) => vec![choose(&sockets, Some(run))?.run_id().to_owned()],
        None => sockets.live()?,
    };
    let mut out = printer.data();
    if !args.json && !runs.is_empty() {
        writeln!(out, "{:<22}  {:<24}  {COLUMNS}", "RUN", "ACTOR").shown()?;
    }
    for run in &runs {
        // A run that has ended since is not live any more.
        let Ok(actors) = choose(&sockets, Some(run)).and_then(|run| run.actors()) else { continue };
        for actor in &actors {
            if args.json {
                writeln!(out, "{}", object(run, actor)).shown()?;
            } else {
                let name = clean(&actor.path);
                writeln!(out, "{run:<22}  {:<24}  {}", shorten(&name, 24), Columns(actor)).shown()?;
            }
        }
    }
    out.flush().shown()?;
    if runs.is_empty() {
        printer.note("no run is live");
    }
    Ok(Outcome::Fine)
}

pub(crate) fn tree(args: &LiveArgs, printer: Printer) -> Result<Outcome, CliError> {
    let run = choose(&Sockets::of(&Home::locate()?), args.run.as_deref())?;
    let actors = run.actors()?;
    let mut out = printer.data();
    if args.json {
        for actor in &actors {
            writeln!(out, "{}", object(run.run_id(), actor)).shown()?;
        }
    } else {
        writeln!(out, "{:<32}  {COLUMNS}", run.run_id()).shown()?;
        let mut lines = Vec::new();
        let children = by_parent(&actors);
        for root in children.get(&None).into_iter().flatten() {
            grow(&children, root, "", "", &mut lines);
        }
        for (branch, actor) in lines {
            writeln!(out, "{:<32}  {}", shorten(&branch, 32), Columns(actor)).shown()?;
        }
    }
    out.flush().shown()?;
    Ok(Outcome::Fine)
}

/// The actors by the path of who started them.
type Children<'a> = BTreeMap<Option<&'a str>, Vec<&'a LiveActor>>;

fn by_parent(actors: &[LiveActor]) -> Children<'_> {
    let mut children = Children::new();
    for actor in actors {
        children.entry(actor.parent.as_deref()).or_default().push(actor);
    }
    children
}

/// Adds an actor behind its branch, and its children below it. Parents live longer than their children, so every child
/// has its parent in the list.
fn grow<'a>(
    all: &Children<'a>,
    actor: &'a LiveActor,
    branch: &str,
    trunk: &str,
    lines: &mut Vec<(String, &'a LiveActor)>,
) {
    let name = actor.path.rsplit('/').next().unwrap_or(&actor.path);
    let life = if actor.incarnation > 1 { format!("#{}", actor.incarnation) } else { String::new() };
    lines.push((format!("{branch}{}{life}", clean(name)), actor));
    let children = all.get(&Some(actor.path.as_str())).map_or(&[][..], Vec::as_slice);
    for (number, child) in children.iter().enumerate() {
        let is_last = number + 1 == children.len();
        let (tip, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        grow(all, child, &format!("{trunk}{tip}"), &format!("{trunk}{below}"), lines);
    }
}

const COLUMNS: &str = "STATE     QUEUED    CALLS    DEAD   MEMORY          FUEL";

/// What there is to say of an actor, below [`COLUMNS`].
struct Columns<'a>(&'a LiveActor);

impl std::fmt::Display for Columns<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let LiveActor { state, queued, calls, dead, memory_bytes, fuel, .. } = self.0;
        write!(f, "{state:<8}  {queued:>6}  {calls:>7}  {dead:>6}  {:>7}  {fuel:>12}", bytes(*memory_bytes))?;
        match &self.0.waits_for {
            Some(whom) => write!(f, "  waits for {}", clean(whom)),
            None => Ok(()),
        }
    }
}

fn object(run: &str, actor: &LiveActor) -> serde_json::Value {
    json!({
        "schema": "theater.live-actor.1",
        "run": run,
        "actor": actor.path,
        "incarnation": actor.incarnation,
        "parent": actor.parent,
        "name": actor.name,
        "package": actor.package,
        "state": actor.state,
        "waits_for": actor.waits_for,
        "queued": actor.queued,
        "queued_bytes": actor.queued_bytes,
        "handled": actor.handled,
        "dead": actor.dead,
        "memory_bytes": actor.memory_bytes,
        "fuel": actor.fuel,
        "calls": actor.calls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(path: &str) -> LiveActor {
        let parent = path.rsplit_once('/').map(|(parent, _)| parent.to_owned());
        LiveActor {
            path: path.to_owned(),
            incarnation: if path == "root/b" { 2 } else { 1 },
            parent,
            name: "x".to_owned(),
            package: String::new(),
            state: "idle".to_owned(),
            waits_for: None,
            queued: 0,
            queued_bytes: 0,
            handled: 0,
            dead: 0,
            memory_bytes: 0,
            fuel: 0,
            calls: 0,
        }
    }

    #[test]
    fn tree_shows_who_started_whom() {
        let actors = ["root", "root/a", "root/a/deep", "root/b"].map(actor);
        let mut lines = Vec::new();
        grow(&by_parent(&actors), &actors[0], "", "", &mut lines);
        let branches: Vec<&str> = lines.iter().map(|(branch, _)| branch.as_str()).collect();
        assert_eq!(branches, ["root", "├─ a", "│  └─ deep", "└─ b#2"]);
    }
}
