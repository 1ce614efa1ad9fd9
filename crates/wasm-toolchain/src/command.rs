//! Runs a command and keeps what it said, so that an error can show it.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::progress::Progress;

/// How much of a command's output an error keeps, counted from its end.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// A command that could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The program could not be started or its output not be read.
    #[error("failed to run `{command}`")]
    Io {
        /// The program and its arguments.
        command: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The program ended with a failure.
    #[error("`{command}` failed ({status}){}", tail(output))]
    Failed {
        /// The program and its arguments.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it printed.
        output: String,
    },
    /// The program was stopped because it made no sound for too long.
    #[error("`{command}` printed nothing for {seconds} seconds and was stopped")]
    Silent {
        /// The program and its arguments.
        command: String,
        /// The limit that it ran into.
        seconds: u64,
    },
}

impl CommandError {
    /// Returns the end of what the command printed, if it ran.
    #[must_use]
    pub fn output(&self) -> &str {
        match self {
            Self::Failed { output, .. } => output,
            Self::Io { .. } | Self::Silent { .. } => "",
        }
    }
}

/// The last lines of an output, indented, for an error message.
fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().filter(|line| !line.trim().is_empty()).collect();
    let start = lines.len().saturating_sub(6);
    lines[start..].iter().map(|line| format!("\n  | {line}")).collect()
}

/// The command line as a person would type it.
pub(crate) fn display(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Runs a command to its end and returns its stdout.
pub(crate) fn capture(command: &mut Command) -> Result<String, CommandError> {
    let name = display(command);
    let output = command.stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } =
        output.map_err(|source| CommandError::Io { command: name.clone(), source })?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let mut text = String::from_utf8_lossy(&stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&stderr));
    Err(CommandError::Failed { command: name, status, output: keep_end(text) })
}

/// What a streamed command left behind.
pub(crate) struct Streamed {
    pub(crate) status: ExitStatus,
    /// Every line of stdout.
    pub(crate) stdout: Vec<String>,
    /// The end of stderr.
    pub(crate) stderr: String,
}

/// Runs a command and passes the lines of its stderr on while it runs; stdout is collected.
///
/// With `silence_max`, a command that prints nothing for that long is stopped.
pub(crate) fn stream(
    command: &mut Command,
    silence_max: Option<Duration>,
    progress: &mut dyn Progress,
) -> Result<Streamed, CommandError> {
    let name = display(command);
    let io = |source| CommandError::Io { command: name.clone(), source };
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(io)?;
    let (sender, receiver) = channel();
    let readers = [
        read_lines(child.stdout.take(), sender.clone(), Line::Out),
        read_lines(child.stderr.take(), sender, Line::Err),
    ];
    let lines = collect(&receiver, silence_max, progress);
    let Some((stdout, stderr)) = lines else {
        stop(&mut child);
        let seconds = silence_max.map_or(0, |limit| limit.as_secs());
        return Err(CommandError::Silent { command: name, seconds });
    };
    for reader in readers {
        // A reader ends with its pipe and cannot panic; the lines have arrived.
        reader.join().ok();
    }
    let status = child.wait().map_err(io)?;
    Ok(Streamed { status, stdout, stderr: keep_end(stderr) })
}

/// Like [`stream`], for a command whose output matters only if it fails.
pub(crate) fn stream_ok(
    command: &mut Command,
    silence_max: Option<Duration>,
    progress: &mut dyn Progress,
) -> Result<(), CommandError> {
    let name = display(command);
    let Streamed { status, stdout, stderr } = stream(command, silence_max, progress)?;
    if status.success() {
        return Ok(());
    }
    Err(CommandError::Failed { command: name, status, output: keep_end(stdout.join("\n") + "\n" + &stderr) })
}

enum Line {
    Out(String),
    Err(String),
}

fn read_lines<R: Read + Send + 'static>(
    pipe: Option<R>,
    sender: Sender<Line>,
    kind: fn(String) -> Line,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let Some(pipe) = pipe else { return };
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            bytes.clear();
            if sender.send(kind(text)).is_err() {
                return;
            }
        }
    })
}

/// Collects until both pipes are closed; `None` if nothing came for too long.
fn collect(
    receiver: &Receiver<Line>,
    silence_max: Option<Duration>,
    progress: &mut dyn Progress,
) -> Option<(Vec<String>, String)> {
    let (mut stdout, mut stderr) = (Vec::new(), String::new());
    loop {
        let line = match silence_max {
            Some(limit) => receiver.recv_timeout(limit),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match line {
            Ok(Line::Out(text)) => stdout.push(text),
            Ok(Line::Err(text)) => {
                progress.line(&text);
                stderr.push_str(&text);
                stderr.push('\n');
            }
            Err(RecvTimeoutError::Disconnected) => return Some((stdout, stderr)),
            Err(RecvTimeoutError::Timeout) => return None,
        }
    }
}

fn stop(child: &mut Child) {
    // It may have ended by itself in between; either way it is gone afterwards.
    child.kill().ok();
    child.wait().ok();
}

fn keep_end(mut text: String) -> String {
    if text.len() > OUTPUT_BYTES_MAX {
        let mut start = text.len() - OUTPUT_BYTES_MAX;
        while !text.is_char_boundary(start) {
            start += 1;
        }
        text.drain(..start);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Quiet;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_shows_the_end_of_what_was_printed() {
        let error = capture(&mut sh("echo first; echo reason >&2; exit 3")).expect_err("exit 3");
        assert!(error.output().contains("first\nreason"), "{error}");
        assert!(error.to_string().ends_with("  | first\n  | reason"), "{error}");
    }

    #[test]
    fn a_command_that_cannot_start_is_named() {
        let error = capture(&mut Command::new("/nonexistent/rustc")).expect_err("no such file");
        assert_eq!(error.to_string(), "failed to run `/nonexistent/rustc`");
    }

    #[test]
    fn a_silent_command_is_stopped() {
        let limit = Some(Duration::from_millis(50));
        let error = stream_ok(&mut sh("exec sleep 600"), limit, &mut Quiet).expect_err("stopped");
        assert!(matches!(error, CommandError::Silent { .. }), "{error}");
    }

    #[test]
    fn stderr_is_passed_on_and_stdout_collected() {
        let mut seen = Vec::new();
        let mut progress = crate::progress::WriteProgress(&mut seen);
        let streamed = stream(&mut sh("echo out; echo err >&2"), None, &mut progress).expect("runs");
        assert_eq!((streamed.stdout, streamed.stderr), (vec!["out".to_owned()], "err\n".to_owned()));
        assert_eq!(seen, b"err\n");
    }

    #[test]
    fn a_long_output_keeps_its_end() {
        let kept = keep_end("ä".repeat(OUTPUT_BYTES_MAX) + "end");
        assert!(kept.len() <= OUTPUT_BYTES_MAX && kept.ends_with("end"));
    }
}
