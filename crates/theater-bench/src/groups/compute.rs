//! What determinism costs a guest that only computes: fuel, canonical NaNs and the instruction set of everybody.

use pack::{InstanceLimits, PackInstance, Package};

use super::{Bench, Failure, Plan};
use crate::bare;
use crate::figure::Unit;
use crate::measure::nanoseconds_each;
use crate::stage::{FUEL, Unrecorded, block_on};

const STEPS: u32 = 20_000_000;

const GUEST: &str = r#"(module
    (memory (export "memory") 2)
    (func (export "__pack_alloc") (param $size i32) (result i32) (i32.const 65536))
    (func (export "__pack_free") (param i32 i32))
    (func (export "int-loop") (param i32 i32 i32 i32) (result i32)
        (local $n i32) (local $x i32)
        (local.set $n (i32.const STEPS))
        (local.set $x (i32.const 1))
        (loop $again
            (local.set $x (i32.xor (i32.mul (local.get $x) (i32.const 1664525)) (local.get $n)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i32.store (i32.const 128) (local.get $x))
        (i32.const 0))
    (func (export "float-loop") (param i32 i32 i32 i32) (result i32)
        (local $n i32) (local $x f64)
        (local.set $n (i32.const STEPS))
        (loop $again
            (local.set $x (f64.add (f64.mul (local.get $x) (f64.const 0.999)) (f64.convert_i32_u (local.get $n))))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (f64.store (i32.const 128) (local.get $x))
        (i32.const 0)))"#;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let steps = bench.effort.of(STEPS);
    let wasm = wat::parse_str(GUEST.replace("STEPS", &steps.to_string()))?;
    let package = Package::load(&bench.engine, &wasm)?;
    let prepared = package.prepare()?;
    for export in ["int-loop", "float-loop"] {
        let index = package.export(export).ok_or("the guest lacks an export")?;
        let limits = InstanceLimits::default();
        let mut instance = block_on(PackInstance::instantiate(&prepared, Unrecorded(Vec::new()), &limits))?;
        let bare = if bench.effort.has_peers() { bare::compute(&wasm, export, steps)? } else { None };
        bench.measure(Plan {
            name: format!("compute/{export}"),
            unit: Unit::Nanoseconds,
            settings: vec![("one", "loop iteration".to_owned())],
            subject: Box::new(|| {
                nanoseconds_each(steps, || {
                    block_on(instance.call(index, b"", FUEL))?;
                    Ok(())
                })
            }),
            baseline: bare.map(|round| ("bare wasmtime without fuel and canonical NaNs", round)),
        })?;
    }
    Ok(())
}
