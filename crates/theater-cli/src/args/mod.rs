//! What the command line accepts.

mod live;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(crate) use live::{AskArgs, EndArgs, LiveArgs, MessageArgs, SendArgs, StateArgs};

/// Erlang-style WebAssembly actors whose every run is a verifiable, replayable, diffable file.
#[derive(Debug, Parser)]
#[command(name = "theater", version, propagate_version = false, max_term_width = 100)]
#[command(
    after_help = "Runs are kept in $THEATER_HOME/runs (default ~/.theater/runs). RUN is a path if it contains \
a `/` or ends in `.theater`, else `last`, a run id or the beginning of one; it defaults to `last`.\n\
Exit status: 0 fine, 1 the actor or the check failed, 2 usage or environment."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Say more about what is being done (twice: much more)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Print nothing on stderr but errors and what actors log
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// When to use colours (auto also respects NO_COLOR)
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create an actor project that needs nothing but cargo
    New(NewArgs),
    /// Build an actor for wasm32, check the result and print its path
    Build(BuildArgs),
    /// Run an actor and record everything that crosses its boundary
    Run(RunArgs),
    /// Call one function of a package and print what it returns
    Call(CallArgs),
    /// Show the actors of a run and what they did; or what a package imports, exports, weighs and has to be granted
    Inspect(InspectArgs),
    /// List the recorded runs, or delete some
    Runs(RunsArgs),
    /// Print the events of a run
    Events(EventsArgs),
    /// Print what the actors of a run logged
    Logs(LogsArgs),
    /// Check that a run is intact, complete and signed
    Verify(VerifyArgs),
    /// Write a run into one file, to be kept or sent
    Export(ExportArgs),
    /// List, trust, export and replace the keys that sign runs
    Keys(KeysArgs),
    /// Print the signed head of a run, or of the log of all finished runs
    Checkpoint(CheckpointArgs),
    /// Vouch, as a witness, that a checkpoint continues what was seen of its log before
    Cosign(CosignArgs),
    /// Prove one event of a run, to be checked without the rest of it
    Prove(ProveArgs),
    /// Execute a run again from its record, without the world, and compare
    Replay(ReplayArgs),
    /// List the actors of the live runs
    Ps(LiveArgs),
    /// Show the actors of a live run, and who started whom
    Tree(LiveArgs),
    /// Send a message to an actor of a live run
    Send(SendArgs),
    /// Send a request to an actor of a live run and print the answer
    Ask(AskArgs),
    /// End an actor of a live run in order, its children first; the root ends the run
    Stop(EndArgs),
    /// End an actor of a live run at once
    Kill(EndArgs),
    /// Print the state of an actor of a live run
    State(StateArgs),
    /// Measure this machine: codec, calls, spawning, journal, verification, replay
    Bench(BenchArgs),
    /// Check this machine: toolchain, home, keys, limits
    Doctor(DoctorArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// `theater new`
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Name of the actor, and of the folder to create for it
    pub(crate) name: PathBuf,
    /// What to start from
    #[arg(long, default_value = "basic")]
    pub(crate) template: String,
}

/// `theater build`
#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// Folder of the actor's Cargo.toml
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
}

/// `theater run`
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// An actor's folder, its manifest, or a bare wasm file
    #[arg(value_name = "DIR|MANIFEST|WASM", default_value = ".")]
    pub(crate) target: PathBuf,
    /// Initial state: a file, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// What has to be on disk before the run goes on
    #[arg(long, value_name = "WHAT", default_value = "batched")]
    pub(crate) durability: Durability,
    /// A remark to be kept with the run
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Give a bare wasm file one more capability (it gets `runtime` only)
    #[arg(long, value_name = "TYPE")]
    pub(crate) grant: Vec<String>,
    /// Stay when nothing is left to do, and wait for messages from outside (`theater ask`, `theater stop`)
    #[arg(long)]
    pub(crate) keep: bool,
    /// Print how the run ended as one JSON object on stdout, the actor's result in it
    #[arg(long)]
    pub(crate) json: bool,
}

