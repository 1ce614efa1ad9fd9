//! Pack's own host: makes the calls that it reads from stdin, and writes what they came to, a line each.
//!
//! Imports are answered with what our host has answered; a guest that asks for anything else has failed.

use std::collections::{BTreeMap, VecDeque};
use std::error::Error;
use std::io::Write;
use std::panic::set_hook;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

use packr_core::abi::{decode, encode, Value};
use packr_core::{call_with_value, host_fn, CallError, HostError, HostImports, WasmEngine};
use packr_wasmtime::{call_resume, WasmtimeEngine};
use tokio::runtime::Runtime;

#[path = "../../src/call.rs"]
mod call;

use call::{Asked, Call, Outcome};

type Module = <WasmtimeEngine as WasmEngine>::Module;

/// Its codec recurses once for each level of a value, and is not optimised here.
const STACK_BYTES: usize = 64 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let lines: Vec<String> = std::io::stdin().lines().collect::<Result<_, _>>()?;
    // What it panics with is told as an outcome.
    set_hook(Box::new(|_| {}));
    let engine = Arc::new(WasmtimeEngine::new());
    let mut modules = Modules::new();
    for line in lines {
        let call: Call = serde_json::from_str(&line)?;
        let outcome = match loaded(&engine, &mut modules, &call.wasm) {
            Ok(module) => {
                let engine = Arc::clone(&engine);
                let thread = Builder::new().stack_size(STACK_BYTES);
                match thread.spawn(move || run(&engine, &module, call))?.join() {
                    Ok(outcome) => outcome,
                    Err(panic) => Outcome::Failed(format!("it panicked: {}", panic_text(panic.as_ref()))),
                }
            }
            Err(error) => Outcome::Failed(error.to_string()),
        };
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&outcome)?)?;
    }
    Ok(())
}

type Modules = BTreeMap<String, Module>;

/// Compiles a package at its first call.
fn loaded(engine: &WasmtimeEngine, modules: &mut Modules, wasm: &str) -> Result<Module, Box<dyn Error>> {
    if let Some(module) = modules.get(wasm) {
        return Ok(module.clone());
    }
    let bytes = std::fs::read(wasm)?;
    let module = runtime()?.block_on(engine.compile(&bytes))?;
    modules.insert(wasm.to_owned(), module.clone());
    Ok(module)
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().build()
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".to_owned())
}

fn run(engine: &WasmtimeEngine, module: &Module, call: Call) -> Outcome {
    let ended = runtime().map_err(Into::into);
    match ended.and_then(|runtime| runtime.block_on(made(engine, module, call))) {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

async fn made(engine: &WasmtimeEngine, module: &Module, call: Call) -> Result<Outcome, Box<dyn Error>> {
    let input = decode(&call.input).map_err(|error| format!("the input does not decode: {error:?}"))?;
    let again = encode(&input).map_err(|error| format!("the input does not encode: {error:?}"))?;
    if again != call.input {
        return Err("the input is encoded in another way here".into());
    }
    let asked = Arc::new(Mutex::new(VecDeque::from(call.asked)));
    let mut imports = HostImports::new();
    for import in module.imports() {
        let name = (import.module().to_owned(), import.name().to_owned());
        let asked = Arc::clone(&asked);
        imports.define(
            import.module(),
            import.name(),
            host_fn(move |input| answer(Arc::clone(&asked), name.clone(), input)),
        );
    }
    let ended = if module.exports().any(|export| export.name() == "__pack_resume") {
        call_resume(engine, module, imports, &call.export, &input).await
    } else {
        let mut instance = engine.instantiate(module, imports).await?;
        call_with_value(&mut instance, &call.export, &input).await
    };
    let left = asked.lock().unwrap_or_else(PoisonError::into_inner).len();
    Ok(match ended {
        Ok(_) if left > 0 => Outcome::Failed(format!("{left} calls of the guest did not come")),
        Ok(value) => match encode(&value) {
            Ok(bytes) => Outcome::Value(bytes),
            Err(error) => Outcome::Failed(format!("the result does not encode: {error:?}")),
        },
        Err(CallError::Guest { message, .. }) => Outcome::Error(message),
        Err(CallError::Engine(error)) if error.to_string().contains("wasm backtrace") => Outcome::Trap,
        Err(other) => Outcome::Failed(other.to_string()),
    })
}

async fn answer(
    asked: Arc<Mutex<VecDeque<Asked>>>,
    (interface, function): (String, String),
    input: Value,
) -> Result<Value, HostError> {
    let next = asked.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let next = next.ok_or_else(|| HostError("the guest asks once more than in our host".to_owned()))?;
    let input = encode(&input).map_err(|error| HostError(format!("{error:?}")))?;
    if (&next.interface, &next.function, &next.input) != (&interface, &function, &input) {
        return Err(HostError(format!("the guest asks {interface}.{function}, with other arguments")));
    }
    decode(&next.answer).map_err(|error| HostError(format!("{error:?}")))
}
