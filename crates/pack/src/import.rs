//! The one way from the guest to the host: every import of every package runs through this trampoline.

use std::future::{Future, ready};
use std::ops::Range;

use wasmtime::{AsContext as _, Caller, Extern, Memory};

use crate::boundary::{Boundary, ImportCall, ImportIndex, ImportStep, SCRATCH_BYTES, SLOT_BYTES};
use crate::host::{Host, Inside, checked, write_u32};
use crate::trap::{Refusal, Stopped};

/// Input pointer and length, slot for the reply's pointer, slot for its length.
type Args = (u32, u32, u32, u32);

/// Reply buffers larger than this are not kept for the next import.
const REPLY_BYTES_KEPT: usize = 64 * 1024;

const STATUS_HOST_OWNED: i32 = 0;
const STATUS_GUEST_OWNED: i32 = 1;
const STATUS_REFUSED: i32 = -1;

/// Returns the host function behind an import.
pub(crate) fn trampoline<B: Boundary>(
    function: ImportIndex,
) -> impl for<'a> Fn(Caller<'a, Host<B>>, Args) -> Box<dyn Future<Output = wasmtime::Result<i32>> + Send + 'a>
+ Send
+ Sync
+ 'static {
    move |mut caller, args| {
        // What needs no waiting is done before the future is made, which is then as small as its result.
        match begin(&mut caller, function, args) {
            Ok(Begun::Done(status)) => Box::new(ready(Ok(status))),
            Ok(Begun::Wait(import, step)) => Box::new(finish(caller, import, step)),
            Err(error) => Box::new(ready(Err(error))),
        }
    }
}

/// An import whose pointers were checked.
struct Import {
    function: ImportIndex,
    memory: Memory,
    input: Range<usize>,
    pointer_slot: u32,
    length_slot: u32,
}

enum Begun<A> {
    Done(i32),
    Wait(Import, ImportStep<A>),
}

fn begin<B: Boundary>(
    caller: &mut Caller<'_, Host<B>>,
    function: ImportIndex,
    args: Args,
) -> wasmtime::Result<Begun<B::Answer>> {
    let import = check(caller, function, args)?;
    let step = step(caller, &import, |boundary, call, reply| boundary.import(call, reply))?;
    match step {
        ImportStep::Refused => Ok(Begun::Done(STATUS_REFUSED)),
        ImportStep::Stop(stop) => {
            caller.data_mut().stop = Some(stop);
            Err(Stopped.into())
        }
        ImportStep::Reply => match place_in_scratch(caller, &import)? {
            Some(status) => Ok(Begun::Done(status)),
            None => Ok(Begun::Wait(import, ImportStep::Reply)),
        },
        wait @ ImportStep::Wait(_) => Ok(Begun::Wait(import, wait)),
    }
}

/// The rest of an import that waits, or whose reply needs the guest's allocator.
async fn finish<B: Boundary>(
    mut caller: Caller<'_, Host<B>>,
    import: Import,
    mut step_now: ImportStep<B::Answer>,
) -> wasmtime::Result<i32> {
    loop {
        match step_now {
            ImportStep::Refused => return Ok(STATUS_REFUSED),
            ImportStep::Stop(stop) => {
                caller.data_mut().stop = Some(stop);
                return Err(Stopped.into());
            }
            ImportStep::Reply => {
                return match place_in_scratch(&mut caller, &import)? {
                    Some(status) => Ok(status),
                    None => place_in_allocation(&mut caller, &import).await,
                };
            }
            ImportStep::Wait(future) => {
                caller.data_mut().pending = Some(import.function);
                let answer = future.await;
                caller.data_mut().pending = None;
                step_now =
                    step(&mut caller, &import, |boundary, call, reply| boundary.resume(call, answer, reply))?;
            }
        }
    }
}

fn check<B: Boundary>(
    caller: &mut Caller<'_, Host<B>>,
    function: ImportIndex,
    (input, input_length, pointer_slot, length_slot): Args,
) -> wasmtime::Result<Import> {
    if caller.data().inside == Inside::Convention {
        return Err(Refusal::ReentrantImport.into());
    }
    let memory = memory(caller)?;
    let data = memory.data(&*caller);
    checked(data, pointer_slot, 4)?;
    checked(data, length_slot, 4)?;
    let input = checked(data, input, input_length)?;
    Ok(Import { function, memory, input, pointer_slot, length_slot })
}

