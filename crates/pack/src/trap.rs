//! Why a call ended without a result: kinds with stable codes, panic text, backtrace.

use std::fmt;

use wasmtime::WasmBacktrace;

/// A call that ended without a result, told so that a person can act on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// What happened.
    pub kind: TrapKind,
    /// The text of the guest's panic, if it panicked and its SDK keeps the text.
    pub message: Option<String>,
    /// The guest's frames, innermost first; lines are there if the package has debug info.
    pub backtrace: Vec<Frame>,
    /// The size in bytes of the last growth of memory that the limit refused during the call.
    pub memory_refused: Option<u64>,
    /// Fuel used by the call, if guest code ran.
    pub fuel: Option<u64>,
}

/// One frame of a guest's backtrace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The demangled name, or `wasm function N`.
    pub function: String,
    /// Source file.
    pub file: Option<String>,
    /// Source line, from 1.
    pub line: Option<u32>,
}

/// What ended a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrapKind {
    /// The `unreachable` instruction: a panic, an abort, an assertion.
    Unreachable,
    /// A load or store outside of memory.
    MemoryOutOfBounds,
    /// An access outside of a table.
    TableOutOfBounds,
    /// An indirect call through an empty table entry.
    IndirectCallToNull,
    /// An indirect call with another signature.
    BadSignature,
    /// An integer overflow, such as the smallest number divided by -1.
    IntegerOverflow,
    /// An integer divided by zero.
    IntegerDivisionByZero,
    /// A float that does not fit into the integer it is converted to.
    BadConversionToInteger,
    /// The call stack is used up.
    StackOverflow,
    /// The fuel of the call is used up.
    OutOfFuel,
    /// The guest broke the calling convention.
    Refused(Refusal),
    /// The host failed, not the guest: the system refused memory, a pool is exhausted.
    HostFault(String),
    /// The boundary stopped the call; see [`Stop`](crate::Stop).
    Stopped,
}

/// How a guest broke the calling convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It passed or returned a pointer and length that do not lie in its memory.
    BadPointer,
    /// It called an import while the host was inside its allocator.
    ReentrantImport,
    /// Its allocator returned 0.
    AllocFailed,
    /// It returned a status that has no meaning here.
    BadStatus,
    /// It parked, but waits for no answer: nothing would ever resume it.
    NothingInFlight,
}

impl Refusal {
    /// The stable name, for texts and chains.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadPointer => "bad-pointer",
            Self::ReentrantImport => "reentrant-import",
            Self::AllocFailed => "alloc-failed",
            Self::BadStatus => "bad-status",
            Self::NothingInFlight => "nothing-in-flight",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadPointer => "the guest passed a pointer outside of its memory",
            Self::ReentrantImport => "the guest called an import from inside its allocator",
            Self::AllocFailed => "the guest's allocator returned nothing",
            Self::BadStatus => "the guest returned a status without meaning",
            Self::NothingInFlight => "the guest parked its task while no call to the host was in flight",
        })
    }
}

impl std::error::Error for Refusal {}

/// Marks the errors of the system that end a call.
#[derive(Debug)]
pub(crate) struct HostFault(pub(crate) String);

impl fmt::Display for HostFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HostFault {}

/// Marks the way of a [`Stop`](crate::Stop) through the guest; the stop itself waits in the host state.
#[derive(Debug)]
pub(crate) struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped by the boundary")
    }
}

impl std::error::Error for Stopped {}

