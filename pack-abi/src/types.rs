//! The description of values: types, functions and interfaces as the interface language states them.
//!
//! `pack-wit` produces these from text, the metadata section carries them inside a package, and
//! [`hash`](crate::hash) turns them into structural hashes. Names are kept as written in the interface
//! text (kebab-case); what travels on the wire for a Rust type is the business of the derive.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A type of the interface language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `s8`
    S8,
    /// `s16`
    S16,
    /// `s32`
    S32,
    /// `s64`
    S64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`
    Char,
    /// `string`
    String,
    /// `list<T>`
    List(Box<Self>),
    /// `option<T>`
    Option(Box<Self>),
    /// `result`, `result<T>`, `result<_, E>`, `result<T, E>`
    Result {
        /// Payload of `ok`, if any.
        ok: Option<Box<Self>>,
        /// Payload of `err`, if any.
        err: Option<Box<Self>>,
    },
    /// `tuple<A, B, ...>`; the empty tuple is unit.
    Tuple(Vec<Self>),
    /// `map<K, V>` (an extension of WIT)
    Map(Box<Self>, Box<Self>),
    /// `set<T>` (an extension of WIT)
    Set(Box<Self>),
    /// `value`: any graph value (an extension of WIT)
    Value,
    /// A type defined in the same interface, or brought into it by `use`.
    Named(String),
}

/// A definition that gives a type its name inside an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeDef {
    /// The name as written.
    pub name: String,
    /// Doc comment, without markers; empty if there is none.
    pub docs: String,
    /// What the name stands for.
    pub kind: TypeDefKind,
}

/// What a named type is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeDefKind {
    /// `type a = b`
    Alias(Type),
    /// `record a { f: t }`
    Record(Vec<Field>),
    /// `variant a { c(t), d }`
    Variant(Vec<Case>),
    /// `enum a { c, d }`
    Enum(Vec<EnumCase>),
    /// `flags a { f, g }`: at most 64, bit i in order of declaration.
    Flags(Vec<EnumCase>),
    /// `type a: b`: a parameter of the whole interface, which may be any type, with the interface that it should satisfy.
    Parameter(Option<String>),
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name as written.
    pub name: String,
    /// Doc comment; empty if there is none.
    pub docs: String,
    /// The field's type.
    pub ty: Type,
}

/// A case of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The name as written.
    pub name: String,
    /// Doc comment; empty if there is none.
    pub docs: String,
    /// The payload, if the case carries one.
    pub ty: Option<Type>,
}

/// A case of an enum, or one flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumCase {
    /// The name as written.
    pub name: String,
    /// Doc comment; empty if there is none.
    pub docs: String,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The name as written.
    pub name: String,
    /// The parameter's type.
    pub ty: Type,
}

/// A function of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The name as written.
    pub name: String,
    /// Doc comment; empty if there is none.
    pub docs: String,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// The result, if the function has one.
    pub result: Option<Type>,
}

/// A named set of functions and the types they use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// The full name without version, e.g. `theater:simple/runtime`; empty for bare functions of a world.
    pub name: String,
    /// Doc comment; empty if there is none.
    pub docs: String,
    /// Types defined here or brought in by `use` (those are copied, under their local name).
    pub types: Vec<TypeDef>,
    /// Functions in the order of the text.
    pub functions: Vec<Function>,
}

impl fmt::Display for Type {
    /// Writes the type as the interface language does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::U8 => f.write_str("u8"),
            Self::U16 => f.write_str("u16"),
            Self::U32 => f.write_str("u32"),
            Self::U64 => f.write_str("u64"),
            Self::S8 => f.write_str("s8"),
            Self::S16 => f.write_str("s16"),
            Self::S32 => f.write_str("s32"),
            Self::S64 => f.write_str("s64"),
            Self::F32 => f.write_str("f32"),
            Self::F64 => f.write_str("f64"),
            Self::Char => f.write_str("char"),
            Self::String => f.write_str("string"),
            Self::Value => f.write_str("value"),
            Self::Named(name) => f.write_str(name),
            Self::List(elem) => write!(f, "list<{elem}>"),
            Self::Option(inner) => write!(f, "option<{inner}>"),
            Self::Set(elem) => write!(f, "set<{elem}>"),
            Self::Map(key, value) => write!(f, "map<{key}, {value}>"),
            Self::Result { ok: None, err: None } => f.write_str("result"),
            Self::Result { ok: Some(ok), err: None } => write!(f, "result<{ok}>"),
            Self::Result { ok: None, err: Some(err) } => write!(f, "result<_, {err}>"),
            Self::Result { ok: Some(ok), err: Some(err) } => write!(f, "result<{ok}, {err}>"),
            Self::Tuple(items) => {
                f.write_str("tuple<")?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str(">")
            }
        }
    }
}

impl fmt::Display for Function {
    /// Writes the signature as the interface language does: `name: func(a: t) -> r`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: func(", self.name)?;
        for (at, param) in self.params.iter().enumerate() {
            write!(f, "{}{}: {}", if at == 0 { "" } else { ", " }, param.name, param.ty)?;
        }
        f.write_str(")")?;
        match &self.result {
            Some(result) => write!(f, " -> {result}"),
            None => Ok(()),
        }
    }
}
