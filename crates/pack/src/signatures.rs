//! Which signature each function of a module has, as the package describes itself.
//!
//! A description may say more than the module does: a linker drops imports that nobody calls. A function that the
//! description leaves out has no signature here, and it is for the caller to decide what that means.

use std::collections::BTreeMap;

use pack_abi::contract::Contract;
use pack_abi::metadata::Metadata;
use pack_abi::types::{Function, Interface};

use crate::package::{ExportFunction, ImportFunction};
use crate::package_error::PackageError;

/// The signatures of a module's functions, in the order of the module.
#[derive(Default)]
pub(crate) struct Signatures {
    imports: Vec<Option<Place>>,
    exports: Vec<Option<Place>>,
    /// What the calls of the exports are checked against.
    contracts: Vec<Option<Contract>>,
}

/// Where a function is in the metadata: its interface, then its place there.
type Place = (usize, usize);

impl Signatures {
    /// Finds the functions of a module in its description.
    ///
    /// # Errors
    ///
    /// If the description has a function twice.
    pub(crate) fn new(
        metadata: &Metadata,
        imports: &[ImportFunction],
        exports: &[ExportFunction],
    ) -> Result<Self, PackageError> {
        let declared = places(&metadata.imports)?;
        let imports = imports.iter().map(|import| (import.interface.as_str(), import.name.as_str()));
        let imports = imports.map(|name| declared.get(&name).copied()).collect();
        let declared = places(&metadata.exports)?;
        let exports: Vec<_> = exports
            .iter()
            .map(|export| match (export.interface.as_str(), export.name.as_str()) {
                ("", name) => declared.get(&("", name)).copied().or_else(|| only_one(&declared, name)),
                name => declared.get(&name).copied(),
            })
            .collect();
        let contracts = exports.iter().map(|place| {
            let (interface, function) = at(&metadata.exports, (*place)?)?;
            Some(Contract::new(interface, function))
        });
        Ok(Self { imports, contracts: contracts.collect(), exports })
    }

    pub(crate) fn import<'m>(
        &self,
        metadata: &'m Metadata,
        index: usize,
    ) -> Option<(&'m Interface, &'m Function)> {
        at(&metadata.imports, (*self.imports.get(index)?)?)
    }

    pub(crate) fn export<'m>(
        &self,
        metadata: &'m Metadata,
        index: usize,
    ) -> Option<(&'m Interface, &'m Function)> {
        at(&metadata.exports, (*self.exports.get(index)?)?)
    }

    pub(crate) fn contract(&self, index: usize) -> Option<&Contract> {
        self.contracts.get(index)?.as_ref()
    }
}

fn at(interfaces: &[Interface], (interface, function): Place) -> Option<(&Interface, &Function)> {
    let interface = interfaces.get(interface)?;
    Some((interface, interface.functions.get(function)?))
}

fn places(interfaces: &[Interface]) -> Result<BTreeMap<(&str, &str), Place>, PackageError> {
    let mut places = BTreeMap::new();
    for (at, interface) in interfaces.iter().enumerate() {
        for (place, function) in interface.functions.iter().enumerate() {
            if places.insert((interface.name.as_str(), function.name.as_str()), (at, place)).is_some() {
                return Err(PackageError::DeclaredTwice {
                    interface: interface.name.clone(),
                    function: function.name.clone(),
                });
            }
        }
    }
    Ok(places)
}

/// Upstream's guests may export a function of an interface by its bare name.
fn only_one(declared: &BTreeMap<(&str, &str), Place>, name: &str) -> Option<Place> {
    let mut found = declared.iter().filter(|((_, declared), _)| *declared == name);
    let (_, place) = found.next()?;
    found.next().is_none().then_some(*place)
}
