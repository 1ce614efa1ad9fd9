//! What a person is told while a toolchain is set up or a guest is built.

use std::io::Write;

/// Receives what happens, line by line; the caller decides where it goes.
pub trait Progress {
    /// A step begins; a lowercase fragment such as `building the standard library`.
    fn step(&mut self, text: &str);
    /// A line of a command's own output.
    fn line(&mut self, text: &str);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn step(&mut self, _text: &str) {}
    fn line(&mut self, _text: &str) {}
}

/// Writes steps and lines to a stream, usually stderr.
#[derive(Debug)]
pub struct WriteProgress<W>(pub W);

impl<W: Write> Progress for WriteProgress<W> {
    fn step(&mut self, text: &str) {
        // A closed stderr must not fail a build.
        writeln!(self.0, "{text}").ok();
    }
    fn line(&mut self, text: &str) {
        writeln!(self.0, "{text}").ok();
    }
}
