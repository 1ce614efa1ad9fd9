//! The host's side of the calling convention: buffers in guest memory, one call, its result.
//!
//! The order and sizes of the calls made here are rules of the [boundary](crate::boundary).

use std::ops::Range;

use wasmtime::{Extern, Func, Instance, Memory, ModuleExport, Store, TypedFunc};

use crate::boundary::{
    Boundary, BoundaryVersion, INPUT_BYTES_KEPT, INPUT_BYTES_MIN, SCRATCH_BYTES, SLOT_ALIGN, SLOT_BYTES,
};
use crate::host::{Host, Inside, checked, read_u32, write_u32};
use crate::import::STATUS_PENDING;
use crate::instance::PackInstance;
use crate::package::PackageInner;
use crate::trap::Refusal;

/// Copies of results larger than this are not kept for the next call.
const OUTPUT_BYTES_KEPT: usize = 1024 * 1024;
/// Longest panic text that is read.
const PANIC_BYTES_MAX: u32 = 16 * 1024;

type Export = TypedFunc<(u32, u32, u32, u32), i32>;
/// `__pack_resume`: completion id, address and length of the answer, slots.
pub(crate) type Resume = TypedFunc<(u32, u32, u32, u32, u32), i32>;

/// The exports of a live instance, and the host's buffers in its memory.
pub(crate) struct Guest {
    instance: Instance,
    pub(crate) memory: Memory,
    alloc: TypedFunc<u32, u32>,
    free: TypedFunc<(u32, u32), ()>,
    /// Resolved at their first call.
    exports: Vec<Option<Export>>,
    pub(crate) resume: Option<Resume>,
    /// The kept input buffer: address and size.
    input: (u32, u32),
    /// Guest address of the result slots.
    slots: Option<u32>,
    /// Guest address of the panic text's pointer and length.
    panic: Option<u32>,
}

/// Where the result of a call lies.
pub(crate) struct Output {
    pub(crate) is_error: bool,
    /// In guest memory; `None` if it was copied.
    in_guest: Option<Range<usize>>,
}

impl Output {
    const EMPTY: Self = Self { is_error: false, in_guest: Some(0..0) };

    /// Returns the bytes, from guest memory or from the copy.
    pub(crate) fn bytes<'a>(&self, memory: &'a [u8], copy: &'a [u8]) -> &'a [u8] {
        match &self.in_guest {
            Some(range) => memory.get(range.clone()).unwrap_or_default(),
            None => copy,
        }
    }
}

impl Guest {
    fn new<B: Boundary>(
        package: &PackageInner,
        store: &mut Store<Host<B>>,
        instance: Instance,
    ) -> wasmtime::Result<Self> {
        let handles = &package.handles;
        let Some(Extern::Memory(memory)) = instance.get_module_export(&mut *store, &handles.memory) else {
            return Err(Refusal::BadPointer.into());
        };
        let alloc = function(store, &instance, &handles.alloc)?.typed(&*store)?;
        let free = function(store, &instance, &handles.free)?.typed(&*store)?;
        let resume = match &handles.resume {
            Some(handle) => Some(function(store, &instance, handle)?.typed(&*store)?),
            None => None,
        };
        Ok(Self {
            instance,
            memory,
            alloc,
            free,
            exports: vec![None; handles.functions.len()],
            resume,
            input: (0, 0),
            slots: None,
            panic: None,
        })
    }

    /// Reads what the guest said when it panicked.
    pub(crate) fn panic_text<B: Boundary>(&self, store: &Store<Host<B>>) -> Option<String> {
        let memory = self.memory.data(store);
        let place = self.panic?;
        let pointer = read_u32(memory, place).ok()?;
        let length = read_u32(memory, place.checked_add(4)?).ok()?;
        let range = checked(memory, pointer, length.min(PANIC_BYTES_MAX)).ok()?;
        (length > 0).then(|| String::from_utf8_lossy(&memory[range]).into_owned())
    }

    /// Does what the first call of an instance does before anything else.
    async fn settle<B: Boundary>(
        &mut self,
        package: &PackageInner,
        store: &mut Store<Host<B>>,
    ) -> wasmtime::Result<u32> {
        if let Some(slots) = self.slots {
            return Ok(slots);
        }
        if let Some(handle) = &package.handles.panic {
            let panic: TypedFunc<(), u32> = function(store, &self.instance, handle)?.typed(&*store)?;
            store.data_mut().inside = Inside::Convention;
            self.panic = Some(panic.call_async(&mut *store, ()).await?);
        }
        let block = self.allocate(store, SLOT_BYTES + SCRATCH_BYTES + SLOT_ALIGN - 1).await?;
        // It cannot overflow: the block was checked to end inside of memory.
        let slots = block.next_multiple_of(SLOT_ALIGN);
        self.slots = Some(slots);
        let host = store.data_mut();
        host.slots = Some(slots);
        host.memory = Some(self.memory);
        host.alloc = Some(*self.alloc.func());
        Ok(slots)
    }

    /// Calls `__pack_alloc` and checks what it gives.
    pub(crate) async fn allocate<B: Boundary>(
        &self,
        store: &mut Store<Host<B>>,
        length: u32,
    ) -> wasmtime::Result<u32> {
        store.data_mut().inside = Inside::Convention;
        let pointer = self.alloc.call_async(&mut *store, length).await?;
        if pointer == 0 {
            return Err(Refusal::AllocFailed.into());
        }
        checked(self.memory.data(&*store), pointer, length)?;
        Ok(pointer)
    }

