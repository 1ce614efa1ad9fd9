//! The packages of children, found as `theater run` finds its own: built if there are sources, else the file.

use std::path::Path;

use theater::ActorSpec;
use theater::packages::{LoadError, Packages};

use crate::cmd::build;
use crate::home::Home;
use crate::project::{self, Described};
use crate::ui::error::CliError;
use crate::ui::printer::Printer;

/// Finds packages by their manifests.
pub(crate) struct Projects {
    pub(crate) home: Home,
    pub(crate) printer: Printer,
}

impl Packages for Projects {
    fn load(&self, manifest: &Path) -> Result<ActorSpec, LoadError> {
        let unusable = |error: CliError| LoadError::Build(error.to_string());
        let Described { manifest, text, source, .. } = project::describe(manifest, &[]).map_err(unusable)?;
        let (_, wasm) = build::wasm_of(source, &self.home, self.printer).map_err(unusable)?;
        let state = manifest.initial_state()?;
        Ok(ActorSpec { manifest, manifest_text: text.into_bytes(), wasm, state })
    }
}
