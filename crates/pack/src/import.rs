//! The one way from the guest to the host: every import of every package runs through [`import`].
//!
//! Imports are synchronous host functions: one that is answered at once costs a function call. One that must
//! wait, or whose reply needs the guest's allocator, runs that on the stack of the call it belongs to, so that a
//! call holds one stack whatever the guest does.

use std::ops::Range;

use wasmtime::{AsContext as _, Caller, Extern, Func, Memory, ValRaw};

use crate::boundary::{
    Boundary, BoundaryFuture, ImportCall, ImportIndex, ImportStep, SCRATCH_BYTES, SLOT_BYTES, Waiting,
};
use crate::host::{Flight, Host, Inside, checked, write_u32};
use crate::trap::{HostFault, Refusal, Stopped};

/// Reply buffers larger than this are not kept for the next import.
const REPLY_BYTES_KEPT: usize = 64 * 1024;

const STATUS_HOST_OWNED: i32 = 0;
const STATUS_GUEST_OWNED: i32 = 1;
const STATUS_REFUSED: i32 = -1;
/// From a package with `__pack_resume`, whose guests own what they get with status 0.
pub(crate) const STATUS_PENDING: i32 = 1;

/// What the guest passes: input pointer and length, slots for the reply's pointer and length.
pub(crate) struct Arguments {
    pub(crate) input: (u32, u32),
    pub(crate) pointer_slot: u32,
    pub(crate) length_slot: u32,
}

/// An import whose pointers were checked.
struct Import {
    function: ImportIndex,
    memory: Memory,
    input: Range<usize>,
    pointer_slot: u32,
    length_slot: u32,
}

/// Serves one call of the guest and returns its status.
pub(crate) fn import<B: Boundary>(
    caller: &mut Caller<'_, Host<B>>,
    function: ImportIndex,
    arguments: &Arguments,
) -> wasmtime::Result<i32> {
    let import = check(caller, function, arguments)?;
    let waiting = waiting(caller.data());
    let mut step = ask(caller, &import, |boundary, call, reply| boundary.import(call, reply))?;
    if let ImportStep::Wait(answer) = step {
        match waiting {
            Waiting::Sleeps => step = ImportStep::Pause(answer),
            Waiting::GoesOn => return take_off(caller, &import, answer),
            Waiting::Refused => return Ok(STATUS_REFUSED),
        }
    }
    loop {
        match step {
            ImportStep::Reply => return place(caller, &import),
            ImportStep::Refused => return Ok(STATUS_REFUSED),
            ImportStep::Stop(stop) => {
                caller.data_mut().stop = Some(stop);
                return Err(Stopped.into());
            }
            ImportStep::Wait(future) | ImportStep::Pause(future) => {
                caller.data_mut().pending = Some(function);
                let answer = wait(caller, future)?;
                caller.data_mut().pending = None;
                step = ask(caller, &import, |boundary, call, reply| boundary.resume(call, answer, reply))?;
            }
        }
    }
}

/// What the guest does if an import has to wait now.
fn waiting<B: Boundary>(host: &Host<B>) -> Waiting {
    match (host.can_park, &host.flight) {
        (false, _) => Waiting::Sleeps,
        (true, None) => Waiting::GoesOn,
        (true, Some(_)) => Waiting::Refused,
    }
}

/// Lets the guest go on while its call waits, and tells it the id under which the answer will come.
fn take_off<B: Boundary>(
    caller: &mut Caller<'_, Host<B>>,
    import: &Import,
    answer: BoundaryFuture<B::Answer>,
) -> wasmtime::Result<i32> {
    let (memory, host) = import.memory.data_and_store_mut(caller);
    let id = host.flights;
    host.flights = id.wrapping_add(1);
    host.flight = Some(Flight { id, function: import.function, answer });
    write_u32(memory, import.pointer_slot, id)?;
    Ok(STATUS_PENDING)
}

