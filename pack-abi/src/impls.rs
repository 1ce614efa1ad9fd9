//! The Rust types that have a wire form of their own.

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use crate::{Decode, DecodeError, DecodeErrorKind, Encode, EncodeError, Encoder};
use crate::{GraphType, Kind, NodeRef, TypeWriter};

/// A set of up to 64 flags, bit i being the i-th declared one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flags(pub u64);

macro_rules! scalar {
    ($type:ty, $kind:ident, $width:literal, $node:literal, $raw:expr, $read:expr, $bad:ident) => {
        impl GraphType for $type {
            const FIXED: Option<Kind> = Some(Kind::$kind);

            #[inline]
            fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
                types.leaf(Kind::$kind)
            }
        }

        impl Encode for $type {
            #[inline]
            fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
                let mut node = [0; $node];
                node[0] = Kind::$kind as u8;
                node[4] = $width;
                let raw: fn($type) -> [u8; $width] = $raw;
                node[8..].copy_from_slice(&raw(*self));
                Ok(encoder.scalar(node))
            }

            #[inline]
            fn encode_slice(items: &[Self], encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
                encoder.array::<Self, $width>(Kind::$kind, items, $raw)
            }
        }

        impl<'a> Decode<'a> for $type {
            #[inline]
            fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
                let read: fn([u8; $width]) -> Option<Self> = $read;
                match read(node.scalar::<$width>(Kind::$kind)?) {
                    Some(value) => Ok(value),
                    None => Err(node.error(DecodeErrorKind::$bad)),
                }
            }

            #[inline]
            fn decode_list(node: NodeRef<'a, '_>) -> Result<Vec<Self>, DecodeError> {
                let read: fn([u8; $width]) -> Option<Self> = $read;
                let (elements, _) = node.packed(Kind::$kind)?.as_chunks::<$width>();
                let mut items = Vec::with_capacity(elements.len());
                for element in elements {
                    match read(*element) {
                        Some(item) => items.push(item),
                        None => return Err(node.error(DecodeErrorKind::$bad)),
                    }
                }
                Ok(items)
            }
        }
    };
}

/// Numbers of which every bit pattern is one.
macro_rules! number {
    ($($type:ty, $kind:ident, $width:literal, $node:literal;)*) => {$(
        impl GraphType for $type {
            const FIXED: Option<Kind> = Some(Kind::$kind);

            #[inline]
            fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
                types.leaf(Kind::$kind)
            }
        }

        impl Encode for $type {
            #[inline]
            fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
                let mut node = [0; $node];
                node[0] = Kind::$kind as u8;
                node[4] = $width;
                node[8..].copy_from_slice(&self.to_le_bytes());
                Ok(encoder.scalar(node))
            }

            #[inline]
            fn encode_slice(items: &[Self], encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
                encoder.array::<Self, $width>(Kind::$kind, items, Self::to_le_bytes)
            }
        }

        impl<'a> Decode<'a> for $type {
            #[inline]
            fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
                node.scalar::<$width>(Kind::$kind).map(Self::from_le_bytes)
            }

            #[inline]
            fn decode_list(node: NodeRef<'a, '_>) -> Result<Vec<Self>, DecodeError> {
                let (elements, _) = node.packed(Kind::$kind)?.as_chunks::<$width>();
                Ok(elements.iter().map(|element| Self::from_le_bytes(*element)).collect())
            }
        }
    )*};
}

number! {
    i8, S8, 1, 9;
    u16, U16, 2, 10;
    i16, S16, 2, 10;
    u32, U32, 4, 12;
    i32, S32, 4, 12;
    f32, F32, 4, 12;
    u64, U64, 8, 16;
    i64, S64, 8, 16;
    f64, F64, 8, 16;
}

scalar!(
    bool,
    Bool,
    1,
    9,
    |value| [u8::from(value)],
    |[byte]| match byte {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    },
    BadBool
);
scalar!(
    char,
    Char,
    4,
    12,
    |value| u32::from(value).to_le_bytes(),
    |raw| Self::from_u32(u32::from_le_bytes(raw)),
    BadChar
);
scalar!(
    Flags,
    Flags,
    8,
    16,
    |value| value.0.to_le_bytes(),
    |raw| Some(Self(u64::from_le_bytes(raw))),
    Truncated
);

