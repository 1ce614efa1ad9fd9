//! What a package is, as the metadata that it carries.

use pack_abi::metadata::Metadata;
use pack_abi::types::Interface;
use pack_wit::World;

/// The bytes of `__pack_types` for a world.
pub(crate) fn metadata(world: &World) -> Result<Vec<u8>, String> {
    let with_functions = |interfaces: &[Interface]| -> Vec<Interface> {
        interfaces.iter().filter(|interface| !interface.functions.is_empty()).cloned().collect()
    };
    Metadata::new(with_functions(&world.imports), with_functions(&world.exports))
        .encode()
        .map_err(|error| format!("the world `{}` cannot be described: {error}", world.name))
}
