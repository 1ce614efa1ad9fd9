//! Drives one run from its start to its close, with an ear for signals and for its control socket.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use theater::actor::ExitReport;
use theater::{
    CloseError, ClosedRun, Launched, Linked, RuntimeOptions, SpawnError, StartError, TheaterRuntime,
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::live::{Sockets, serve};
use crate::ui::error::{CliError, FULL, is_full};
use crate::ui::printer::Printer;

/// How a run is reached from outside while it lives.
pub(crate) struct Reach {
    pub(crate) sockets: Sockets,
    /// Whether it stays when nothing is left to do.
    pub(crate) is_kept: bool,
}

/// A run that was closed, whatever its actor did.
pub(crate) struct Ended {
    pub(crate) closed: ClosedRun,
    pub(crate) report: Arc<ExitReport>,
    /// Whether a person ended it.
    pub(crate) is_interrupted: bool,
}

/// A run that did not come to its close.
pub(crate) enum Failure {
    /// Signals cannot be heard, so the run was not started.
    Signals(io::Error),
    /// Nobody can reach a run that waits to be reached.
    Reach(CliError),
    /// The run could not be started.
    Start(StartError),
    /// The actor could not be set up.
    Spawn(SpawnError),
    /// The run could not be recorded to its end.
    Record(CloseError),
    /// A person did not want to wait for its end.
    Interrupted,
}

impl Failure {
    /// Returns the error to end with.
    pub(crate) fn explained(self) -> CliError {
        match self {
            Self::Signals(error) => CliError::io("failed to listen for signals", error),
            Self::Reach(error) => error,
            Self::Start(error) => {
                with_disk_hint(CliError::environment("the run could not be started").because(error))
            }
            Self::Spawn(error) => {
                with_disk_hint(CliError::environment("the actor could not be set up").because(error))
            }
            Self::Record(error) => with_disk_hint(
                CliError::environment("the run could not be recorded to its end").because(error),
            ),
            Self::Interrupted => CliError::interrupted("interrupted: the run is left without its end"),
        }
    }
}

/// Adds what helps if the disk is full.
fn with_disk_hint(error: CliError) -> CliError {
    let mut cause = std::error::Error::source(&error);
    while let Some(source) = cause {
        // The journal keeps its error for every later caller, and so behind an `Arc`.
        let shared = source.downcast_ref::<Arc<io::Error>>().map(|error| error.kind());
        let kind = source.downcast_ref::<io::Error>().map(io::Error::kind).or(shared);
        if kind.is_some_and(is_full) {
            return error.hint(FULL);
        }
        cause = source.source();
    }
    error
}

/// Ctrl-C and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Interrupt,
    Terminate,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.interrupt.recv() => Order::Interrupt,
            _ = self.terminate.recv() => Order::Terminate,
        }
    }
}

/// Runs an actor until it ends by itself, or is told to end, and closes the run.
pub(crate) async fn drive(
    linked: &Linked,
    options: RuntimeOptions,
    reach: &Reach,
    printer: Printer,
) -> Result<Ended, Failure> {
    let mut signals = Signals::listen().map_err(Failure::Signals)?;
    let runtime = TheaterRuntime::start(options).map_err(Failure::Start)?;
    listen(reach, &runtime, printer).map_err(Failure::Reach)?;
    let launched = runtime.launch_root(linked).map_err(Failure::Spawn)?;
    let kept = if reach.is_kept { runtime.live().keep_alive() } else { None };
    let control = launched.control();
    let mut ended = pin!(ended(launched));
    let (mut orders, mut is_interrupted) = (0, false);
    let report = loop {
        let order = tokio::select! {
            report = &mut ended => break report?,
            order = signals.next() => order,
        };
        is_interrupted |= order == Order::Interrupt;
        orders += 1;
        match orders {
            1 => {
                printer.note(format_args!("stopping, children first; once more to end it now"));
                control.stop();
            }
            2 => control.kill(),
            _ => return Err(Failure::Interrupted),
        }
    };
    drop(kept);
    let closed = runtime.close(&report).await.map_err(Failure::Record)?;
    Ok(Ended { closed, report, is_interrupted })
}

/// Lets others reach the run, and says so if it is there to be reached. A run that is not goes on without.
fn listen(reach: &Reach, runtime: &TheaterRuntime, printer: Printer) -> Result<(), CliError> {
    let live = runtime.live();
    let id = live.id().to_owned();
    let failed = |error| CliError::io("failed to listen to the control socket", error);
    let served = reach.sockets.listen(&id).and_then(|listening| serve(listening, live).map_err(failed));
    match served {
        Ok(()) if reach.is_kept => {
            printer.note(format_args!(
                "run {id} stays: `theater ask root TEXT` asks it, `theater stop` ends it"
            ));
            Ok(())
        }
        Ok(()) => Ok(()),
        Err(error) if reach.is_kept => Err(error),
        Err(error) => {
            printer.warn(format_args!("the run cannot be reached while it lives: {error}"));
            Ok(())
        }
    }
}

/// Waits for the actor's end; an actor that fails to start has ended.
async fn ended(launched: Launched) -> Result<Arc<ExitReport>, Failure> {
    match launched.ready().await {
        Ok(root) => Ok(root.finish().await),
        Err(SpawnError::Start(_, report)) => Ok(report),
        Err(error) => Err(Failure::Spawn(error)),
    }
}