impl GraphType for u8 {
    const FIXED: Option<Kind> = Some(Kind::U8);

    #[inline]
    fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
        types.leaf(Kind::U8)
    }
}

impl Encode for u8 {
    #[inline]
    fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
        Ok(encoder.scalar([Kind::U8 as Self, 0, 0, 0, 1, 0, 0, 0, *self]))
    }

    #[inline]
    fn encode_slice(items: &[Self], encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
        encoder.bytes(items)
    }
}

impl<'a> Decode<'a> for u8 {
    #[inline]
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        node.scalar::<1>(Kind::U8).map(|[byte]| byte)
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn decode_list(node: NodeRef<'a, '_>) -> Result<Vec<Self>, DecodeError> {
        node.as_bytes().map(<[Self]>::to_vec)
    }
}

impl GraphType for str {
    #[inline]
    fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
        types.leaf(Kind::String)
    }
}

impl Encode for str {
    #[inline]
    fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
        encoder.string(self)
    }
}

impl GraphType for String {
    #[inline]
    fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
        types.leaf(Kind::String)
    }
}

impl Encode for String {
    #[inline]
    fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
        encoder.string(self)
    }
}

impl<'a> Decode<'a> for String {
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        node.as_str().map(Self::from)
    }
}

impl<'a> Decode<'a> for &'a str {
    #[inline]
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        node.as_str()
    }
}

impl<'a> Decode<'a> for &'a [u8] {
    #[inline]
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        node.as_bytes()
    }
}

impl<'a> Decode<'a> for Cow<'a, str> {
    #[inline]
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        node.as_str().map(Cow::Borrowed)
    }
}

impl<'a> Decode<'a> for Cow<'a, [u8]> {
    #[inline]
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        node.as_bytes().map(Cow::Borrowed)
    }
}

/// Types that stand for the type they point at.
macro_rules! transparent {
    ($(($($generics:tt)*) $type:ty, $target:ty, ($($bounds:tt)*);)*) => {$(
        impl<$($generics)* T: GraphType + ?Sized $($bounds)*> GraphType for $type {
            const FIXED: Option<Kind> = T::FIXED;

            #[inline]
            fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
                T::write_type(types)
            }
        }

        impl<$($generics)* T: Encode + ?Sized $($bounds)*> Encode for $type {
            #[inline]
            fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
                (**self).encode_node(encoder)
            }
        }
    )*};
}

transparent! {
    () &T, T, ();
    () Box<T>, T, ();
    () Cow<'_, T>, T, (+ ToOwned);
}

impl<'a, T: Decode<'a>> Decode<'a> for Box<T> {
    #[inline]
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        T::decode_node(node).map(Self::new)
    }

    fn decode_list(node: NodeRef<'a, '_>) -> Result<Vec<Self>, DecodeError> {
        Ok(T::decode_list(node)?.into_iter().map(Self::new).collect())
    }
}

/// Rust's lists.
macro_rules! list {
    ($(($($generics:tt)*) $type:ty;)*) => {$(
        impl<T: GraphType $($generics)*> GraphType for $type {
            #[inline]
            fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
                types.nest(Kind::List, T::write_type)
            }
        }

        impl<T: Encode $($generics)*> Encode for $type {
            #[inline]
            fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
                T::encode_slice(self, encoder)
            }
        }
    )*};
}

list! {
    () [T];
    () Vec<T>;
    (, const N: usize) [T; N];
}

impl<'a, T: Decode<'a>> Decode<'a> for Vec<T> {
    #[inline]
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        T::decode_list(node)
    }
}

impl<'a, T: Decode<'a>, const N: usize> Decode<'a> for [T; N] {
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        let items = T::decode_list(node)?;
        let found = items.len();
        Self::try_from(items).map_err(|_| node.wrong_count(N, found))
    }
}

impl<T: GraphType> GraphType for Option<T> {
    #[inline]
    fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
        types.nest(Kind::Option, T::write_type)
    }
}

impl<T: Encode> Encode for Option<T> {
    #[inline]
    fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
        encoder.option_with(T::write_type, self.as_ref())
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Option<T> {
    #[inline]
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        match node.option()? {
            Some(child) => T::decode_node(child).map(Some),
            None => Ok(None),
        }
    }
}

