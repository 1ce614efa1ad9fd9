//! Writes `generate!` with the text of Theater's interfaces in it, so that actors need no copy of them.

use std::fmt::Write as _;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut sources = String::new();
    for (name, text) in wit::FILES {
        write!(sources, "({name:?}, {text:?}), ")?;
    }
    let code = format!(
        "/// Generates bindings for the actor's world.\n\
         ///\n\
         /// `generate!(\"wit\")` reads the folder `wit` beside `Cargo.toml`. The interfaces of `theater:simple` are\n\
         /// known; files of other packages are in `wit/deps`. With several worlds,\n\
         /// `generate!({{ path: \"wit\", world: \"name\" }})`.\n\
         #[macro_export]\n\
         macro_rules! generate {{\n    ($($options:tt)*) => {{\n        $crate::pack_guest::__bindings! {{ \
         crate = [$crate::pack_guest]; sources = [{sources}]; $($options)* }}\n    }};\n}}\n"
    );
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    std::fs::write(folder.join("generate.rs"), code)?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
