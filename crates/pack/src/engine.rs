//! The one place where the engine is configured: what guests may use, and what makes their runs repeatable.
//!
//! Everything decided here is named in the [`Fingerprint`]. Interruption, metering and cooperative yielding
//! are all fuel; there are no epochs, because they stop a guest at a place that no repetition finds again.

use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sha2::{Digest as _, Sha256};
use wasmtime::{
    Config, Enabled, InstanceAllocationStrategy, OperatorCost, OptLevel, PoolingAllocationConfig,
    WasmBacktraceDetails, WasmFeatures,
};

use crate::boundary::BoundaryVersion;
use crate::cache::{Cache, CacheDir};
use crate::fingerprint::Fingerprint;
use crate::package::PackageInner;

/// The version of the engine that is linked; a test compares it with the lock file.
pub(crate) const ENGINE_VERSION: &str = "wasmtime 48.0.8";

/// Stack for guest code. Overflow is a trap; the place depends on the engine build.
const GUEST_STACK_BYTES: usize = 512 * 1024;
/// Stack of a running call, guest and host together.
const CALL_STACK_BYTES: usize = 2 * 1024 * 1024;
/// Address space per memory: with 4 GiB and a guard, 32-bit addresses need no checks.
const MEMORY_RESERVATION_BYTES: u64 = 1 << 32;
const MEMORY_GUARD_BYTES: u64 = 32 << 20;
/// Mappings that the rest of the process may need.
const MAPPINGS_RESERVED: u64 = 4096;
/// Mappings per instance: two for its stack and the guard, four for image, heap and rest of its memory.
const MAPPINGS_PER_INSTANCE: u64 = 6;
/// Written memory that the next instance in a place finds still there, and need not fault in.
const KEPT_RESIDENT_BYTES: usize = 64 << 10;
const INSTANCES_DEFAULT: u32 = 10_000;
const INSTANCES_MIN: u32 = 16;

/// The instruction set that compiled code may use, the same on every machine of an architecture: frame
/// sizes, and with them the place of a stack overflow, do not depend on the processor.
#[cfg(target_arch = "x86_64")]
const CPU_BASELINE: &[&str] = &["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];
#[cfg(not(target_arch = "x86_64"))]
const CPU_BASELINE: &[&str] = &[];

/// The proposals that guests may use, and no others. What `rustc`, `clang` and TinyGo emit by default is here.
pub(crate) const PROPOSALS: WasmFeatures = WasmFeatures::FLOATS
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST);

/// How large the engine may become.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Instances that can be alive at once. What the system does not grant is halved until it does;
    /// [`Engine::instances_max`] tells the outcome.
    pub instances_max: u32,
    /// The largest memory that any instance may be given, at most 4 GiB.
    pub memory_bytes_max: u64,
    /// The largest table that any instance may be given.
    pub table_elements_max: u32,
    /// Where compiled code is kept between processes, if anywhere.
    pub cache: Option<CacheDir>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            instances_max: instances_for_mappings(mappings_max()),
            memory_bytes_max: MEMORY_RESERVATION_BYTES,
            table_elements_max: 20_000,
            cache: None,
        }
    }
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The options contradict each other or the machine.
    #[error("a memory maximum of {0} bytes is not between 64 KiB and 4 GiB")]
    MemoryMax(u64),
    /// wasmtime refused the configuration.
    #[error("the engine cannot be set up on this machine")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The directory for compiled code cannot be trusted or used.
    #[error("no cache for compiled code")]
    Cache(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Compiles packages and holds the memory of their instances. One per process; clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<EngineInner>,
}

struct EngineInner {
    wasmtime: wasmtime::Engine,
    instances_max: u32,
    memory_bytes_max: u64,
    table_elements_max: u32,
    cache: Option<Cache>,
    loaded: Mutex<BTreeMap<[u8; 32], Weak<PackageInner>>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("instances_max", &self.inner.instances_max).finish_non_exhaustive()
    }
}

