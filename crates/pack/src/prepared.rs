//! A package whose imports are bound to one kind of boundary, ready to be instantiated many times.

use wasmtime::{Caller, InstancePre, Linker};

use crate::boundary::{Boundary, BoundaryVersion, ImportIndex};
use crate::host::Host;
use crate::import::{Arguments, import};
use crate::package::Package;
use crate::package_error::PackageError;

/// A package and its imports, all bound to the boundary's one way in. Clones are cheap.
pub struct Prepared<B: Boundary> {
    pub(crate) package: Package,
    pub(crate) instance: InstancePre<Host<B>>,
    pub(crate) version: BoundaryVersion,
}

impl<B: Boundary> Clone for Prepared<B> {
    fn clone(&self) -> Self {
        Self { package: self.package.clone(), instance: self.instance.clone(), version: self.version }
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
    /// Binds the imports, under the newest rules of the boundary.
    ///
    /// # Errors
    ///
    /// If the engine refuses it; a package that was loaded gives it no reason to.
    pub fn prepare<B: Boundary>(&self) -> Result<Prepared<B>, PackageError> {
        self.prepare_under(BoundaryVersion::NEWEST)
    }

    /// Binds the imports, under the rules of the boundary that a recording was made with.
    ///
    /// # Errors
    ///
    /// As [`prepare`](Self::prepare).
    pub fn prepare_under<B: Boundary>(&self, version: BoundaryVersion) -> Result<Prepared<B>, PackageError> {
        let mut linker = Linker::<Host<B>>::new(self.engine().wasmtime());
        for (index, function) in (0u32..).zip(self.imports()) {
            let index = ImportIndex(index);
            let serve = move |mut caller: Caller<'_, Host<B>>, input, length, pointer_slot, length_slot| {
                import(&mut caller, index, &Arguments { input: (input, length), pointer_slot, length_slot })
            };
            linker
                .func_wrap(&function.interface, &function.name, serve)
                .map_err(|error| PackageError::Compile(error.into()))?;
        }
        let instance = linker
            .instantiate_pre(&self.inner.module)
            .map_err(|error| PackageError::Compile(error.into()))?;
        Ok(Prepared { package: self.clone(), instance, version })
    }
}
