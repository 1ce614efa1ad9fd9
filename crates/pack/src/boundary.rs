//! The boundary: the one place where calls cross between guest and host, and the version of its rules.
//!
//! # Boundary version 2
//!
//! The host's own calls into the guest (allocator, constructors) change the guest's heap, so their order and
//! sizes are part of what a recording means. A later version keeps the earlier ones executable; what was
//! different in them stands at the end.
//!
//! *Entering.* Guest code runs only between [`Boundary::enter`] and [`Boundary::leave`], with the fuel of
//! that call. A module with a start function, `_initialize` or `__wasm_call_ctors` is instantiated inside a call of its own
//! ([`ExportIndex::INSTANTIATE`]); one without either runs nothing until its first call. The first call of an
//! instance, whichever it is, does in this order, before anything else:
//! 1. the start function, then `_initialize()` or, without it, `__wasm_call_ctors()`, if the module has them;
//! 2. `__pack_panic()`, if exported: the address of `(pointer: u32, length: u32)`, the text of a panic;
//! 3. `__pack_alloc(8 + 1024 + 7)`, rounded up to a multiple of 8: two result slots of 4 bytes, then a
//!    scratch buffer of 1024 bytes. Both live as long as the instance.
//!
//! *Input.* Up to 64 KiB goes into one buffer that is kept between calls. It starts at 1 KiB and is
//! replaced by the next sufficient power of two: `__pack_free(old)`, then `__pack_alloc(new)`. Larger input
//! gets `__pack_alloc(length)` and is freed after the call. Empty input is passed as `(slots, 0)`.
//!
//! *Call.* The slots are zeroed, then `export(input, length, slots, slots + 4)` runs. Status 0 is a result,
//! anything else a guest error whose text is UTF-8.
//!
//! *Result.* `(pointer, length)` is read from the slots and checked. The host copies the bytes and calls
//! `__pack_free(pointer, length)`, unless the length is 0 or the custom section `pack:sdk` (version 1, flags
//! bit 0) says that the guest keeps its result buffer: then they are read in place and nothing is freed.
//! A large input is freed last.
//!
//! *Import.* `(input, length)` and the slots are checked before the host hears of the call. A reply of up to
//! 1024 bytes goes to the scratch buffer (status 0). A larger one, every reply before step 3, and every reply
//! to a package that exports `__pack_resume` goes to `__pack_alloc(length)`: status 1, or 0 with
//! `__pack_resume`, whose guests own and free what they get with status 0. An empty reply to either is
//! `(slots, 0)` and not allocated. Status -1 is a refusal. A guest sleeps in an import that has to wait, unless
//! the next paragraph says otherwise.
//!
//! *Tasks.* A package that exports `__pack_resume` runs its calls as tasks that can park, with one host call in
//! flight at most:
//! - An import that has to wait returns at once, with status 1 and a completion id in the first slot; the second
//!   slot is left alone. Ids count from 0 in each instance, and wrap. The call is in flight now. An import that
//!   the host answers at once is not, and gets status 0 at any time.
//! - An import that would have to wait while another is in flight is refused: status -1.
//! - An export that returns status 1 has parked. The host waits for the answer of the call in flight, puts it into
//!   `__pack_alloc(length)`, zeroes the slots and calls `__pack_resume(id, pointer, length, slots, slots + 4)`;
//!   then `__pack_free(pointer, length)`, whatever it returned. An empty answer, and a refusal, is `(slots, 0)`.
//!   What `__pack_resume` returns means what it means from the export, so this repeats until it is not 1. All of
//!   it is one call, with the fuel of that call.
//! - A guest that parks with no call in flight would never be resumed: that is a trap.
//! - A call that ends with a host call in flight drops it: the boundary hears no answer.
//! - What the host does on its own account ([`ImportStep::Pause`]) is not visible: the guest sleeps. Constructors
//!   cannot park, so in them it sleeps too.
//!
//! *Traps.* Pointers that are out of bounds, an allocator that returns 0, a status out of the rules and an
//! import called while the host is inside `__pack_alloc`, `__pack_free` or `__pack_panic` end the call with
//! [`TrapKind::Refused`](crate::TrapKind::Refused). After a trap, memory is read and no guest code runs again.
//!
//! # Version 1
//!
//! Packages with `__pack_resume` sleep in imports that wait, like all others, and then get status 0. No call is
//! ever in flight, and status 1 from an export is a trap.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::trap::Trap;

/// The version of the rules on this page. It belongs to every genesis.
pub const BOUNDARY_VERSION: u32 = BoundaryVersion::NEWEST.number();

/// A version of the rules under which this program can run a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BoundaryVersion {
    /// Every guest sleeps in its imports.
    V1,
    /// Packages with `__pack_resume` park.
    V2,
}

impl BoundaryVersion {
    /// The rules of new recordings.
    pub const NEWEST: Self = Self::V2;

    /// The number that a genesis carries.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// Returns the version with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        [Self::V1, Self::V2].into_iter().find(|version| version.number() == number)
    }
}

/// Size of the buffer for import replies that every instance has. With the first input buffer it fits into one
/// page of memory; the first touch of a page costs more than a hundred allocations for larger replies.
pub(crate) const SCRATCH_BYTES: u32 = 1024;
/// The two result slots in front of the scratch buffer.
pub(crate) const SLOT_BYTES: u32 = 8;
/// Slots are aligned to this, although `__pack_alloc` promises nothing.
pub(crate) const SLOT_ALIGN: u32 = 8;
/// First size of the kept input buffer.
pub(crate) const INPUT_BYTES_MIN: u32 = 1024;
/// Largest input that uses the kept buffer.
pub(crate) const INPUT_BYTES_KEPT: u32 = 64 * 1024;

