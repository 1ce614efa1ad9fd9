//! What a package is, as the metadata that it carries, and as text with the docs.

use pack_abi::metadata::Metadata;
use pack_abi::types::{Interface, TypeDefKind};
use pack_wit::World;

use crate::possible::Impossible;

/// The bytes of `__pack_types` for a world.
pub(crate) fn metadata(world: &World) -> Result<Vec<u8>, Impossible> {
    let with_functions = |interfaces: &[Interface]| -> Vec<Interface> {
        interfaces.iter().filter(|interface| !interface.functions.is_empty()).cloned().collect()
    };
    Metadata::new(with_functions(&world.imports), with_functions(&world.exports)).encode().map_err(|error| {
        Impossible {
            interface: String::new(),
            item: world.name.clone(),
            message: format!("the world `{}` cannot be described: {error}", world.name),
        }
    })
}

/// The interface text of a world, if there are docs in it: what else it says, the metadata says as well.
pub(crate) fn text(world: &World) -> Option<String> {
    let mut interfaces = world.imports.iter().chain(&world.exports);
    let has_docs = !world.docs.is_empty() || interfaces.any(has_docs);
    has_docs.then(|| pack_wit::print_world(world))
}

fn has_docs(interface: &Interface) -> bool {
    let mut functions = interface.functions.iter();
    !interface.docs.is_empty()
        || functions.any(|function| !function.docs.is_empty())
        || interface.types.iter().any(|def| !def.docs.is_empty() || has_inner_docs(&def.kind))
}

fn has_inner_docs(kind: &TypeDefKind) -> bool {
    match kind {
        TypeDefKind::Record(fields) => fields.iter().any(|field| !field.docs.is_empty()),
        TypeDefKind::Variant(cases) => cases.iter().any(|case| !case.docs.is_empty()),
        TypeDefKind::Enum(cases) | TypeDefKind::Flags(cases) => {
            cases.iter().any(|case| !case.docs.is_empty())
        }
        TypeDefKind::Alias(_) | TypeDefKind::Parameter(_) => false,
    }
}