impl Engine {
    /// Sets the engine up.
    ///
    /// # Errors
    ///
    /// If the options are out of range, the machine lacks what the baseline needs, or the cache directory
    /// is not private to this user.
    pub fn new(options: &EngineOptions) -> Result<Self, EngineError> {
        if !(65536..=MEMORY_RESERVATION_BYTES).contains(&options.memory_bytes_max) {
            return Err(EngineError::MemoryMax(options.memory_bytes_max));
        }
        let mut instances_max = options.instances_max.max(1);
        let wasmtime = loop {
            match configuration(options, instances_max).and_then(|c| wasmtime::Engine::new(&c)) {
                Ok(engine) => break engine,
                // Address space and mappings may be limited in ways that cannot be asked for.
                Err(_) if instances_max > 1 => instances_max /= 2,
                Err(error) => return Err(EngineError::Setup(error.into())),
            }
        };
        let cache = match &options.cache {
            Some(dir) => {
                Some(Cache::open(dir, identity(&wasmtime)).map_err(|e| EngineError::Cache(Box::new(e)))?)
            }
            None => None,
        };
        let inner = EngineInner {
            wasmtime,
            instances_max,
            memory_bytes_max: options.memory_bytes_max,
            table_elements_max: options.table_elements_max,
            cache,
            loaded: Mutex::new(BTreeMap::new()),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What guests of this engine can observe of it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint_under(BoundaryVersion::NEWEST)
    }

    /// What guests can observe of this engine under the rules of a recording.
    #[must_use]
    pub fn fingerprint_under(&self, version: BoundaryVersion) -> Fingerprint {
        let proposals: Vec<_> = PROPOSALS.iter_names().map(|(name, _)| name.to_lowercase()).collect();
        let pairs = |list: &[(&str, String)]| {
            list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        Fingerprint {
            semantic: pairs(&[
                ("boundary", version.number().to_string()),
                ("nan", "canonical".to_owned()),
                ("relaxed-simd", "deterministic".to_owned()),
                ("proposals", proposals.join(",")),
            ]),
            descriptive: pairs(&[
                ("engine", ENGINE_VERSION.to_owned()),
                ("fuel", "one per operator; one per byte or element of bulk operators".to_owned()),
                ("target", target().unwrap_or("host").to_owned()),
                ("cpu", CPU_BASELINE.join(",")),
                ("optimisation", "speed".to_owned()),
                ("guest-stack-bytes", GUEST_STACK_BYTES.to_string()),
            ]),
        }
    }

    /// Instances that can be alive at once.
    #[must_use]
    pub fn instances_max(&self) -> u32 {
        self.inner.instances_max
    }

    /// The largest memory that an instance may be given.
    #[must_use]
    pub fn memory_bytes_max(&self) -> u64 {
        self.inner.memory_bytes_max
    }

    /// The largest table that an instance may be given.
    #[must_use]
    pub fn table_elements_max(&self) -> u32 {
        self.inner.table_elements_max
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner.wasmtime
    }

    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.inner.cache.as_ref()
    }

    /// Returns the package with this hash if one is in use.
    pub(crate) fn loaded(&self, hash: &[u8; 32]) -> Option<Arc<PackageInner>> {
        self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(hash)?.upgrade()
    }

    /// Remembers a package as long as someone uses it.
    pub(crate) fn remember(&self, hash: [u8; 32], package: &Arc<PackageInner>) {
        let mut loaded = self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.retain(|_, package| package.strong_count() > 0);
        loaded.insert(hash, Arc::downgrade(package));
    }
}

/// The configuration. Nothing else in the workspace makes one.
fn configuration(options: &EngineOptions, instances_max: u32) -> wasmtime::Result<Config> {
    let mut config = Config::new();
    if let Some(target) = target() {
        config.target(target)?;
        for flag in CPU_BASELINE {
            enable_flag(&mut config, flag);
        }
    }
    config
        .wasm_features(WasmFeatures::all(), false)
        .wasm_features(PROPOSALS, true)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .consume_fuel(true)
        .operator_cost(OperatorCost::new())
        .epoch_interruption(false)
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(GUEST_STACK_BYTES)
        .async_stack_size(CALL_STACK_BYTES)
        .memory_reservation(MEMORY_RESERVATION_BYTES)
        .memory_guard_size(MEMORY_GUARD_BYTES)
        .memory_init_cow(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .native_unwind_info(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(options, instances_max)));
    Ok(config)
}

fn pool(options: &EngineOptions, instances_max: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    // Both are at most 4 GiB, which a 64-bit host can count.
    let memory_bytes_max = usize::try_from(options.memory_bytes_max).unwrap_or(usize::MAX);
    let table_elements_max = usize::try_from(options.table_elements_max).unwrap_or(usize::MAX);
    pool.total_core_instances(instances_max)
        .total_memories(instances_max)
        .total_tables(instances_max)
        // A call runs on one stack whatever it does, and an instance keeps it for the next.
        .total_stacks(instances_max)
        .max_memories_per_module(1)
        .max_tables_per_module(1)
        .max_memory_size(memory_bytes_max)
        // Small tables are cleared by hand, which is faster than giving their pages back and faulting them in.
        .table_keep_resident(8192)
        .table_elements(table_elements_max);
    // Without this way to ask for the pages that were written, more would be written than were, in every place.
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes).linear_memory_keep_resident(KEPT_RESIDENT_BYTES);
    }
    pool
}