/// The index of an imported function of a package, in [`Package::imports`](crate::Package::imports).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImportIndex(pub u32);

/// The index of an exported function of a package, in [`Package::exports`](crate::Package::exports).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportIndex(pub u32);

impl ExportIndex {
    /// Stands for instantiation: start function and constructors, recorded as a call without input.
    pub const INSTANTIATE: Self = Self(u32::MAX);
}

/// A call from the host into the guest.
#[derive(Clone, Copy, Debug)]
pub struct ExportCall<'a> {
    /// What is called.
    pub export: ExportIndex,
    /// The encoded arguments.
    pub input: &'a [u8],
}

/// A call from the guest to the host. The input is borrowed from guest memory.
#[derive(Clone, Copy, Debug)]
pub struct ImportCall<'a> {
    /// What is called.
    pub function: ImportIndex,
    /// The encoded arguments, as they lie in guest memory; empty in [`Boundary::resume`] for a call in flight,
    /// because the guest has gone on since and may have used their memory for something else.
    pub input: &'a [u8],
    /// Fuel that the running export call has used so far.
    pub fuel_used: u64,
    /// What the guest does if the answer has to be waited for.
    pub waiting: Waiting,
}

/// What a guest does while a call of its own waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It sleeps in the import.
    Sleeps,
    /// It goes on until it parks; the call is in flight until then.
    GoesOn,
    /// It cannot: another call is in flight. [`ImportStep::Wait`] would be a refusal.
    Refused,
}

/// A reason of the host to end everything here: recording failed, or a replay diverged.
///
/// It passes through the running guest and comes back unchanged from
/// [`PackInstance::call`](crate::PackInstance::call).
#[derive(Debug)]
pub struct Stop(pub Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Stop {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

/// A future that a boundary hands out.
pub type BoundaryFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a boundary does with a call of the guest.
pub enum ImportStep<A> {
    /// The reply is in the buffer.
    Reply,
    /// The guest gets status -1 and nothing else; its SDK panics.
    Refused,
    /// The answer comes later; then [`Boundary::resume`] is asked. Until then the guest does what
    /// [`ImportCall::waiting`] says.
    Wait(BoundaryFuture<A>),
    /// The host itself must wait, for something that is none of the guest's business; then [`Boundary::resume`] is
    /// asked. The guest sleeps and does not notice.
    Pause(BoundaryFuture<A>),
    /// The export call ends here with [`TrapKind::Stopped`](crate::TrapKind::Stopped).
    Stop(Stop),
}

/// How an export call ended.
#[derive(Debug)]
pub enum CallEnd<'a> {
    /// The guest returned a result.
    Returned {
        /// The encoded result.
        output: &'a [u8],
        /// Fuel used by the call.
        fuel: u64,
    },
    /// The guest returned an error status.
    GuestError {
        /// Its text, UTF-8 if the guest keeps to the rules.
        message: &'a [u8],
        /// Fuel used by the call.
        fuel: u64,
    },
    /// The call trapped; the instance is of no further use.
    Trapped {
        /// What happened.
        trap: &'a Trap,
    },
    /// The future of the call was dropped, at a fuel yield or at a pending import.
    ///
    /// A repetition that gets this fuel as its limit stops at the same place: at a yield by running out
    /// of fuel, at an import with that import pending.
    Dropped {
        /// Fuel used until then.
        fuel: u64,
        /// The import that was waiting for its answer, if that is where the guest stood.
        pending_import: Option<ImportIndex>,
    },
}

/// Hears of every crossing of one instance, and answers the imports.
///
/// There is one boundary per instance and everything goes through it: a recorder and a replayer are
/// two implementors. Methods run on the guest's stack, of which the host has at least 1 MiB.
pub trait Boundary: Send + 'static {
    /// What an [`ImportStep::Wait`] or [`ImportStep::Pause`] waits for.
    type Answer: Send + 'static;

    /// Hears of a call before any guest code of it runs.
    ///
    /// # Errors
    ///
    /// On error the guest is not entered and [`leave`](Self::leave) is not called.
    fn enter(&mut self, call: ExportCall<'_>) -> Result<(), Stop>;

    /// Answers a call of the guest. `reply` is empty; what is in it counts with [`ImportStep::Reply`] only.
    fn import(&mut self, call: ImportCall<'_>, reply: &mut Vec<u8>) -> ImportStep<Self::Answer>;

    /// Goes on with an import whose wait is over. [`ImportStep::Wait`] and [`ImportStep::Pause`] are the same here:
    /// what the guest sees of the call does not change any more.
    fn resume(
        &mut self,
        call: ImportCall<'_>,
        answer: Self::Answer,
        reply: &mut Vec<u8>,
    ) -> ImportStep<Self::Answer>;

    /// Hears how a call ended: exactly once for each [`enter`](Self::enter) that succeeded, even if the
    /// future of the call is dropped.
    ///
    /// # Errors
    ///
    /// The error comes back from [`PackInstance::call`](crate::PackInstance::call), or from
    /// [`PackInstance::abandon`](crate::PackInstance::abandon) if the future is gone.
    fn leave(&mut self, call: ExportCall<'_>, end: CallEnd<'_>) -> Result<(), Stop>;

    /// Returns what the call must await before its result is handed out (back-pressure), if anything.
    fn wait_ready(&mut self) -> Option<BoundaryFuture<Result<(), Stop>>> {
        None
    }
}