impl TrapKind {
    /// The stable number of the kind. Numbers are never reused.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Unreachable => 1,
            Self::MemoryOutOfBounds => 2,
            Self::TableOutOfBounds => 3,
            Self::IndirectCallToNull => 4,
            Self::BadSignature => 5,
            Self::IntegerOverflow => 6,
            Self::IntegerDivisionByZero => 7,
            Self::BadConversionToInteger => 8,
            Self::StackOverflow => 9,
            Self::OutOfFuel => 10,
            Self::Refused(Refusal::BadPointer) => 16,
            Self::Refused(Refusal::ReentrantImport) => 17,
            Self::Refused(Refusal::AllocFailed) => 18,
            Self::Refused(Refusal::BadStatus) => 19,
            Self::Refused(Refusal::NothingInFlight) => 20,
            Self::HostFault(_) => 32,
            Self::Stopped => 33,
        }
    }

    /// Returns the kind with this number; the text of a host fault is not part of the number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Unreachable,
            2 => Self::MemoryOutOfBounds,
            3 => Self::TableOutOfBounds,
            4 => Self::IndirectCallToNull,
            5 => Self::BadSignature,
            6 => Self::IntegerOverflow,
            7 => Self::IntegerDivisionByZero,
            8 => Self::BadConversionToInteger,
            9 => Self::StackOverflow,
            10 => Self::OutOfFuel,
            16 => Self::Refused(Refusal::BadPointer),
            17 => Self::Refused(Refusal::ReentrantImport),
            18 => Self::Refused(Refusal::AllocFailed),
            19 => Self::Refused(Refusal::BadStatus),
            20 => Self::Refused(Refusal::NothingInFlight),
            32 => Self::HostFault(String::new()),
            33 => Self::Stopped,
            _ => return None,
        })
    }

    /// The stable name of the kind, for texts and chains.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::MemoryOutOfBounds => "memory-out-of-bounds",
            Self::TableOutOfBounds => "table-out-of-bounds",
            Self::IndirectCallToNull => "indirect-call-to-null",
            Self::BadSignature => "bad-signature",
            Self::IntegerOverflow => "integer-overflow",
            Self::IntegerDivisionByZero => "integer-division-by-zero",
            Self::BadConversionToInteger => "bad-conversion-to-integer",
            Self::StackOverflow => "stack-overflow",
            Self::OutOfFuel => "out-of-fuel",
            Self::Refused(refusal) => refusal.as_str(),
            Self::HostFault(_) => "host-fault",
            Self::Stopped => "stopped",
        }
    }

    /// Whether the end depends on resources rather than on the meaning of the code: another build of the
    /// engine may reach it elsewhere.
    #[must_use]
    pub fn is_resource(&self) -> bool {
        match self {
            Self::StackOverflow | Self::OutOfFuel | Self::HostFault(_) => true,
            Self::Unreachable
            | Self::MemoryOutOfBounds
            | Self::TableOutOfBounds
            | Self::IndirectCallToNull
            | Self::BadSignature
            | Self::IntegerOverflow
            | Self::IntegerDivisionByZero
            | Self::BadConversionToInteger
            | Self::Refused(_)
            | Self::Stopped => false,
        }
    }

    /// Classifies what wasmtime gave back.
    pub(crate) fn of(error: &wasmtime::Error) -> Self {
        if error.is::<Stopped>() {
            return Self::Stopped;
        }
        if let Some(refusal) = error.downcast_ref::<Refusal>() {
            return Self::Refused(*refusal);
        }
        if let Some(HostFault(text)) = error.downcast_ref::<HostFault>() {
            return Self::HostFault(text.clone());
        }
        match error.downcast_ref::<wasmtime::Trap>() {
            Some(trap) => Self::of_instruction(*trap),
            None => Self::HostFault(error.root_cause().to_string()),
        }
    }

    fn of_instruction(trap: wasmtime::Trap) -> Self {
        match trap {
            wasmtime::Trap::UnreachableCodeReached => Self::Unreachable,
            wasmtime::Trap::MemoryOutOfBounds => Self::MemoryOutOfBounds,
            wasmtime::Trap::TableOutOfBounds => Self::TableOutOfBounds,
            wasmtime::Trap::IndirectCallToNull => Self::IndirectCallToNull,
            wasmtime::Trap::BadSignature => Self::BadSignature,
            wasmtime::Trap::IntegerOverflow => Self::IntegerOverflow,
            wasmtime::Trap::IntegerDivisionByZero => Self::IntegerDivisionByZero,
            wasmtime::Trap::BadConversionToInteger => Self::BadConversionToInteger,
            wasmtime::Trap::StackOverflow => Self::StackOverflow,
            wasmtime::Trap::OutOfFuel => Self::OutOfFuel,
            other => Self::HostFault(other.to_string()),
        }
    }
}

impl fmt::Display for TrapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::HostFault(text) => write!(f, "the host failed: {text}"),
            Self::Stopped => f.write_str("stopped by the host"),
            Self::Unreachable => f.write_str("the guest reached `unreachable` (panic or abort)"),
            Self::MemoryOutOfBounds => f.write_str("memory access out of bounds"),
            Self::TableOutOfBounds => f.write_str("table access out of bounds"),
            Self::IndirectCallToNull => f.write_str("indirect call through an empty table entry"),
            Self::BadSignature => f.write_str("indirect call with another signature"),
            Self::IntegerOverflow => f.write_str("integer overflow"),
            Self::IntegerDivisionByZero => f.write_str("integer division by zero"),
            Self::BadConversionToInteger => f.write_str("float does not fit into the integer"),
            Self::StackOverflow => f.write_str("call stack used up"),
            Self::OutOfFuel => f.write_str("fuel used up"),
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(bytes) = self.memory_refused {
            write!(f, " (after memory was refused growth to {bytes} bytes)")?;
        }
        Ok(())
    }
}

impl std::error::Error for Trap {}

/// Returns the guest's frames that an error carries.
pub(crate) fn backtrace(error: &wasmtime::Error) -> Vec<Frame> {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    let mut frames = Vec::new();
    for frame in trace.frames() {
        let function = match frame.func_name() {
            Some(name) => demangle(name),
            None => format!("wasm function {}", frame.func_index()),
        };
        if frame.symbols().is_empty() {
            frames.push(Frame { function, file: None, line: None });
            continue;
        }
        for symbol in frame.symbols() {
            frames.push(Frame {
                function: symbol.name().map_or_else(|| function.clone(), demangle),
                file: symbol.file().map(str::to_owned),
                line: symbol.line(),
            });
        }
    }
    frames
}

/// Returns the readable name, without the hash that the compiler appends.
pub(crate) fn demangle(name: &str) -> String {
    const CHARS_MAX: usize = 256;
    let name = format!("{:#}", rustc_demangle::demangle(name));
    match name.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_leads_back_to_its_kind() {
        let kinds: Vec<_> = (0..=u8::MAX).filter_map(TrapKind::from_code).collect();
        assert_eq!(kinds.len(), 17);
        for kind in &kinds {
            assert_eq!(TrapKind::from_code(kind.code()).as_ref(), Some(kind));
        }
        let mut names: Vec<_> = kinds.iter().map(TrapKind::as_str).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), kinds.len());
    }

    #[test]
    fn only_ends_that_depend_on_the_engine_are_resource_ends() {
        let names: Vec<_> = (0..=u8::MAX)
            .filter_map(TrapKind::from_code)
            .filter(TrapKind::is_resource)
            .map(|k| k.as_str())
            .collect();
        assert_eq!(names, ["stack-overflow", "out-of-fuel", "host-fault"]);
    }
}
