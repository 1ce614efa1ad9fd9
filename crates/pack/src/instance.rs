//! A live instance of a package: created, called, given up. It may be thrown away between any two calls.

use std::fmt;

use wasmtime::{PoolConcurrencyLimitError, Store};

use crate::boundary::{Boundary, CallEnd, ExportCall, ExportIndex, Stop};
use crate::call::{Guest, Output};
use crate::host::{Host, Inside, Limiter};
use crate::package::Package;
use crate::prepared::Prepared;
use crate::trap::{Trap, TrapKind, backtrace};

/// Longest error text of a guest that a caller gets; the boundary sees all of it.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// What an instance may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceLimits {
    /// Largest size of its memory.
    pub memory_bytes: u64,
    /// Largest size of its table.
    pub table_elements: u32,
    /// Fuel for start function and constructors.
    pub fuel_per_instantiate: u64,
    /// Fuel between two points at which a running call lets others run, and can be dropped.
    pub yield_every_fuel: u64,
}

impl Default for InstanceLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            table_elements: 20_000,
            fuel_per_instantiate: 1_000_000_000,
            // About a tenth of a millisecond of plain code.
            yield_every_fuel: 100_000,
        }
    }
}

/// A live instance and the boundary that hears of all its crossings.
pub struct PackInstance<B: Boundary> {
    pub(crate) prepared: Prepared<B>,
    pub(crate) store: Store<Host<B>>,
    pub(crate) guest: Option<Guest>,
    pub(crate) output: Vec<u8>,
    limits: InstanceLimits,
    phase: Phase,
    /// What `leave` answered when the future of a call was dropped.
    dropped: Result<(), Stop>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Ready,
    /// A call runs, or one ended in a way after which the guest's memory means nothing.
    Spent,
}