fn check<B: Boundary>(
    caller: &mut Caller<'_, Host<B>>,
    function: ImportIndex,
    arguments: &Arguments,
) -> wasmtime::Result<Import> {
    if caller.data().inside == Inside::Convention {
        return Err(Refusal::ReentrantImport.into());
    }
    let memory = memory(caller)?;
    let Arguments { input, pointer_slot, length_slot } = *arguments;
    let data = memory.data(&*caller);
    checked(data, pointer_slot, 4)?;
    checked(data, length_slot, 4)?;
    let input = checked(data, input.0, input.1)?;
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
fn ask<B: Boundary>(
    caller: &mut Caller<'_, Host<B>>,
    import: &Import,
    question: impl FnOnce(&mut B, ImportCall<'_>, &mut Vec<u8>) -> ImportStep<B::Answer>,
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
        waiting: waiting(host),
    };
    Ok(question(&mut host.boundary, call, &mut host.reply))
}

/// Suspends the call until the answer is there.
fn wait<B: Boundary>(
    caller: &mut Caller<'_, Host<B>>,
    future: BoundaryFuture<B::Answer>,
) -> wasmtime::Result<B::Answer> {
    let waiter = match caller.data().waiter {
        Some(waiter) => waiter,
        None => {
            // Only an asynchronous host function may suspend a call, so there is one that does just that.
            let waiter = Func::wrap_async(&mut *caller, |mut caller: Caller<'_, Host<B>>, (): ()| {
                Box::new(async move {
                    if let Some(future) = caller.data_mut().wait.take() {
                        let answer = future.await;
                        caller.data_mut().answer = Some(answer);
                    }
                })
            });
            caller.data_mut().waiter = Some(waiter);
            waiter
        }
    };
    caller.data_mut().wait = Some(future);
    call_on_this_stack(caller, waiter, &mut [])?;
    caller.data_mut().answer.take().ok_or_else(|| HostFault("a wait ended without answer".to_owned()).into())
}

/// Hands the reply over to the guest and returns the status that says who owns it.
fn place<B: Boundary>(caller: &mut Caller<'_, Host<B>>, import: &Import) -> wasmtime::Result<i32> {
    let host = caller.data();
    let Ok(length) = u32::try_from(host.reply.len()) else { return Err(Refusal::AllocFailed.into()) };
    let guest_frees_all = host.package.inner.handles.resume.is_some();
    let fits = length == 0 || (length <= SCRATCH_BYTES && !guest_frees_all);
    let (pointer, status) = match host.slots {
        Some(slots) if fits => (slots + SLOT_BYTES, STATUS_HOST_OWNED),
        // Before there is a scratch buffer, nothing is as good as anywhere.
        None if length == 0 => (import.pointer_slot, STATUS_HOST_OWNED),
        _ if guest_frees_all => (allocate(caller, length)?, STATUS_HOST_OWNED),
        _ => (allocate(caller, length)?, STATUS_GUEST_OWNED),
    };
    let (memory, host) = import.memory.data_and_store_mut(caller);
    let range = checked(memory, pointer, length)?;
    memory[range].copy_from_slice(&host.reply);
    write_u32(memory, import.pointer_slot, pointer)?;
    write_u32(memory, import.length_slot, length)?;
    Ok(status)
}

/// Calls `__pack_alloc` from inside of an import.
fn allocate<B: Boundary>(caller: &mut Caller<'_, Host<B>>, length: u32) -> wasmtime::Result<u32> {
    let alloc = match caller.data().alloc {
        Some(alloc) => alloc,
        None => {
            let package = caller.data().package.clone();
            let Some(Extern::Func(alloc)) = caller.get_module_export(&package.inner.handles.alloc) else {
                return Err(Refusal::AllocFailed.into());
            };
            caller.data_mut().alloc = Some(alloc);
            alloc
        }
    };
    let mut values = [ValRaw::u32(length)];
    caller.data_mut().inside = Inside::Convention;
    call_on_this_stack(caller, alloc, &mut values)?;
    caller.data_mut().inside = Inside::Guest;
    match values[0].get_u32() {
        0 => Err(Refusal::AllocFailed.into()),
        pointer => Ok(pointer),
    }
}

/// Calls a function on the stack of the call that this import belongs to.
///
/// `TypedFunc::call_async` would take a second stack of the pool: so could every guest that sleeps in an import
/// after a large reply, and there would be half as many places for instances.
#[expect(unsafe_code, reason = "the safe calls either refuse or need a second stack")]
fn call_on_this_stack<B: Boundary>(
    caller: &mut Caller<'_, Host<B>>,
    func: Func,
    values: &mut [ValRaw],
) -> wasmtime::Result<()> {
    // SAFETY: the function belongs to this store, and `values` has room for its parameters and results: loading
    // a package checks that `__pack_alloc` is (i32) -> i32, and the waiter is () -> ().
    // The call may suspend and go on in another thread, which the safe entry refuses to do because of what may
    // lie on the stack between. Between this call and the guest lie the frames of this file, which hold a
    // `Caller` of a `Send` store, handles and numbers: all of them `Send`, and no lock or thread-local.
    unsafe { func.call_unchecked(caller, values) }
}
