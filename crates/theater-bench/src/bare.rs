//! The engine without us: the same guest on wasmtime alone, as the baseline of calls, instances and loops.
//!
//! Without the feature `baselines` there is none.

use crate::groups::Failure;
use crate::measure::Round;

/// What a crossing of the bare engine does besides crossing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hashing {
    /// Nothing.
    None,
    /// SHA-256 of what a recorded event with so many bytes of payload hashes.
    Event { payload_bytes: usize },
}

/// A measurement on the bare engine, or none if it is not there.
pub(crate) type Bare = Result<Option<Round<'static>>, Failure>;

/// The milliseconds of compiling a module, and of reading it compiled.
pub(crate) type Loads = Result<[Option<Round<'static>>; 2], Failure>;

#[cfg(feature = "baselines")]
pub(crate) use present::{compute, exports, imports, instances, loads};

#[cfg(not(feature = "baselines"))]
pub(crate) use absent::{compute, exports, imports, instances, loads};

#[cfg(not(feature = "baselines"))]
mod absent {
    use super::{Bare, Hashing, Loads};

    pub(crate) fn loads(_: &[u8]) -> Loads {
        Ok([None, None])
    }

    pub(crate) fn exports(_: &[u8], _: u32, _: Hashing) -> Bare {
        Ok(None)
    }

    pub(crate) fn imports(_: &[u8], _: u32, _: Hashing) -> Bare {
        Ok(None)
    }

    pub(crate) fn instances(_: &[u8], _: u32) -> Bare {
        Ok(None)
    }

    pub(crate) fn compute(_: &[u8], _: &'static str, _: u32) -> Bare {
        Ok(None)
    }
}

#[cfg(feature = "baselines")]
mod present {
    use wasmtime::{
        Caller, Config, Engine, Instance, InstanceAllocationStrategy, InstancePre, Linker, Module,
        PoolingAllocationConfig, Store, TypedFunc,
    };

    use super::{Bare, Hashing, Loads};
    use crate::groups::Failure;
    use crate::hashes::Preimages;
    use crate::measure::{nanoseconds_each, time};
    use crate::stage::{FUEL, LOOP, NONE, block_on};

    /// Fuel between two yields.
    const YIELD_EVERY: u64 = 50_000;
    /// Places of the pool; one is in use at a time.
    const POOL: u32 = 16;
    /// Export: input, length and two slots to a status.
    type Export = TypedFunc<(u32, u32, u32, u32), i32>;
    const ARGUMENTS: (u32, u32, u32, u32) = (0, 4, 32, 36);

    /// What the host keeps beside the guest.
    struct Host {
        preimages: Option<Preimages>,
        number: u32,
    }

    impl Host {
        fn new(hashing: Hashing) -> Self {
            let preimages = match hashing {
                Hashing::None => None,
                Hashing::Event { payload_bytes } => Some(Preimages::new(payload_bytes)),
            };
            Self { preimages, number: 0 }
        }

        fn hash(&mut self) {
            self.number = self.number.wrapping_add(1);
            if let Some(preimages) = &mut self.preimages {
                preimages.hash(self.number);
            }
        }
    }

    /// The guest on an engine that is as deterministic as ours.
    struct Guest {
        store: Store<Host>,
        instance: Instance,
    }

    impl Guest {
        fn new(wasm: &[u8], hashing: Hashing) -> Result<Self, Failure> {
            let ready = prepare(wasm)?;
            let mut store = store(ready.module().engine(), hashing)?;
            let instance = block_on(ready.instantiate_async(&mut store))?;
            Ok(Self { store, instance })
        }

        fn export(&mut self, name: &str) -> Result<Export, Failure> {
            Ok(self.instance.get_typed_func(&mut self.store, name)?)
        }
    }

    fn engine() -> Result<Engine, Failure> {
        let mut config = Config::new();
        config.consume_fuel(true).cranelift_nan_canonicalization(true);
        let mut pool = PoolingAllocationConfig::new();
        pool.total_core_instances(POOL).total_memories(POOL).total_tables(POOL).total_stacks(POOL);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        Ok(Engine::new(&config)?)
    }

    fn prepare(wasm: &[u8]) -> Result<InstancePre<Host>, Failure> {
        let engine = engine()?;
        let module = Module::new(&engine, wasm)?;
        let mut linker = Linker::new(&engine);
        for import in module.imports() {
            linker.func_wrap_async(
                import.module(),
                import.name(),
                |mut caller: Caller<'_, Host>, _: (u32, u32, u32, u32)| {
                    caller.data_mut().hash();
                    Box::new(async { 0 })
                },
            )?;
        }
        Ok(linker.instantiate_pre(&module)?)
    }

    fn store(engine: &Engine, hashing: Hashing) -> Result<Store<Host>, Failure> {
        let mut store = Store::new(engine, Host::new(hashing));
        store.set_fuel(FUEL)?;
        store.fuel_async_yield_interval(Some(YIELD_EVERY))?;
        Ok(store)
    }

    /// A module out of its bytes, and out of its compiled code in memory.
    pub(crate) fn loads(wasm: &[u8]) -> Loads {
        let (compiling, reading, wasm) = (engine()?, engine()?, wasm.to_vec());
        let code = Module::new(&compiling, &wasm)?.serialize()?;
        let compile = move || {
            let (took, _) = time(|| Ok(Module::new(&compiling, &wasm)?))?;
            Ok(took.as_secs_f64() * 1000.0)
        };
        let read = move || {
            let (took, _) = time(|| deserialize(&reading, &code))?;
            Ok(took.as_secs_f64() * 1000.0)
        };
        Ok([Some(Box::new(compile)), Some(Box::new(read))])
    }

    #[expect(unsafe_code, reason = "compiled code is native code; wasmtime cannot check what it does")]
    fn deserialize(engine: &Engine, code: &[u8]) -> Result<Module, Failure> {
        // SAFETY: the code comes from `Module::serialize` of an engine with the same settings.
        Ok(unsafe { Module::deserialize(engine, code) }?)
    }

    /// Calls of an export that does nothing.
    pub(crate) fn exports(wasm: &[u8], calls: u32, hashing: Hashing) -> Bare {
        let mut guest = Guest::new(wasm, hashing)?;
        let none = guest.export(NONE)?;
        Ok(Some(Box::new(move || {
            guest.store.set_fuel(FUEL)?;
            nanoseconds_each(calls, || {
                for _ in 0..calls {
                    block_on(none.call_async(&mut guest.store, ARGUMENTS))?;
                    guest.store.data_mut().hash();
                }
                Ok(())
            })
        })))
    }

    /// Asynchronous imports out of the guest's loop, whose length is `calls`.
    pub(crate) fn imports(wasm: &[u8], calls: u32, hashing: Hashing) -> Bare {
        let mut guest = Guest::new(wasm, hashing)?;
        let again = guest.export(LOOP)?;
        Ok(Some(Box::new(move || {
            guest.store.set_fuel(FUEL)?;
            nanoseconds_each(calls, || {
                block_on(again.call_async(&mut guest.store, ARGUMENTS))?;
                Ok(())
            })
        })))
    }

    /// Instances out of a pool, with one call each.
    pub(crate) fn instances(wasm: &[u8], count: u32) -> Bare {
        let ready = prepare(wasm)?;
        Ok(Some(Box::new(move || {
            nanoseconds_each(count, || {
                for _ in 0..count {
                    let mut store = store(ready.module().engine(), Hashing::None)?;
                    let instance = block_on(ready.instantiate_async(&mut store))?;
                    let none: Export = instance.get_typed_func(&mut store, NONE)?;
                    block_on(none.call_async(&mut store, ARGUMENTS))?;
                }
                Ok(())
            })
        })))
    }

    /// A loop without imports, on an engine as it comes: no fuel, no canonical NaNs, no asynchrony.
    pub(crate) fn compute(wasm: &[u8], export: &'static str, steps: u32) -> Bare {
        let engine = Engine::new(&Config::new())?;
        let module = Module::new(&engine, wasm)?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        let run: Export = instance.get_typed_func(&mut store, export)?;
        Ok(Some(Box::new(move || {
            nanoseconds_each(steps, || {
                run.call(&mut store, ARGUMENTS)?;
                Ok(())
            })
        })))
    }
}
