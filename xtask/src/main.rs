//! `cargo xtask`: the checks and chores of this repository.

mod ci;
mod coverage;
mod examples;
mod fuzz;
mod golden;
mod guests;
mod instructions;
mod interop;
mod readme;
mod second;
mod shell;
mod suite;
mod tidy;

use std::process::ExitCode;

use crate::shell::{Failure, Shell};

const USAGE: &str = "\
cargo xtask COMMAND

  test [FILTER]   set up what the tests need, then run all of them
  guests          build the example actors for wasm32; print and limit what the SDK costs
  examples [--bless]
                  run, verify and replay the examples, and their golden runs; or make golden runs of them
  second          verify the runs of the examples with docs/verify.py too
  readme          run the commands of README.md
  tidy            check what compilers do not: layers, layout, leftovers
  bless           accept what the golden tests print now
  instructions [--bless]
                  count the instructions of the codec and the chain; compare with, or become, the reference
  coverage [--bless]
                  find the lines of the codec that its tests do not reach; compare with, or add to, the list of them
  fuzz [TARGET] [--seconds N]
                  fuzz one or all targets, 20 seconds each if nothing is said
  interop         run packages of two SDKs in our host and in Pack's own; print the matrix
  ci              all checks, timed; what a change must pass
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = Shell::new().and_then(|shell| match words.as_slice() {
        ["test"] => suite::run(&shell, None),
        ["test", filter] => suite::run(&shell, Some(filter)),
        ["guests"] => guests::run(&shell),
        ["examples"] => guests::run(&shell).and_then(|()| examples::run(&shell)),
        ["examples", "--bless"] => guests::run(&shell).and_then(|()| golden::bless(&shell)),
        ["second"] => second::run(&shell),
        ["readme"] => readme::run(&shell),
        ["tidy"] => tidy::run(&shell),
        ["bless"] => suite::bless(&shell),
        ["instructions"] => instructions::check(&shell),
        ["instructions", "--bless"] => instructions::bless(&shell),
        ["coverage"] => coverage::check(&shell),
        ["coverage", "--bless"] => coverage::bless(&shell),
        ["fuzz", words @ ..] => fuzz::command(&shell, words),
        ["interop"] => interop::run(&shell),
        ["ci"] => ci::run(&shell),
        _ => Err(Failure::Usage),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage) => {
            shell::complain(USAGE);
            ExitCode::from(2)
        }
        Err(failure) => {
            shell::complain(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}
