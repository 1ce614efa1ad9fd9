//! How far long work is: a bar on the terminal of a person who waits, and nothing anywhere else.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ui::printer::Printer;

/// Work that takes less time than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(700);
/// Columns: what is done, a bar, how much of it, how long it will take.
const LINE: &str = "{msg} {bar:30} {percent:>3} % of {total}, {eta} left";
/// How often the bar is drawn, in a second.
const HERTZ: u8 = 10;

/// Work that is under way. The bar vanishes with it.
pub(crate) struct Progress {
    bar: ProgressBar,
    is_wanted: bool,
}

impl Progress {
    /// Begins work, called `what`, on so many pieces, of a kind that is called `pieces`.
    pub(crate) fn begin(printer: Printer, what: &'static str, total: u64, pieces: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template(LINE).expect("the template is a constant");
        let shown = move |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            // A line that cannot be written is not shown.
            write!(out, "{} {pieces}", state.len().unwrap_or(0)).ok();
        };
        bar.set_style(style.progress_chars("=> ").with_key("total", shown));
        bar.set_message(what);
        Self { bar, is_wanted: !printer.is_quiet() }
    }

    /// Tells that more pieces are done, from any thread.
    pub(crate) fn advance(&self, pieces: u64) {
        self.show_if_long();
        self.bar.inc(pieces);
    }

    /// Tells how many pieces are done, of how many, from any thread.
    pub(crate) fn reach(&self, done: u64, total: u64) {
        self.show_if_long();
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    fn show_if_long(&self) {
        // What is no terminal stays hidden all the same.
        if self.is_wanted && self.bar.is_hidden() && self.bar.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(HERTZ));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
