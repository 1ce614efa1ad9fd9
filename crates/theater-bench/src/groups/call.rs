//! Calls in and out of a guest: with nothing recorded, and through the recorder into a journal. What it costs to check
//! their values against a signature, beside the typed decoding that is the check of typed code.
//!
//! The baseline is the bare engine, whose import or export also hashes what the recorded event hashes: both on the
//! thread of the guest, while ours hashes on the thread of its journal.

use std::hint::black_box;

use pack::{InstanceLimits, PackInstance, Package};
use pack_abi::contract::Contract;
use pack_abi::types::{Field, Function, Interface, Param, Type, TypeDef, TypeDefKind};
use pack_macros::GraphValue;
use theater_chain::Durability;

use super::codec::cost;
use super::{Bench, Failure, Plan};
use crate::bare::{self, Hashing};
use crate::figure::Unit;
use crate::measure::nanoseconds_each;
use crate::stage::{
    ARGUMENT_BYTES, FUEL, LOG, LOOP, NONE, SETTLE, Stage, Unrecorded, block_on, guest, on_one_thread, reply,
};

/// Imports in a loop that outlasts the journal's queue, so that the journal sets the pace.
const LONG: u32 = 200_000;
/// Imports in a burst that its queue takes.
const BURST: u32 = 20_000;
const EXPORTS: u32 = 50_000;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<(), Failure> {
    unrecorded(bench)?;
    recorded(bench, Durability::Memory, "memory")?;
    recorded(bench, Durability::Batched, "batched")?;
    contracts(bench)
}

#[derive(GraphValue)]
struct Order {
    id: u64,
    lines: Vec<OrderLine>,
    note: Option<String>,
}

#[derive(GraphValue)]
struct OrderLine {
    product: String,
    pieces: u32,
}

/// Lines of the order that is checked.
const ORDER_LINES: u32 = 10;

fn order() -> (Interface, Order) {
    let field = |name: &str, ty| Field { name: name.to_owned(), docs: String::new(), ty };
    let def = |name: &str, fields| TypeDef {
        name: name.to_owned(),
        docs: String::new(),
        kind: TypeDefKind::Record(fields),
    };
    let lines = Type::List(Box::new(Type::Named("order-line".to_owned())));
    let types = vec![
        def("order-line", vec![field("product", Type::String), field("pieces", Type::U32)]),
        def(
            "order",
            vec![
                field("id", Type::U64),
                field("lines", lines),
                field("note", Type::Option(Box::new(Type::String))),
            ],
        ),
    ];
    let line = |pieces| OrderLine { product: "a product".to_owned(), pieces };
    let order =
        Order { id: 1, lines: (0..ORDER_LINES).map(line).collect(), note: Some("in a hurry".to_owned()) };
    (Interface { types, ..Interface::default() }, order)
}

fn contracts(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let (interface, order) = order();
    let text = "x".repeat(ARGUMENT_BYTES - pack_abi::encode("")?.len());
    let (text, order) = (pack_abi::encode(&text)?, pack_abi::encode(&order)?);
    contract(bench, &interface, ("64B", Type::String, &text), |input| {
        pack_abi::decode::<&str>(input).map(|text| text.len())
    })?;
    let named = Type::Named("order".to_owned());
    contract(bench, &interface, ("order", named, &order), |input| {
        pack_abi::decode::<Order>(input).map(|order| order.lines.len())
    })
}

/// Measures the check of one argument beside decoding it.
fn contract(
    bench: &mut Bench<'_>,
    interface: &Interface,
    (name, ty, input): (&str, Type, &[u8]),
    decode: impl Fn(&[u8]) -> Result<usize, pack_abi::DecodeError>,
) -> Result<(), Failure> {
    let params = vec![Param { name: "p".to_owned(), ty }];
    let function = Function { name: "f".to_owned(), docs: String::new(), params, result: None };
    let contract = Contract::new(interface, &function);
    let effort = bench.effort;
    bench.measure(Plan {
        name: format!("call/contract/{name}"),
        unit: Unit::Nanoseconds,
        settings: vec![("payload", format!("{} B", input.len()))],
        subject: Box::new(|| cost(effort, || Ok(contract.check_import(black_box(input))?))),
        baseline: Some(("typed decode", Box::new(|| cost(effort, || Ok(decode(black_box(input))?))))),
    })?;
    Ok(())
}

