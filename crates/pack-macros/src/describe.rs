//! What a package is, as the metadata that it carries.

use pack_abi::metadata::Metadata;
use pack_abi::types::Interface;
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
