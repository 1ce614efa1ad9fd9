//! Guests in WAT whose every crossing is written out: what they pass and return is encoded by the test.

use std::fmt::Write;

use pack_abi::Encode;
use pack_abi::metadata::Metadata;

/// One step of a guest's `init`.
pub(crate) enum Step {
    /// Calls an import with these encoded arguments, keeps its status in `$status` and ignores the answer; a refusal
    /// is a trap.
    Import { interface: &'static str, function: &'static str, input: Vec<u8> },
    /// Runs this WAT.
    Wat(&'static str),
    /// Returns this encoded value.
    Return(Vec<u8>),
    /// Returns status -1 with this text.
    Fail(&'static str),
}

pub(crate) fn encoded<T: Encode + ?Sized>(value: &T) -> Vec<u8> {
    pack_abi::encode(value).expect("a test value encodes")
}

/// `ok((state,))`, what an `init` returns.
pub(crate) fn ok_state(state: Option<&[u8]>) -> Vec<u8> {
    encoded(&Ok::<_, String>((state,)))
}

/// Returns a call of `log`.
pub(crate) fn log(text: &str) -> Step {
    Step::Import { interface: "theater:simple/runtime", function: "log", input: encoded(text) }
}

/// Returns a call of `shutdown`.
pub(crate) fn shutdown(result: Option<&[u8]>) -> Step {
    Step::Import { interface: "theater:simple/runtime", function: "shutdown", input: encoded(&result) }
}

/// Returns the wasm of an actor whose `init` takes these steps.
pub(crate) fn actor(steps: &[Step]) -> Vec<u8> {
    actor_with(&[("theater:simple/actor.init", steps)])
}

/// Returns the wasm of an actor whose start function has this body.
pub(crate) fn actor_starting_with(body: &str, steps: &[Step]) -> Vec<u8> {
    build(&[("theater:simple/actor.init", steps)], &format!("(func $start {body}) (start $start)"))
}

/// Returns the wasm of an actor whose `init` is a task: it takes the first steps, and the others when it is resumed.
pub(crate) fn task(steps: &[Step], resumed: &[Step]) -> Vec<u8> {
    actor_with(&[("theater:simple/actor.init", steps), (RESUME, resumed)])
}

/// Returns the step that parks a task.
pub(crate) fn park() -> Step {
    Step::Wat("(return (i32.const 1))")
}

/// What a task guest is resumed by: it has one parameter more than other exports.
pub(crate) const RESUME: &str = "__pack_resume";

/// Returns the wasm of an actor with these exports.
pub(crate) fn actor_with(exports: &[(&str, &[Step])]) -> Vec<u8> {
    build(exports, "")
}

/// Returns the wasm of an actor that describes itself.
pub(crate) fn actor_described(exports: &[(&str, &[Step])], metadata: &Metadata) -> Vec<u8> {
    let bytes = metadata.encode().expect("test metadata encodes");
    let quoted: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    build(exports, &format!("(@custom \"pack:types\" \"{quoted}\")"))
}

fn build(exports: &[(&str, &[Step])], start: &str) -> Vec<u8> {
    let mut data = Vec::new();
    let mut imports: Vec<(&str, &str)> = Vec::new();
    let mut bodies = String::new();
    for (symbol, steps) in exports {
        let body: String = steps.iter().map(|step| step_text(step, &mut data, &mut imports)).collect();
        let id = if *symbol == RESUME { "(param $id i32)" } else { "" };
        write!(
            bodies,
            "(func (export \"{symbol}\") {id} (param $in i32) (param $in_len i32) (param $out i32) (param $out_len i32) (result i32)
               {body} (i32.const -1))"
        )
        .expect("a string takes everything");
    }
    let declared: String = imports
        .iter()
        .map(|(interface, function)| {
            format!("(import \"{interface}\" \"{function}\" (func ${function} (param i32 i32 i32 i32) (result i32)))")
        })
        .collect();
    let bytes: String = data.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        "(module {declared}
           (memory (export \"memory\") 4)
           (global $next (mut i32) (i32.const 131072))
           (global $status (mut i32) (i32.const 0))
           (global $count (export \"count\") (mut i32) (i32.const 0))
           (data (i32.const 4096) \"{bytes}\")
           (func (export \"__pack_alloc\") (param $size i32) (result i32) (local $at i32)
             (local.set $at (global.get $next))
             (global.set $next (i32.add (global.get $next) (i32.and (i32.add (local.get $size) (i32.const 15)) (i32.const -8))))
             (local.get $at))
           (func (export \"__pack_free\") (param i32 i32))
           (func $down (result i32) (i32.add (i32.const 1) (call $down)))
           {bodies} {start})"
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn place(bytes: &[u8], data: &mut Vec<u8>) -> (usize, usize) {
    let at = 4096 + data.len();
    data.extend_from_slice(bytes);
    (at, bytes.len())
}

fn step_text(step: &Step, data: &mut Vec<u8>, imports: &mut Vec<(&'static str, &'static str)>) -> String {
    match step {
        Step::Import { interface, function, input } => {
            if !imports.contains(&(interface, function)) {
                imports.push((interface, function));
            }
            let (at, length) = place(input, data);
            // The slots of the call itself serve as the slots of the import.
            format!(
                "(global.set $status (call ${function} (i32.const {at}) (i32.const {length}) (local.get $out) (local.get $out_len)))
                 (if (i32.lt_s (global.get $status) (i32.const 0)) (then unreachable))"
            )
        }
        Step::Wat(text) => (*text).to_owned(),
        Step::Return(output) => {
            let (at, length) = place(output, data);
            result_text(at, length, 0)
        }
        Step::Fail(text) => {
            let (at, length) = place(text.as_bytes(), data);
            result_text(at, length, -1)
        }
    }
}

fn result_text(at: usize, length: usize, status: i32) -> String {
    format!(
        "(i32.store (local.get $out) (i32.const {at})) (i32.store (local.get $out_len) (i32.const {length})) (return (i32.const {status}))"
    )
}