/// `theater call`
#[derive(Debug, Args)]
#[command(after_help = "\
A LITERAL is a value as `theater` prints it; where the package tells the types, they may be left out:\n  \
21  -5  1.5  true  Ada  \"two words\"  [1, 2]  (1, Ada)  {x: 1, y: 2}  some(7)  none  ok(3)  red  circle(2.5)\n\
@FILE stands for the literal in a file, @- for one on standard input; a text that begins so needs quotes of its own,\n\
and one that begins with `-` a `--` before all literals.\n\
The functions of an actor take its state as their first argument.\n\n\
Exit status: 0 it returned, 1 it returned an error or failed, 2 usage or environment.")]
pub(crate) struct CallArgs {
    /// A wasm file, an actor's folder, or its manifest
    #[arg(value_name = "WASM|DIR|MANIFEST")]
    pub(crate) target: PathBuf,
    /// The function: its symbol, or as much of its end as makes it unique (`double`, `actor.init`)
    pub(crate) function: String,
    /// The arguments
    #[arg(value_name = "LITERAL", allow_negative_numbers = true)]
    pub(crate) literals: Vec<String>,
    /// Keep the call as a run, to be read, verified and replayed like any other
    #[arg(long)]
    pub(crate) record: bool,
    /// A remark to be kept with the run
    #[arg(long, value_name = "TEXT", requires = "record")]
    pub(crate) note: Option<String>,
    /// Give a bare wasm file one more capability (it gets `runtime` only)
    #[arg(long, value_name = "TYPE")]
    pub(crate) grant: Vec<String>,
    /// Most fuel that the call may use (a manifest says so itself)
    #[arg(long, value_name = "N")]
    pub(crate) fuel: Option<u64>,
    /// Print what came of it as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `theater inspect`
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A run; or a wasm file, `-` for one on standard input, an actor's folder, or its manifest
    #[arg(value_name = "RUN|WASM|DIR|MANIFEST", default_value = "last")]
    pub(crate) target: PathBuf,
    /// Print the interfaces as text that can be parsed again, and nothing else
    #[arg(long, conflicts_with = "json")]
    pub(crate) wit: bool,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// When a recorded event counts as kept.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Durability {
    /// Nothing is kept
    Memory,
    /// Written in groups every few milliseconds
    Batched,
    /// What leaves the run waits for the disk
    Sync,
}

/// `theater runs`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RunsArgs {
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) action: Option<RunsAction>,
}

/// What to do with recorded runs.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsAction {
    /// Delete runs
    Rm {
        /// The runs to delete
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<String>,
    },
    /// Say which runs could go, and with --yes delete them: those to which all of it applies
    Prune(PruneArgs),
}

/// `theater runs prune`
#[derive(Debug, Args)]
#[command(
    after_help = "Runs that are being written are never deleted. Of each deleted run, a line with its id and \
its head stays in `runs/deleted.txt` of the home."
)]
#[group(required = true, multiple = true, id = "which")]
pub(crate) struct PruneArgs {
    /// Not the newest N
    #[arg(long, value_name = "N", group = "which")]
    pub(crate) keep: Option<usize>,
    /// Only those that began so long ago: 12h, 30d, 8w
    #[arg(long, value_name = "TIME", group = "which")]
    pub(crate) older_than: Option<String>,
    /// Only those that take more than this: 500MB, 2GB
    #[arg(long, value_name = "SIZE", group = "which")]
    pub(crate) larger_than: Option<String>,
    /// Delete them
    #[arg(long)]
    pub(crate) yes: bool,
}