    /// Calls `__pack_free`.
    pub(crate) async fn release<B: Boundary>(
        &self,
        store: &mut Store<Host<B>>,
        block: (u32, u32),
    ) -> wasmtime::Result<()> {
        store.data_mut().inside = Inside::Convention;
        self.free.call_async(&mut *store, block).await
    }

    /// What stands in the slots is what the coming call writes, if anything.
    pub(crate) fn zero_slots<B: Boundary>(
        &self,
        store: &mut Store<Host<B>>,
        slots: u32,
    ) -> wasmtime::Result<()> {
        let memory = self.memory.data_mut(store);
        write_u32(memory, slots, 0)?;
        write_u32(memory, slots + 4, 0)?;
        Ok(())
    }

    /// Puts the input into guest memory; the flag says that it must be freed after the call.
    async fn place_input<B: Boundary>(
        &mut self,
        store: &mut Store<Host<B>>,
        slots: u32,
        input: &[u8],
    ) -> wasmtime::Result<((u32, u32), bool)> {
        let Ok(length) = u32::try_from(input.len()) else { return Err(Refusal::AllocFailed.into()) };
        if length == 0 {
            return Ok(((slots, 0), false));
        }
        let is_large = length > INPUT_BYTES_KEPT;
        let pointer = if is_large {
            self.allocate(store, length).await?
        } else {
            self.grow_input(store, length).await?
        };
        let memory = self.memory.data_mut(&mut *store);
        let range = checked(memory, pointer, length)?;
        memory[range].copy_from_slice(input);
        Ok(((pointer, length), is_large))
    }

    async fn grow_input<B: Boundary>(
        &mut self,
        store: &mut Store<Host<B>>,
        length: u32,
    ) -> wasmtime::Result<u32> {
        let (pointer, size) = self.input;
        if length <= size {
            return Ok(pointer);
        }
        if size > 0 {
            self.input = (0, 0);
            self.release(store, (pointer, size)).await?;
        }
        // At most 64 KiB, so the power of two exists.
        let size = length.next_power_of_two().max(INPUT_BYTES_MIN);
        self.input = (self.allocate(store, size).await?, size);
        Ok(self.input.0)
    }

    /// The export with this index.
    fn export<B: Boundary>(
        &mut self,
        package: &PackageInner,
        store: &mut Store<Host<B>>,
        index: usize,
    ) -> wasmtime::Result<&Export> {
        if self.exports[index].is_none() {
            let func = function(store, &self.instance, &package.handles.functions[index])?;
            self.exports[index] = Some(func.typed(&*store)?);
        }
        self.exports[index].as_ref().ok_or_else(|| Refusal::BadStatus.into())
    }
}

/// Resolves an exported function; loading has checked that it exists.
fn function<B: Boundary>(
    store: &mut Store<Host<B>>,
    instance: &Instance,
    handle: &ModuleExport,
) -> wasmtime::Result<Func> {
    match instance.get_module_export(store, handle) {
        Some(Extern::Func(func)) => Ok(func),
        _ => Err(Refusal::BadPointer.into()),
    }
}

impl<B: Boundary> PackInstance<B> {
    /// Creates the instance. Guest code runs only if the module has a start function.
    pub(crate) async fn create(&mut self) -> wasmtime::Result<()> {
        let instance = self.prepared.instance.instantiate_async(&mut self.store).await?;
        let package = &self.prepared.package().inner;
        self.guest = Some(Guest::new(package, &mut self.store, instance)?);
        Ok(())
    }

    /// Creates the instance and runs its constructors.
    pub(crate) async fn create_and_construct(&mut self) -> wasmtime::Result<Output> {
        self.create().await?;
        let package = &self.prepared.package().inner;
        let Some(guest) = &mut self.guest else { return Ok(Output::EMPTY) };
        if let Some(handle) = &package.handles.ctors {
            let construct: TypedFunc<(), ()> =
                function(&mut self.store, &guest.instance, handle)?.typed(&self.store)?;
            construct.call_async(&mut self.store, ()).await?;
        }
        guest.settle(package, &mut self.store).await?;
        Ok(Output::EMPTY)
    }

    /// Runs one call of the guest, from placing the input to freeing the result.
    pub(crate) async fn run(&mut self, index: usize, input: &[u8]) -> wasmtime::Result<Output> {
        let package = &self.prepared.package.inner;
        let Some(guest) = &mut self.guest else { return Err(Refusal::BadStatus.into()) };
        let store = &mut self.store;
        let slots = guest.settle(package, store).await?;
        let (block, is_large) = guest.place_input(store, slots, input).await?;
        guest.zero_slots(store, slots)?;
        let export = guest.export(package, store, index)?;
        let host = store.data_mut();
        host.can_park = package.handles.resume.is_some() && self.prepared.version >= BoundaryVersion::V2;
        host.inside = Inside::Guest;
        let mut status = export.call_async(&mut *store, (block.0, block.1, slots, slots + 4)).await?;
        if status == STATUS_PENDING
            && let Some(resume) = guest.resume.clone()
        {
            status = guest.pump(store, &resume, slots).await?;
        }
        let memory = guest.memory.data(&*store);
        let (pointer, length) = (read_u32(memory, slots)?, read_u32(memory, slots + 4)?);
        let range = checked(memory, pointer, length)?;
        let is_kept = length == 0 || package.sections.keeps_result;
        if !is_kept {
            if self.output.capacity() > OUTPUT_BYTES_KEPT {
                self.output = Vec::new();
            }
            self.output.clear();
            self.output.extend_from_slice(&memory[range.clone()]);
            guest.release(store, (pointer, length)).await?;
        }
        if is_large {
            guest.release(store, block).await?;
        }
        Ok(Output { is_error: status != 0, in_guest: is_kept.then_some(range) })
    }
}