/// What a call returned. The bytes are borrowed from the instance or from guest memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallResult<'a> {
    /// The encoded result.
    Returned(&'a [u8]),
    /// The guest's error text.
    GuestError(String),
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The guest trapped; the instance is spent.
    #[error(transparent)]
    Trapped(Trap),
    /// The boundary ended it.
    #[error("stopped by the host")]
    Stop(#[source] Stop),
    /// The instance trapped before, or the future of a call was dropped, or it was never started.
    #[error("the instance cannot be called: it is new, or an earlier call did not end")]
    Spent,
    /// The package has no such export.
    #[error("the package has no export number {}", .0.0)]
    NoSuchExport(ExportIndex),
}

/// Why an instance did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// As many instances are alive as the engine can hold. It recovers when one ends.
    #[error("all {instances_max} places for instances are taken")]
    PoolExhausted {
        /// The engine's number of places.
        instances_max: u32,
    },
    /// A limit is above what the engine can grant.
    #[error("the limit of {limit} {unit} is above the engine's maximum of {maximum}")]
    LimitAbovePool {
        /// The limit asked for.
        limit: u64,
        /// The engine's maximum.
        maximum: u64,
        /// Bytes of memory or elements of a table.
        unit: &'static str,
    },
    /// The package needs more from the beginning than the limit grants.
    #[error("the package starts with {needed} bytes of memory, its limit is {limit}")]
    MemoryLimit {
        /// The memory's initial size.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// The package needs a larger table than the limit grants.
    #[error("the package needs a larger table than its limit of {limit} elements")]
    TableLimit {
        /// The limit.
        limit: u32,
    },
    /// A data segment, the start function or a constructor trapped.
    #[error(transparent)]
    Trapped(Trap),
    /// The boundary ended it.
    #[error("stopped by the host")]
    Stop(#[source] Stop),
    /// The instance was started before.
    #[error("the instance was started before")]
    Spent,
}

/// Why there is no instance, and the boundary that would have been its own.
pub struct InstantiateError<B> {
    /// The boundary.
    pub boundary: B,
    /// The cause.
    pub error: StartError,
}

impl<B> fmt::Debug for InstantiateError<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<B> fmt::Display for InstantiateError<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<B> std::error::Error for InstantiateError<B> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl<B: Boundary> PackInstance<B> {
    /// Makes an instance that has not started: nothing of the guest exists yet.
    ///
    /// A caller that may drop the future of [`start`](Self::start) keeps the boundary this way.
    #[must_use]
    pub fn new(prepared: &Prepared<B>, boundary: B, limits: &InstanceLimits) -> Self {
        let package = prepared.package().clone();
        let host = Host {
            boundary,
            limiter: Limiter::new(limits.memory_bytes, limits.table_elements.into()),
            inside: Inside::Guest,
            memory: None,
            alloc: None,
            slots: None,
            reply: Vec::new(),
            fuel: 0,
            pending: None,
            can_park: false,
            flight: None,
            flights: 0,
            waiter: None,
            wait: None,
            answer: None,
            stop: None,
            package,
        };
        let mut store = Store::new(prepared.package().engine().wasmtime(), host);
        store.limiter(|host| &mut host.limiter);
        Self {
            prepared: prepared.clone(),
            store,
            guest: None,
            output: Vec::new(),
            limits: *limits,
            phase: Phase::New,
            dropped: Ok(()),
        }
    }

    /// Makes an instance and starts it.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start), with the boundary.
    pub async fn instantiate(
        prepared: &Prepared<B>,
        boundary: B,
        limits: &InstanceLimits,
    ) -> Result<Self, InstantiateError<B>> {
        let mut instance = Self::new(prepared, boundary, limits);
        match instance.start().await {
            Ok(()) => Ok(instance),
            Err(error) => Err(InstantiateError { boundary: instance.into_boundary(), error }),
        }
    }

    /// Instantiates the package: memory, data, then start function and constructors if it has them, as a
    /// call of [`ExportIndex::INSTANTIATE`].
    ///
    /// # Errors
    ///
    /// If there is no place, a limit does not suffice, guest code trapped, or the boundary ended it.
    pub async fn start(&mut self) -> Result<(), StartError> {
        if self.phase != Phase::New {
            return Err(StartError::Spent);
        }
        self.check_limits()?;
        // The only error is an interval of zero without fuel, and there is fuel.
        if self.store.fuel_async_yield_interval(Some(self.limits.yield_every_fuel.max(1))).is_err() {
            return Err(StartError::Spent);
        }
        self.phase = Phase::Spent;
        if !self.package().has_start() {
            // Tables and data are filled by compiled code that takes fuel; it calls nothing of the guest.
            if self.store.set_fuel(self.limits.fuel_per_instantiate).is_err() {
                return Err(StartError::Spent);
            }
            let made = self.create().await;
            return made.map(|()| self.phase = Phase::Ready).map_err(|error| self.start_error(&error));
        }
        let call = ExportCall { export: ExportIndex::INSTANTIATE, input: &[] };
        self.enter(call, self.limits.fuel_per_instantiate).map_err(StartError::Stop)?;
        let open = OpenCall::new(self, call);
        let started = open.instance.create_and_construct().await;
        open.close();
        match self.leave(call, started) {
            Ok(_) => Ok(()),
            Err(Ended::Stop(stop)) => Err(StartError::Stop(stop)),
            Err(Ended::Trapped(error, _)) => Err(self.start_error(&error)),
        }
    }

    /// Calls an export with encoded arguments and at most this much fuel.
    ///
    /// Dropping the future ends the call where it stands; the boundary hears of it before the drop is over,
    /// and the instance is spent.
    ///
    /// # Errors
    ///
    /// If the guest trapped or broke the calling convention, if the boundary ended the call, or if this
    /// instance cannot be called (then the boundary hears nothing).
    pub async fn call(
        &mut self,
        export: ExportIndex,
        input: &[u8],
        fuel: u64,
    ) -> Result<CallResult<'_>, CallError> {
        if self.phase != Phase::Ready {
            return Err(CallError::Spent);
        }
        let index = usize::try_from(export.0).unwrap_or(usize::MAX);
        if index >= self.package().exports().len() {
            return Err(CallError::NoSuchExport(export));
        }
        let call = ExportCall { export, input };
        self.enter(call, fuel).map_err(CallError::Stop)?;
        self.phase = Phase::Spent;
        let open = OpenCall::new(self, call);
        let ran = open.instance.run(index, input).await;
        open.close();
        let output = match self.leave(call, ran) {
            Ok(output) => output,
            Err(Ended::Stop(stop)) => return Err(CallError::Stop(stop)),
            Err(Ended::Trapped(_, trap)) => return Err(CallError::Trapped(trap)),
        };
        if let Some(wait) = self.store.data_mut().boundary.wait_ready() {
            wait.await.map_err(CallError::Stop)?;
        }
        let bytes = self.output_bytes(&output);
        Ok(match output.is_error {
            true => {
                let shown = &bytes[..bytes.len().min(ERROR_BYTES_MAX)];
                CallResult::GuestError(String::from_utf8_lossy(shown).into_owned())
            }
            false => CallResult::Returned(bytes),
        })
    }

    /// The boundary.
    pub fn boundary(&self) -> &B {
        &self.store.data().boundary
    }

    /// The boundary.
    pub fn boundary_mut(&mut self) -> &mut B {
        &mut self.store.data_mut().boundary
    }

    /// Ends the instance and gives the boundary back.
    #[must_use]
    pub fn into_boundary(self) -> B {
        self.store.into_data().boundary
    }

    /// Ends the instance after the future of a call was dropped, and tells what [`Boundary::leave`] answered.
    pub fn abandon(self) -> (B, Result<(), Stop>) {
        (self.store.into_data().boundary, self.dropped)
    }

    /// The package.
    #[must_use]
    pub fn package(&self) -> &Package {
        self.prepared.package()
    }

    /// The present size of the guest's memory.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.guest.as_ref().map_or(0, |guest| guest.memory.data_size(&self.store) as u64)
    }

    /// Whether no call is possible any more: one trapped, or its future was dropped.
    #[must_use]
    pub fn poisoned(&self) -> bool {
        self.phase == Phase::Spent
    }

    fn check_limits(&self) -> Result<(), StartError> {
        let engine = self.package().engine();
        if self.limits.memory_bytes > engine.memory_bytes_max() {
            return Err(StartError::LimitAbovePool {
                limit: self.limits.memory_bytes,
                maximum: engine.memory_bytes_max(),
                unit: "bytes of memory",
            });
        }
        if self.limits.table_elements > engine.table_elements_max() {
            return Err(StartError::LimitAbovePool {
                limit: self.limits.table_elements.into(),
                maximum: engine.table_elements_max().into(),
                unit: "table elements",
            });
        }
        Ok(())
    }

    fn enter(&mut self, call: ExportCall<'_>, fuel: u64) -> Result<(), Stop> {
        // Fuel is switched on in every engine, so setting it cannot fail; a call with stale fuel must not run.
        self.store.set_fuel(fuel).map_err(|error| Stop(error.into()))?;
        let host = self.store.data_mut();
        host.fuel = fuel;
        host.pending = None;
        host.can_park = false;
        host.limiter.memory_refused = None;
        host.boundary.enter(call)
    }

    /// Tells the boundary how a call ended.
    fn leave(&mut self, call: ExportCall<'_>, ran: wasmtime::Result<Output>) -> Result<Output, Ended> {
        let fuel = self.fuel_used();
        self.store.data_mut().flight = None;
        match ran {
            Ok(output) => {
                self.phase = Phase::Ready;
                let (in_guest, host) = match &self.guest {
                    Some(guest) => guest.memory.data_and_store_mut(&mut self.store),
                    None => (&mut [][..], self.store.data_mut()),
                };
                let bytes = output.bytes(in_guest, &self.output);
                let end = match output.is_error {
                    true => CallEnd::GuestError { message: bytes, fuel },
                    false => CallEnd::Returned { output: bytes, fuel },
                };
                host.boundary.leave(call, end).map_err(Ended::Stop)?;
                Ok(output)
            }
            Err(error) => {
                let trap = self.trap(&error, fuel);
                let host = self.store.data_mut();
                let left = host.boundary.leave(call, CallEnd::Trapped { trap: &trap });
                // The stop that ended the guest is the cause; one from `leave` would be its consequence.
                match (host.stop.take(), left) {
                    (Some(stop), _) | (None, Err(stop)) => Err(Ended::Stop(stop)),
                    (None, Ok(())) => Err(Ended::Trapped(error, trap)),
                }
            }
        }
    }

    fn leave_dropped(&mut self, call: ExportCall<'_>) {
        let fuel = self.fuel_used();
        let host = self.store.data_mut();
        host.flight = None;
        let end = CallEnd::Dropped { fuel, pending_import: host.pending };
        self.dropped = host.boundary.leave(call, end);
    }

    fn fuel_used(&self) -> u64 {
        let left = self.store.get_fuel().unwrap_or(0);
        self.store.data().fuel.saturating_sub(left)
    }

    fn output_bytes(&self, output: &Output) -> &[u8] {
        let in_guest = self.guest.as_ref().map_or(&[][..], |guest| guest.memory.data(&self.store));
        output.bytes(in_guest, &self.output)
    }

    fn trap(&self, error: &wasmtime::Error, fuel: u64) -> Trap {
        let kind = TrapKind::of(error);
        let message = match kind {
            TrapKind::Unreachable => self.guest.as_ref().and_then(|g| g.panic_text(&self.store)),
            _ => None,
        };
        let memory_refused = self.store.data().limiter.memory_refused;
        Trap { kind, message, backtrace: backtrace(error), memory_refused, fuel: Some(fuel) }
    }

    fn start_error(&self, error: &wasmtime::Error) -> StartError {
        if error.is::<PoolConcurrencyLimitError>() {
            return StartError::PoolExhausted { instances_max: self.package().engine().instances_max() };
        }
        let trap = self.trap(error, self.fuel_used());
        let limiter = &self.store.data().limiter;
        let exists = self.guest.is_some() || error.is::<wasmtime::Trap>();
        match (limiter.memory_refused, limiter.is_table_refused) {
            (Some(needed), _) if !exists => {
                StartError::MemoryLimit { needed, limit: self.limits.memory_bytes }
            }
            (_, true) if !exists => StartError::TableLimit { limit: self.limits.table_elements },
            _ => StartError::Trapped(trap),
        }
    }
}

/// How a call ended without a result.
enum Ended {
    Trapped(wasmtime::Error, Trap),
    Stop(Stop),
}

/// A call between `enter` and `leave`. If it goes away while it is open, the future was dropped.
struct OpenCall<'a, 'i, B: Boundary> {
    instance: &'a mut PackInstance<B>,
    call: ExportCall<'i>,
    is_open: bool,
}

impl<'a, 'i, B: Boundary> OpenCall<'a, 'i, B> {
    fn new(instance: &'a mut PackInstance<B>, call: ExportCall<'i>) -> Self {
        Self { instance, call, is_open: true }
    }

    fn close(mut self) {
        self.is_open = false;
    }
}

impl<B: Boundary> Drop for OpenCall<'_, '_, B> {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        if std::thread::panicking() {
            // A boundary that has just panicked may do so again, and a second panic would end the process.
            let leave = std::panic::AssertUnwindSafe(|| self.instance.leave_dropped(self.call));
            drop(std::panic::catch_unwind(leave));
        } else {
            self.instance.leave_dropped(self.call);
        }
    }
}