#[expect(unsafe_code, reason = "wasmtime marks all native code generation flags so")]
fn enable_flag(config: &mut Config, flag: &str) {
    // SAFETY: the flags of CPU_BASELINE name instruction sets, and `Engine::new` fails if the
    // processor lacks one of them; none changes what generated code means.
    unsafe {
        config.cranelift_flag_enable(flag);
    }
}

/// The host's target triple where it is known; naming it switches off what wasmtime infers from the processor.
fn target() -> Option<&'static str> {
    let x86 = cfg!(target_arch = "x86_64");
    let arm = cfg!(target_arch = "aarch64");
    let gnu = cfg!(all(target_os = "linux", target_env = "gnu"));
    let musl = cfg!(all(target_os = "linux", target_env = "musl"));
    let mac = cfg!(target_os = "macos");
    match (x86, arm) {
        (true, _) if gnu => Some("x86_64-unknown-linux-gnu"),
        (true, _) if musl => Some("x86_64-unknown-linux-musl"),
        (true, _) if mac => Some("x86_64-apple-darwin"),
        (_, true) if gnu => Some("aarch64-unknown-linux-gnu"),
        (_, true) if musl => Some("aarch64-unknown-linux-musl"),
        (_, true) if mac => Some("aarch64-apple-darwin"),
        _ => None,
    }
}

/// Names the engine to the cache: all settings that compiled code depends on.
fn identity(engine: &wasmtime::Engine) -> [u8; 32] {
    struct Collect(Sha256);
    impl Hasher for Collect {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut hash = Collect(Sha256::new());
    hash.write(ENGINE_VERSION.as_bytes());
    engine.precompile_compatibility_hash().hash(&mut hash);
    hash.0.finalize().into()
}

/// Mappings that the system grants a process.
fn mappings_max() -> u64 {
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    // Systems without the file have no such limit; Linux's default is a safe guess.
    text.trim().parse().unwrap_or(65_530)
}

fn instances_for_mappings(mappings: u64) -> u32 {
    let instances = mappings.saturating_sub(MAPPINGS_RESERVED) / MAPPINGS_PER_INSTANCE;
    u32::try_from(instances).unwrap_or(u32::MAX).clamp(INSTANCES_MIN, INSTANCES_DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_follow_the_mappings_that_the_system_grants() {
        assert_eq!(instances_for_mappings(0), INSTANCES_MIN);
        assert_eq!(instances_for_mappings(16_384), 2048);
        assert_eq!(instances_for_mappings(u64::MAX), INSTANCES_DEFAULT);
    }

    #[test]
    fn engine_version_is_the_locked_one() {
        let lock = include_str!("../../../Cargo.lock");
        let (_, after) = lock.split_once("name = \"wasmtime\"\nversion = \"").unwrap();
        let (version, _) = after.split_once('"').unwrap();
        assert_eq!(ENGINE_VERSION, format!("wasmtime {version}"));
    }

    #[test]
    fn memory_maximum_out_of_range_is_refused() {
        let options = EngineOptions { memory_bytes_max: 5 << 30, ..EngineOptions::default() };
        assert!(matches!(Engine::new(&options), Err(EngineError::MemoryMax(_))));
    }
}
