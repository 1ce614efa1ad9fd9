//! Parser of interface text (WIT and its extensions) into pack-abi types.
