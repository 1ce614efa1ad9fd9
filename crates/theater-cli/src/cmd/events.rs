//! `theater events`: what happened in a run, one line per event, in the order in which it was recorded.

use std::collections::VecDeque;
use std::path::Path;

use theater_chain::{Event, Run};

use crate::args::EventsArgs;
use crate::cmd::Outcome;
use crate::filter::Filter;
use crate::following::{self, Heard};
use crate::home::Home;
use crate::names::Names;
use crate::ui::error::CliError;
use crate::ui::pager::{Listing, Paging};
use crate::ui::printer::Printer;
use crate::{event_text, recorded};

/// Characters of a line that nobody's terminal limits.
const WIDTH_DEFAULT: usize = 160;

pub(crate) fn run(args: &EventsArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let dir = home.resolve(args.run.as_deref())?;
    let run = recorded::open(&dir)?;
    let filter = Filter::new(args, &dir, &run)?;
    let is_paged = !args.no_pager && !args.json && !args.follow;
    let paging = if is_paged { Paging::Auto } else { Paging::Never };
    let width = if args.full { usize::MAX } else { printer.width().unwrap_or(WIDTH_DEFAULT) };
    let mut shown = Shown {
        names: Names::of(&run),
        listing: Listing::begin(printer, paging),
        run_name: recorded::name(&dir),
        is_json: args.json,
        width,
        left: args.limit.unwrap_or(usize::MAX),
    };
    let outcome = match (args.follow, args.last) {
        (true, last) => shown.follow(&filter, last, &dir, printer)?,
        (false, Some(count)) => {
            shown.last(&run, &filter, count, &dir)?;
            Outcome::Fine
        }
        (false, None) => {
            shown.all(&run, &filter, &dir)?;
            Outcome::Fine
        }
    };
    shown.listing.end()?;
    Ok(outcome)
}

/// Events on their way to whoever reads them.
struct Shown<'r> {
    names: Names<'r>,
    listing: Listing,
    run_name: String,
    is_json: bool,
    width: usize,
    /// How many more are wanted.
    left: usize,
}

impl Shown<'_> {
    fn show(&mut self, event: &Event) -> Result<(), CliError> {
        self.left = self.left.saturating_sub(1);
        let line = if self.is_json {
            event_text::object(event, &mut self.names, &self.run_name).to_string()
        } else {
            event_text::line(event, &mut self.names, self.width)
        };
        self.listing.line(&line)
    }

    fn all(&mut self, run: &Run, filter: &Filter, dir: &Path) -> Result<(), CliError> {
        let mut events = run.select(filter.query.clone());
        while self.left > 0 {
            let Some(event) = events.next() else { break };
            let event = match event {
                Ok(event) => event,
                Err(error) => {
                    // What could be read was shown; the error comes after it.
                    self.listing.flush()?;
                    return Err(recorded::unreadable(dir, error));
                }
            };
            self.names.learn(&event);
            if filter.wants(&event, &mut self.names) {
                self.show(&event)?;
            }
        }
        Ok(())
    }

    fn last(&mut self, run: &Run, filter: &Filter, count: usize, dir: &Path) -> Result<(), CliError> {
        let names = &mut self.names;
        let events = run
            .last(&filter.query, count.min(self.left), |event| filter.wants(event, names))
            .map_err(|error| recorded::unreadable(dir, error))?;
        events.iter().try_for_each(|event| self.show(event))
    }

    /// Shows what is there, or the last of it, and then what is recorded from now on.
    fn follow(
        &mut self,
        filter: &Filter,
        last: Option<usize>,
        dir: &Path,
        printer: Printer,
    ) -> Result<Outcome, CliError> {
        let mut held = last.map(|count| (count, VecDeque::new()));
        following::follow(dir, printer, |heard| {
            match heard {
                Heard::Event(event) => {
                    self.names.learn(&event);
                    if !filter.wants(&event, &mut self.names) {
                        return Ok(self.left > 0);
                    }
                    let Some((count, held)) = &mut held else {
                        self.show(&event)?;
                        return Ok(self.left > 0);
                    };
                    held.push_back(event);
                    if held.len() > *count {
                        held.pop_front();
                    }
                }
                Heard::Pause => {
                    for event in held.take().into_iter().flat_map(|(_, held)| held) {
                        self.show(&event)?;
                    }
                    self.listing.flush()?;
                }
            }
            Ok(self.left > 0)
        })
    }
}