fn settings(durability: Option<&str>) -> Vec<(&'static str, String)> {
    let recording = durability.map_or("off", |_| "on");
    let mut settings = vec![("payload", "64 B".to_owned()), ("recording", recording.to_owned())];
    settings.extend(durability.map(|durability| ("durability", durability.to_owned())));
    settings
}

fn unrecorded(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let (imports, exports) = (bench.effort.of(LONG), bench.effort.of(EXPORTS));
    let wasm = guest(imports)?;
    let package = Package::load(&bench.engine, &wasm)?;
    let prepared = package.prepare()?;
    let index = |symbol| package.export(symbol).ok_or("the guest lacks an export");
    let (none, again) = (index(NONE)?, index(LOOP)?);
    let mut instance =
        block_on(PackInstance::instantiate(&prepared, Unrecorded(reply()?), &InstanceLimits::default()))?;
    let has_peers = bench.effort.has_peers();
    let bare = if has_peers { bare::imports(&wasm, imports, Hashing::None)? } else { None };
    bench.measure(Plan {
        name: "call/import/unrecorded/64B".to_owned(),
        unit: Unit::Nanoseconds,
        settings: settings(None),
        subject: Box::new(|| {
            nanoseconds_each(imports, || {
                block_on(instance.call(again, b"", FUEL))?;
                Ok(())
            })
        }),
        baseline: bare.map(|round| ("bare wasmtime async import", round)),
    })?;
    let bare = if has_peers { bare::exports(&wasm, exports, Hashing::None)? } else { None };
    let input = vec![1; ARGUMENT_BYTES];
    bench.measure(Plan {
        name: "call/export/unrecorded/64B".to_owned(),
        unit: Unit::Nanoseconds,
        settings: settings(None),
        subject: Box::new(|| {
            nanoseconds_each(exports, || {
                for _ in 0..exports {
                    block_on(instance.call(none, &input, FUEL))?;
                }
                Ok(())
            })
        }),
        baseline: bare.map(|round| ("bare wasmtime call_async", round)),
    })?;
    Ok(())
}

fn recorded(bench: &mut Bench<'_>, durability: Durability, name: &'static str) -> Result<(), Failure> {
    for (export, path, count) in
        [(LOOP, "64B", LONG), (LOOP, "64B/burst", BURST), (LOG, "64B/runtime-log", LONG)]
    {
        let count = bench.effort.of(count);
        let wasm = guest(count)?;
        let hashing = Hashing::Event { payload_bytes: ARGUMENT_BYTES + reply()?.len() };
        let bare = if bench.effort.has_peers() { bare::imports(&wasm, count, hashing)? } else { None };
        let stage = Stage::open(&bench.engine, on_one_thread()?, wasm, durability)?;
        let actor = stage.block_on(stage.spawn())?;
        bench.measure(Plan {
            name: format!("call/import/recorded/{name}/{path}"),
            unit: Unit::Nanoseconds,
            settings: [settings(Some(name)), vec![("loop", count.to_string())]].concat(),
            subject: Box::new(|| {
                // What earlier rounds left in the queue is not this round's.
                stage.call(&actor, SETTLE)?;
                nanoseconds_each(count, || stage.call(&actor, export))
            }),
            baseline: bare.map(|round| ("bare wasmtime async import and SHA-256", round)),
        })?;
        stage.close(actor)?;
    }
    exports(bench, durability, name)
}

fn exports(bench: &mut Bench<'_>, durability: Durability, name: &'static str) -> Result<(), Failure> {
    let count = bench.effort.of(EXPORTS);
    let wasm = guest(1)?;
    let hashing = Hashing::Event { payload_bytes: ARGUMENT_BYTES };
    let bare = if bench.effort.has_peers() { bare::exports(&wasm, count, hashing)? } else { None };
    let stage = Stage::open(&bench.engine, on_one_thread()?, wasm, durability)?;
    let actor = stage.block_on(stage.spawn())?;
    bench.measure(Plan {
        name: format!("call/export/recorded/{name}"),
        unit: Unit::Nanoseconds,
        settings: vec![
            ("payload", "state and unit".to_owned()),
            ("recording", "on".to_owned()),
            ("durability", name.to_owned()),
            ("way", "through the mailbox and back, one thread".to_owned()),
        ],
        subject: Box::new(|| {
            nanoseconds_each(count, || {
                stage.block_on(async {
                    for _ in 0..count {
                        crate::stage::call(&actor, NONE).await?;
                    }
                    Ok(())
                })
            })
        }),
        baseline: bare.map(|round| ("bare wasmtime call_async and SHA-256", round)),
    })?;
    stage.close(actor)?;
    Ok(())
}