/// The guest's memory; a start function may need it before the instance is complete.
fn memory<B: Boundary>(caller: &mut Caller<'_, Host<B>>) -> wasmtime::Result<Memory> {
    if let Some(memory) = caller.data().memory {
        return Ok(memory);
    }
    let package = caller.data().package.clone();
    match caller.get_module_export(&package.inner.handles.memory) {
        Some(Extern::Memory(memory)) => {
            caller.data_mut().memory = Some(memory);
            Ok(memory)
        }
        _ => Err(Refusal::BadPointer.into()),
    }
}

/// Asks the boundary.
fn step<B: Boundary>(
    caller: &mut Caller<'_, Host<B>>,
    import: &Import,
    ask: impl FnOnce(&mut B, ImportCall<'_>, &mut Vec<u8>) -> ImportStep<B::Answer>,
) -> wasmtime::Result<ImportStep<B::Answer>> {
    let left = caller.as_context().get_fuel()?;
    let (memory, host) = import.memory.data_and_store_mut(caller);
    if host.reply.capacity() > REPLY_BYTES_KEPT {
        host.reply = Vec::new();
    }
    host.reply.clear();
    let call = ImportCall {
        function: import.function,
        input: &memory[import.input.clone()],
        fuel_used: host.fuel.saturating_sub(left),
    };
    Ok(ask(&mut host.boundary, call, &mut host.reply))
}

/// Hands a reply over in the scratch buffer, or returns nothing if it needs an allocation.
fn place_in_scratch<B: Boundary>(
    caller: &mut Caller<'_, Host<B>>,
    import: &Import,
) -> wasmtime::Result<Option<i32>> {
    let (memory, host) = import.memory.data_and_store_mut(caller);
    let guest_owned = host.package.inner.handles.frees_replies;
    let Ok(length) = u32::try_from(host.reply.len()) else { return Err(Refusal::AllocFailed.into()) };
    if length > 0 && (guest_owned || length > SCRATCH_BYTES) {
        return Ok(None);
    }
    let scratch = match host.slots {
        Some(slots) => slots + SLOT_BYTES,
        // Before there is a scratch buffer, nothing is as good as anywhere.
        None if length == 0 => import.pointer_slot,
        None => return Ok(None),
    };
    let range = checked(memory, scratch, length)?;
    memory[range].copy_from_slice(&host.reply);
    write_u32(memory, import.pointer_slot, scratch)?;
    write_u32(memory, import.length_slot, length)?;
    Ok(Some(STATUS_HOST_OWNED))
}

/// Hands a reply over in memory that the guest allocates for it and will free.
async fn place_in_allocation<B: Boundary>(
    caller: &mut Caller<'_, Host<B>>,
    import: &Import,
) -> wasmtime::Result<i32> {
    let length = u32::try_from(caller.data().reply.len()).map_err(|_| Refusal::AllocFailed)?;
    let alloc = match &caller.data().alloc {
        Some(alloc) => alloc.clone(),
        None => {
            let package = caller.data().package.clone();
            let Some(Extern::Func(alloc)) = caller.get_module_export(&package.inner.handles.alloc) else {
                return Err(Refusal::AllocFailed.into());
            };
            alloc.typed(&*caller)?
        }
    };
    caller.data_mut().inside = Inside::Convention;
    let pointer = alloc.call_async(&mut *caller, length).await?;
    caller.data_mut().inside = Inside::Guest;
    if pointer == 0 {
        return Err(Refusal::AllocFailed.into());
    }
    let (memory, host) = import.memory.data_and_store_mut(caller);
    let range = checked(memory, pointer, length)?;
    memory[range].copy_from_slice(&host.reply);
    write_u32(memory, import.pointer_slot, pointer)?;
    write_u32(memory, import.length_slot, length)?;
    let guest_frees_all = host.package.inner.handles.frees_replies;
    Ok(if guest_frees_all { STATUS_HOST_OWNED } else { STATUS_GUEST_OWNED })
}
