//! Types for `flags`: sets of named bits.

/// Defines a type for `flags`; generated bindings use it where `__abi` names the codec.
#[doc(hidden)]
#[macro_export]
macro_rules! __flags {
    ($(#[$docs:meta])* $name:ident { $($(#[$flag_docs:meta])* $flag:ident = $bit:literal,)* }) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, $crate::GraphValue)]
        #[graph(crate = "__abi", flags)]
        pub struct $name(u64);

        impl $name {
            $($(#[$flag_docs])* pub const $flag: Self = Self(1 << $bit);)*
            const ALL: u64 = 0 $(| (1 << $bit))*;

            /// Returns the set without flags.
            pub const fn empty() -> Self {
                Self(0)
            }

            /// Returns the set of all flags.
            pub const fn all() -> Self {
                Self(Self::ALL)
            }

            /// Returns the bits.
            pub const fn bits(&self) -> u64 {
                self.0
            }

            /// Returns the set with these bits, without those that have no name.
            pub const fn from_bits_truncate(bits: u64) -> Self {
                Self(bits & Self::ALL)
            }

            /// Returns whether no flag is set.
            pub const fn is_empty(&self) -> bool {
                self.0 == 0
            }

            /// Returns whether all flags of `other` are set.
            pub const fn contains(&self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Sets the flags of `other`.
            pub const fn insert(&mut self, other: Self) {
                self.0 |= other.0;
            }

            /// Clears the flags of `other`.
            pub const fn remove(&mut self, other: Self) {
                self.0 &= !other.0;
            }
        }

        impl ::core::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl ::core::ops::BitAnd for $name {
            type Output = Self;

            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
        }
    };
}