impl<T: GraphType, E: GraphType> GraphType for Result<T, E> {
    #[inline]
    fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
        types.nest(Kind::Result, |types| {
            T::write_type(types)?;
            E::write_type(types)
        })
    }
}

impl<T: Encode, E: Encode> Encode for Result<T, E> {
    #[inline]
    fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
        let types = |types: &mut TypeWriter<'_>| {
            T::write_type(types)?;
            E::write_type(types)
        };
        match self {
            Ok(value) => encoder.result_with(types, false, |encoder| value.encode_node(encoder)),
            Err(error) => encoder.result_with(types, true, |encoder| error.encode_node(encoder)),
        }
    }
}

impl<'a, T: Decode<'a>, E: Decode<'a>> Decode<'a> for Result<T, E> {
    #[inline]
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        match node.result()? {
            Ok(child) => T::decode_node(child).map(Ok),
            Err(child) => E::decode_node(child).map(Err),
        }
    }
}

impl<T: GraphType> GraphType for BTreeSet<T> {
    fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
        types.nest(Kind::Set, T::write_type)
    }
}

impl<T: Encode> Encode for BTreeSet<T> {
    fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
        encoder.sequence(Kind::Set, self.iter())
    }
}

impl<'a, T: Decode<'a> + Ord> Decode<'a> for BTreeSet<T> {
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        node.expect(Kind::Set)?;
        let mut set = Self::new();
        for child in node.children() {
            if !set.insert(T::decode_node(child)?) {
                return Err(child.error(DecodeErrorKind::DuplicateKey));
            }
        }
        Ok(set)
    }
}

impl<K: GraphType, V: GraphType> GraphType for BTreeMap<K, V> {
    fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
        types.nest(Kind::Map, |types| {
            K::write_type(types)?;
            V::write_type(types)
        })
    }
}

impl<K: Encode, V: Encode> Encode for BTreeMap<K, V> {
    fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
        let types = |types: &mut TypeWriter<'_>| {
            K::write_type(types)?;
            V::write_type(types)
        };
        encoder.map_with(types, self.iter())
    }
}

impl<'a, K: Decode<'a> + Ord, V: Decode<'a>> Decode<'a> for BTreeMap<K, V> {
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        node.expect(Kind::Map)?;
        let mut map = Self::new();
        let mut children = node.children();
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            if map.insert(K::decode_node(key)?, V::decode_node(value)?).is_some() {
                return Err(key.error(DecodeErrorKind::DuplicateKey));
            }
        }
        Ok(map)
    }
}

macro_rules! tuple {
    ($count:literal: $($element:ident $value:ident $place:tt)*) => {
        impl<$($element: GraphType),*> GraphType for ($($element,)*) {
            #[inline]
            fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
                types.tuple($count, |_types| {
                    $($element::write_type(_types)?;)*
                    Ok(())
                })
            }
        }

        impl<$($element: Encode),*> Encode for ($($element,)*) {
            #[inline]
            fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
                encoder.enter()?;
                let children: [u32; $count] = [$(self.$place.encode_node(encoder)?),*];
                encoder.tuple(&children)
            }
        }

        impl<'a, $($element: Decode<'a>),*> Decode<'a> for ($($element,)*) {
            #[inline]
            fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
                let [$($value),*] = node.tuple_of::<$count>()?;
                Ok(($($element::decode_node($value)?,)*))
            }
        }
    };
}

tuple!(0:);
tuple!(1: A a 0);
tuple!(2: A a 0 B b 1);
tuple!(3: A a 0 B b 1 C c 2);
tuple!(4: A a 0 B b 1 C c 2 D d 3);
tuple!(5: A a 0 B b 1 C c 2 D d 3 E e 4);
tuple!(6: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5);
tuple!(7: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5 G g 6);
tuple!(8: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5 G g 6 H h 7);
tuple!(9: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5 G g 6 H h 7 I i 8);
tuple!(10: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5 G g 6 H h 7 I i 8 J j 9);
tuple!(11: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5 G g 6 H h 7 I i 8 J j 9 K k 10);
tuple!(12: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5 G g 6 H h 7 I i 8 J j 9 K k 10 L l 11);
