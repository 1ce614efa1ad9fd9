//! A package whose imports are bound to one kind of boundary, ready to be instantiated many times.

use wasmtime::{InstancePre, Linker};

use crate::boundary::{Boundary, ImportIndex};
use crate::host::Host;
use crate::import::trampoline;
use crate::package::Package;
use crate::package_error::PackageError;

/// A package and its imports, all bound to the boundary's one way in. Clones are cheap.
pub struct Prepared<B: Boundary> {
    pub(crate) package: Package,
    pub(crate) instance: InstancePre<Host<B>>,
}

impl<B: Boundary> Clone for Prepared<B> {
    fn clone(&self) -> Self {
        Self { package: self.package.clone(), instance: self.instance.clone() }
    }
}

impl<B: Boundary> Prepared<B> {
    /// The package.
    #[must_use]
    pub fn package(&self) -> &Package {
        &self.package
    }
}

impl Package {
    /// Binds the imports.
    ///
    /// # Errors
    ///
    /// If the engine refuses it; a package that was loaded gives it no reason to.
    pub fn prepare<B: Boundary>(&self) -> Result<Prepared<B>, PackageError> {
        let mut linker = Linker::<Host<B>>::new(self.engine().wasmtime());
        for (index, import) in (0u32..).zip(self.imports()) {
            linker
                .func_wrap_async(&import.interface, &import.name, trampoline::<B>(ImportIndex(index)))
                .map_err(|error| PackageError::Compile(error.into()))?;
        }
        let instance = linker
            .instantiate_pre(&self.inner.module)
            .map_err(|error| PackageError::Compile(error.into()))?;
        Ok(Prepared { package: self.clone(), instance })
    }
}
