//! Where a package keeps the description of its interfaces: a custom section, or what `__pack_types` returns.

use wasmtime::{Extern, Instance, Linker, Memory, Module, Store, TypedFunc};

use crate::boundary::{SLOT_ALIGN, SLOT_BYTES};
use crate::engine::Engine;
use crate::host::{Limiter, checked, read_u32};
use crate::package::Handles;
use crate::trap::{Refusal, Trap, TrapKind, backtrace};

/// Enough to answer with the address of a static, far from enough to hold up a load.
const FUEL: u64 = 10_000_000;

/// Asks a package without the custom section, in an instance of its own whose imports all trap.
///
/// # Errors
///
/// If the package does not answer as the calling convention says.
pub(crate) fn ask(engine: &Engine, module: &Module, handles: &Handles) -> Result<Option<Vec<u8>>, Trap> {
    let Some(types) = &handles.types else { return Ok(None) };
    let limiter = Limiter::new(engine.memory_bytes_max(), engine.table_elements_max().into());
    let mut store = Store::new(engine.wasmtime(), limiter);
    store.limiter(|limiter| limiter);
    let answer = (|| {
        store.set_fuel(FUEL)?;
        let instance = instantiate(engine, module, &mut store)?;
        let Some(Extern::Memory(memory)) = instance.get_module_export(&mut store, &handles.memory) else {
            return Err(Refusal::BadPointer.into());
        };
        let (alloc, types) = (
            instance.get_module_export(&mut store, &handles.alloc),
            instance.get_module_export(&mut store, types),
        );
        let (Some(Extern::Func(alloc)), Some(Extern::Func(types))) = (alloc, types) else {
            return Err(Refusal::BadPointer.into());
        };
        let (alloc, types) = (alloc.typed(&store)?, types.typed(&store)?);
        call(&mut store, memory, &alloc, &types)
    })();
    answer.map(Some).map_err(|error| Trap {
        kind: TrapKind::of(&error),
        message: None,
        backtrace: backtrace(&error),
        memory_refused: store.data().memory_refused,
        fuel: store.get_fuel().ok().map(|left| FUEL.saturating_sub(left)),
    })
}

fn instantiate(engine: &Engine, module: &Module, store: &mut Store<Limiter>) -> wasmtime::Result<Instance> {
    let mut linker = Linker::new(engine.wasmtime());
    linker.allow_shadowing(true);
    for import in module.imports() {
        linker.func_wrap(
            import.module(),
            import.name(),
            |_: u32, _: u32, _: u32, _: u32| -> wasmtime::Result<i32> {
                Err(Refusal::ReentrantImport.into())
            },
        )?;
    }
    linker.instantiate(store, module)
}

fn call(
    store: &mut Store<Limiter>,
    memory: Memory,
    alloc: &TypedFunc<u32, u32>,
    types: &TypedFunc<(u32, u32), i32>,
) -> wasmtime::Result<Vec<u8>> {
    let size = SLOT_BYTES + SLOT_ALIGN - 1;
    let block = alloc.call(&mut *store, size)?;
    if block == 0 {
        return Err(Refusal::AllocFailed.into());
    }
    checked(memory.data(&*store), block, size)?;
    let slots = block.next_multiple_of(SLOT_ALIGN);
    if types.call(&mut *store, (slots, slots + 4))? != 0 {
        return Err(Refusal::BadStatus.into());
    }
    let data = memory.data(&*store);
    let range = checked(data, read_u32(data, slots)?, read_u32(data, slots + 4)?)?;
    Ok(data[range].to_vec())
}
