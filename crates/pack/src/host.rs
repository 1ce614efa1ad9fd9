//! What the host keeps beside each instance: the boundary, the limits, and where the running call stands.

use std::ops::Range;

use wasmtime::{Func, Memory, ResourceLimiter};

use crate::boundary::{Boundary, BoundaryFuture, ImportIndex, Stop};
use crate::package::Package;
use crate::trap::{HostFault, Refusal};

/// The data of an instance's store.
pub(crate) struct Host<B: Boundary> {
    pub(crate) boundary: B,
    pub(crate) package: Package,
    pub(crate) limiter: Limiter,
    pub(crate) inside: Inside,
    /// Known from the first time that guest code needs it.
    pub(crate) memory: Option<Memory>,
    pub(crate) alloc: Option<Func>,
    /// Guest address of the result slots; the scratch buffer follows them.
    pub(crate) slots: Option<u32>,
    /// Reply of the import in hand.
    pub(crate) reply: Vec<u8>,
    /// Fuel that the running call was given.
    pub(crate) fuel: u64,
    /// The import that waits for its answer, if that is where the guest stands.
    pub(crate) pending: Option<ImportIndex>,
    /// Whether the guest can park in the running call.
    pub(crate) can_park: bool,
    /// The call in flight while the guest goes on.
    pub(crate) flight: Option<Flight<B::Answer>>,
    /// Calls that have been in flight, which is the id of the next one.
    pub(crate) flights: u32,
    /// The host function that suspends a call, once one has waited.
    pub(crate) waiter: Option<Func>,
    /// What it waits for, and what came of it.
    pub(crate) wait: Option<BoundaryFuture<B::Answer>>,
    pub(crate) answer: Option<B::Answer>,
    pub(crate) stop: Option<Stop>,
}

/// A call to the host whose answer the guest will be resumed with.
pub(crate) struct Flight<A> {
    /// What the guest knows it by.
    pub(crate) id: u32,
    pub(crate) function: ImportIndex,
    pub(crate) answer: BoundaryFuture<A>,
}

/// Which guest code runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inside {
    /// The actor's own.
    Guest,
    /// `__pack_alloc`, `__pack_free` or `__pack_panic`, called by the host: no import is served.
    Convention,
}

/// Grants and refuses growth. A refusal depends on the limit alone, so that it can be repeated.
pub(crate) struct Limiter {
    pub(crate) memory_bytes: u64,
    pub(crate) table_elements: u64,
    /// The last size in bytes that was refused.
    pub(crate) memory_refused: Option<u64>,
    pub(crate) is_table_refused: bool,
}

impl Limiter {
    pub(crate) fn new(memory_bytes: u64, table_elements: u64) -> Self {
        Self { memory_bytes, table_elements, memory_refused: None, is_table_refused: false }
    }
}

/// How wasmtime names a growth that no 32-bit memory can do. It does not ask the limiter first.
const BEYOND_TYPE: &str = "memory growth exceeds memory type's limits";

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = desired as u64 <= self.memory_bytes && maximum.is_none_or(|max| desired <= max);
        if !granted {
            self.memory_refused = Some(desired as u64);
        }
        Ok(granted)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if error.root_cause().to_string() == BEYOND_TYPE {
            self.memory_refused = Some(1 << 32);
            return Ok(());
        }
        // It was within the limit, so another run on another day would have got it.
        Err(HostFault(format!("the system refused memory: {error:#}")).into())
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = desired as u64 <= self.table_elements && maximum.is_none_or(|max| desired <= max);
        self.is_table_refused |= !granted;
        Ok(granted)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(HostFault(format!("the system refused a table: {error:#}")).into())
    }
}

/// Returns the range of a guest's pointer and length, if it lies in a memory of this size.
pub(crate) fn checked(memory: &[u8], pointer: u32, length: u32) -> Result<Range<usize>, Refusal> {
    let end = u64::from(pointer) + u64::from(length);
    if end > memory.len() as u64 {
        return Err(Refusal::BadPointer);
    }
    let start = usize::try_from(pointer).map_err(|_| Refusal::BadPointer)?;
    let end = usize::try_from(end).map_err(|_| Refusal::BadPointer)?;
    Ok(start..end)
}

/// Reads a number of the guest.
pub(crate) fn read_u32(memory: &[u8], pointer: u32) -> Result<u32, Refusal> {
    let bytes = &memory[checked(memory, pointer, 4)?];
    let bytes: [u8; 4] = bytes.try_into().map_err(|_| Refusal::BadPointer)?;
    Ok(u32::from_le_bytes(bytes))
}

/// Writes a number for the guest.
pub(crate) fn write_u32(memory: &mut [u8], pointer: u32, value: u32) -> Result<(), Refusal> {
    let range = checked(memory, pointer, 4)?;
    memory[range].copy_from_slice(&value.to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_refused_by_the_limit_and_by_the_module_but_not_by_the_system() {
        let mut limiter = Limiter::new(1000, 10);
        assert!(limiter.memory_growing(0, 1000, None).unwrap());
        assert!(!limiter.memory_growing(0, 900, Some(800)).unwrap());
        assert!(!limiter.memory_growing(0, 1001, Some(2000)).unwrap());
        assert_eq!(limiter.memory_refused, Some(1001));
        assert!(limiter.table_growing(0, 10, None).unwrap() && !limiter.is_table_refused);
        assert!(!limiter.table_growing(0, 11, None).unwrap() && limiter.is_table_refused);
        // What wasmtime says when the system does not give what the limit grants.
        let system = || wasmtime::Error::msg("Cannot allocate memory").context("failed to grow");
        assert!(limiter.memory_grow_failed(system()).unwrap_err().is::<HostFault>());
        assert!(limiter.table_grow_failed(system()).unwrap_err().is::<HostFault>());
    }

    #[test]
    fn ranges_are_checked_without_wrapping() {
        let memory = [0; 16];
        assert_eq!(checked(&memory, 0, 16).unwrap(), 0..16);
        assert_eq!(checked(&memory, 16, 0).unwrap(), 16..16);
        assert_eq!(checked(&memory, 16, 1), Err(Refusal::BadPointer));
        assert_eq!(checked(&memory, u32::MAX, 2), Err(Refusal::BadPointer));
        assert_eq!(checked(&memory, 1, u32::MAX), Err(Refusal::BadPointer));
        assert_eq!(read_u32(&memory, 13), Err(Refusal::BadPointer));
    }
}