/// `theater events`
#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// The run to read
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    #[command(flatten)]
    pub(crate) filter: EventFilter,
    /// At most this many events
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Only the last N of them
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) last: Option<usize>,
    /// Go on with what is recorded from now on, until the run ends
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Print whole values instead of what fits on the line
    #[arg(long)]
    pub(crate) full: bool,
    /// Do not show them page by page on a terminal (THEATER_PAGER and PAGER say with what)
    #[arg(long)]
    pub(crate) no_pager: bool,
    /// One JSON object per event
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which events are wanted: those to which all of it applies.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which events")]
pub(crate) struct EventFilter {
    /// Only events of this actor, `root/worker` say, or of one life of it, `root/worker#2`
    #[arg(long, value_name = "PATH")]
    pub(crate) actor: Option<String>,
    /// Only events whose function contains this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) function: Option<String>,
    /// Only events of this kind: genesis, call, return, exchange, host-call, host-request,
    /// host-response, decision, trap, snapshot, exit
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub(crate) kind: Vec<String>,
    /// Only events that did not end well
    #[arg(long)]
    pub(crate) failing: bool,
    /// Only events whose function or values contain this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) grep: Option<String>,
    /// Only events from this time of the run on: 1.5s, 250ms, 2m
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only events up to this time of the run
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only events from this number of their chain on
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub(crate) from: u64,
}

/// `theater logs`
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The run to read
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Only this actor, `root/worker` say, or one life of it, `root/worker#2`
    #[arg(value_name = "ACTOR")]
    pub(crate) actor: Option<String>,
    /// Go on with what is logged from now on, until the run ends
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Do not show them page by page on a terminal (THEATER_PAGER and PAGER say with what)
    #[arg(long)]
    pub(crate) no_pager: bool,
    /// One JSON object per line that was logged
    #[arg(long)]
    pub(crate) json: bool,
}

