//! What a replay begins with: genesis, engine, state, package, and the call that was dropped if one was.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pack::{BoundaryVersion, Engine, Package};
use theater_chain::{ChainIndex, Event, Genesis, Hash, Kind, Outcome, Query, ReadError, Run, RunHasher};

use super::drive::{ReplayError, ReplayOptions};
use super::replayer::Numbers;
use crate::actor::State;
use crate::link::function_table;

/// Packages of a run that were loaded before.
pub(super) type Packages = Mutex<BTreeMap<Hash, Package>>;

pub(super) fn genesis_of(first: &Event, chain: ChainIndex) -> Result<Genesis, ReplayError> {
    if matches!(first.payload, theater_chain::Payload::Redacted { .. }) {
        return Err(ReplayError::Redacted { chain, seq: first.header.seq });
    }
    let payload = first.payload.input().filter(|_| first.header.kind == Kind::Genesis);
    let payload = payload.ok_or(ReplayError::NoGenesis(chain))?;
    Genesis::decode(payload).map_err(|_| ReplayError::NoGenesis(chain))
}

/// Returns the rules under which the recording was made.
pub(super) fn boundary_version(genesis: &Genesis) -> Result<BoundaryVersion, ReplayError> {
    let recorded = genesis.boundary_version;
    BoundaryVersion::from_number(recorded)
        .ok_or(ReplayError::Boundary { recorded, here: pack::BOUNDARY_VERSION })
}

pub(super) fn check_engine(
    genesis: &Genesis,
    version: BoundaryVersion,
    engine: &Engine,
) -> Result<(), ReplayError> {
    let here = engine.fingerprint_under(version).semantic;
    for (name, recorded) in &genesis.setting.fingerprint_semantic {
        let known =
            here.iter().find(|(known, _)| known == name).map_or("absent", |(_, value)| value.as_str());
        if known != recorded {
            let (name, recorded, here) = (name.clone(), recorded.clone(), known.to_owned());
            return Err(ReplayError::Engine { name, recorded, here });
        }
    }
    Ok(())
}

/// Returns the state that the genesis names. Without the run's secret its hash is taken as recorded.
pub(super) fn initial_state(
    hasher: Option<&RunHasher>,
    genesis: &Genesis,
    chain: ChainIndex,
) -> Result<State, ReplayError> {
    let malformed = |what: &str| ReplayError::Malformed { chain, seq: 0, what: what.to_owned() };
    if genesis.entry.is_some() {
        let state = State::absent();
        let is_absent = genesis.state.is_empty() && genesis.state_hash == state.hash();
        return if is_absent {
            Ok(state)
        } else {
            Err(malformed("an actor that ends with its first call has a state"))
        };
    }
    let bytes: Option<&[u8]> =
        pack_abi::decode(&genesis.state).map_err(|_| malformed("the state is no option<list<u8>>"))?;
    let unsalted = RunHasher::new(&[0; 32]);
    let state = State::initial(hasher.unwrap_or(&unsalted), bytes)
        .map_err(|_| malformed("the state is too large"))?;
    if hasher.is_none() {
        return Ok(state.hashed_as(genesis.state_hash));
    }
    if state.hash() != genesis.state_hash {
        return Err(malformed("the state does not have the hash that the genesis names"));
    }
    Ok(state)
}

pub(super) fn load_package(
    (run, packages): (&Run, &Packages),
    genesis: &Genesis,
    options: &ReplayOptions,
) -> Result<Package, ReplayError> {
    if let Some(wasm) = &options.wasm {
        return Ok(Package::load(&options.engine, wasm)?);
    }
    let mut packages = packages.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(package) = packages.get(&genesis.package) {
        return Ok(package.clone());
    }
    let wasm = run.blob(&genesis.package)?;
    let package = Package::load(&options.engine, &wasm)?;
    packages.insert(genesis.package, package.clone());
    Ok(package)
}

/// Finds the recorded numbers of the running package's functions, by name.
pub(super) fn numbers(genesis: &Genesis, package: &Package) -> Numbers {
    let here = function_table(package);
    let number = |entry: &theater_chain::FunctionEntry| {
        let at = genesis.setting.functions.iter().position(|recorded| recorded == entry);
        at.and_then(|at| u32::try_from(at).ok())
    };
    let (imports, exports) = here.split_at(package.imports().len());
    Numbers {
        package: package.clone(),
        imports: imports.iter().map(number).collect(),
        exports: exports.iter().map(number).collect(),
        same_package: package.hash() == genesis.package.0,
        import_names: imports.iter().map(|entry| format!("{}.{}", entry.interface, entry.name)).collect(),
    }
}

/// Finds the call that was dropped, if one was: a dropped call is the last of its incarnation.
pub(super) fn last_drop(run: &Run, chain: ChainIndex) -> Result<Option<(u64, u64)>, ReadError> {
    let drops = Query { failing_only: true, ..Query::of_chain(chain).of_kinds(&[Kind::Trap]) };
    let Some(drop) = run.last(&drops, 1, is_drop)?.pop() else { return Ok(None) };
    let calls = Query::of_chain(chain).of_kinds(&[Kind::Call]);
    let call = run.last(&calls, 1, |event| is_call_before(event, &drop))?.pop();
    Ok(Some((call.map_or(0, |call| call.header.seq), drop.header.fuel)))
}

pub(super) fn is_drop(event: &Event) -> bool {
    event.header.kind == Kind::Trap && event.header.outcome == Outcome::Dropped
}

pub(super) fn is_call_before(event: &Event, drop: &Event) -> bool {
    event.header.kind == Kind::Call && event.header.seq < drop.header.seq
}