/// `theater export`
#[derive(Debug, Args)]
#[command(
    after_help = "The file is a ZIP; `verify`, `events` and `replay` take it in the place of a run. Its receiver sees \
everything in the run: arguments, answers, states, packages and manifests.\n\
With --redact, the receiver sees of a removed payload that it was there, with time, function, outcome and fuel. \
What an actor made of it may still show in its later payloads: look with `theater events FILE`. The run keeps its head \
and its signatures, so it still verifies; it is replayed up to the first event whose payload is needed and gone.\n\
With --actor, only that actor's payloads are kept, with its package and manifest: its chain is whole and can be replayed.\n\
Example: theater export last --actor root/worker -o worker.theater"
)]
pub(crate) struct ExportArgs {
    /// The run to export
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// The file to write; a name that ends in `.theater` is a run to every command
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Keep the payloads of this actor only (may be given again); the rest is removed
    #[arg(long, value_name = "PATH")]
    pub(crate) actor: Vec<String>,
    /// Leave out the payloads of this actor, or of this function of all actors: a path such as `root/worker` or a
    /// name such as `theater:simple/runtime.log`; `*` stands for any text
    #[arg(long, value_name = "PATTERN")]
    pub(crate) redact: Vec<String>,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `theater verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Known are the keys of this home (`theater keys`) and those given with --key and --witness.\n\
Example: theater verify run.theater --checkpoint cosigned.txt --key node.pub --witness witness.pub\n\n\
Exit status: 0 it is intact, a run also closed, and its head is signed by a known key or equal to --head, and all of \
--witness have cosigned; 1 not so, and the lines say why; 2 it cannot be read.")]
pub(crate) struct VerifyArgs {
    /// The run to check; or a file that `checkpoint`, `cosign` or `prove` wrote, or the folder of a node's log
    #[arg(value_name = "RUN|FILE")]
    pub(crate) run: Option<String>,
    /// The head that it must have, as printed when the run ended (SIZE:ROOT)
    #[arg(long)]
    pub(crate) head: Option<String>,
    /// Also trust this key: the text of a public key, or a file that holds it
    #[arg(long, value_name = "FILE|KEY")]
    pub(crate) key: Vec<String>,
    /// This witness must have cosigned the head
    #[arg(long, value_name = "FILE|KEY")]
    pub(crate) witness: Vec<String>,
    /// A checkpoint of the run that was kept elsewhere: the run must have its head, and its signatures count
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Also write a report for a reader who is no programmer, with what was not proved
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Check the log of this node's finished runs
    #[arg(long, conflicts_with_all = ["run", "checkpoint"])]
    pub(crate) log: bool,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `theater keys`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Keys are kept in $THEATER_HOME/keys: secrets for their owner only, public keys as files that can be read.\n\
Example: theater keys export > mine.pub, and where it is to be known: theater keys trust mine.pub --name mine")]
pub(crate) struct KeysArgs {
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) action: Option<KeysAction>,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysAction {
    /// List the keys that are known here
    List {
        /// One JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Trust the key of another node or witness
    Trust {
        /// The text of a public key, or a file that holds it
        #[arg(value_name = "FILE|KEY")]
        key: String,
        /// The name by which it is listed (default: the name in the key)
        #[arg(long)]
        name: Option<String>,
    },
    /// Trust a key no longer
    Forget {
        /// The name by which it is listed
        name: String,
    },
    /// Print the public key of this node; it is made if there is none
    Export {
        /// Print the key with which this machine cosigns
        #[arg(long)]
        witness: bool,
    },
    /// Sign with a new key from now on; the old public key still verifies old runs
    Rotate,
}

/// `theater checkpoint`
#[derive(Debug, Args)]
#[command(after_help = "\
A checkpoint is a few lines of text (C2SP signed-note): kept elsewhere, it shows later that nothing was changed or cut off.\n\
That of a run that has ended is the one that closed it; a run that goes on is signed as it is now.\n\
Example: theater checkpoint last -o run.checkpoint; theater verify last --checkpoint run.checkpoint")]
pub(crate) struct CheckpointArgs {
    /// The run
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// The head of the log of this node's finished runs instead
    #[arg(long, conflicts_with = "run")]
    pub(crate) log: bool,
    /// The file to write (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// `theater cosign`
#[derive(Debug, Args)]
#[command(after_help = "\
The checkpoint must be signed by a known key. Of each log, what was cosigned last is remembered in $THEATER_HOME/witness;\n\
a checkpoint that is shorter, or does not begin with it, is refused. A longer one needs the run or the node's log to compare\n\
with: what has its name in this home, or --run.\n\
Example: theater cosign run.checkpoint --key node.pub -o run.cosigned\n\n\
Exit status: 0 cosigned, 1 refused, 2 usage or environment.")]
pub(crate) struct CosignArgs {
    /// The checkpoint
    pub(crate) file: PathBuf,
    /// The run, the bundle or the node's log that has this head
    #[arg(long, value_name = "RUN|LOG")]
    pub(crate) run: Option<String>,
    /// Also trust this key: the text of a public key, or a file that holds it
    #[arg(long, value_name = "FILE|KEY")]
    pub(crate) key: Vec<String>,
    /// The file to write (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// `theater prove`
#[derive(Debug, Args)]
#[command(after_help = "\
The file (C2SP tlog-proof) holds the event, hashes, and the checkpoint of the run; of other events it shows hashes and places.\n\
`theater verify FILE` and docs/verify.py check it without the run.\n\
Example: theater prove last root:3 -o event.tlog-proof")]
pub(crate) struct ProveArgs {
    /// The run
    pub(crate) run: String,
    /// The event: an actor, a colon and its number as `theater events` prints them (`root:3`, `root/worker#2:17`)
    pub(crate) event: String,
    /// Prove it to this checkpoint, a cosigned one for example
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Show that the event happened, not what it carried
    #[arg(long)]
    pub(crate) without_payload: bool,
    /// The file to write (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// `theater replay`
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The run to execute again
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Execute this package instead of the recorded one, for one actor or for all
    #[arg(long, value_name = "[ACTOR=]FILE")]
    pub(crate) wasm: Vec<String>,
    /// One JSON object per chain
    #[arg(long)]
    pub(crate) json: bool,
}

/// `theater bench`
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What to measure: codec, call, compute, spawn, chain, verify, replay, idle, start, large (default: all but large)
    #[arg(value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
    /// One JSON object per figure
    #[arg(long)]
    pub(crate) json: bool,
}

/// `theater doctor`
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Repair what can be repaired
    #[arg(long)]
    pub(crate) fix: bool,
    /// One JSON object per check
    #[arg(long)]
    pub(crate) json: bool,
}

/// `theater completions`
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell to print for
    pub(crate) shell: clap_complete::Shell,
}
