//! What differs between two signatures, place by place: why two hashes are not the same, and what no hash shows.
//!
//! The left side is the one that expects, the right one what it finds. Names of types and of parameters do not count,
//! as in hashes. The order of cases and of flags does: it decides which number stands for which on the wire, and a
//! hash leaves it out. Where upstream's metadata does not know the flags of a type, they are not compared.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use crate::types::{Function, Interface, Type, TypeDef, TypeDefKind};

/// More differences than this are not looked for.
const DIFFERENCES_MAX: usize = 32;

/// One place at which two signatures differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeDifference {
    /// The parameter's name or `result`, then `.field`, `::case`, `.0` in a tuple, `[]` in a list or set, `[key]` and
    /// `[value]` in a map, `?` in an option, `.ok`, `.err`. Empty for the function as a whole.
    pub path: String,
    /// What differs there.
    pub kind: DifferenceKind,
}

/// What a type is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A field of a record.
    Field,
    /// A case of a variant or an enum.
    Case,
    /// A flag.
    Flag,
}

/// How two signatures differ at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DifferenceKind {
    /// They have another number of parameters.
    Params {
        /// The parameters on the left.
        left: Vec<String>,
        /// The parameters on the right.
        right: Vec<String>,
    },
    /// They have other types.
    Type {
        /// The type on the left.
        left: String,
        /// The type on the right.
        right: String,
    },
    /// Only the left side has this part.
    Missing {
        /// What it is.
        part: Part,
        /// Its name and type.
        text: String,
    },
    /// Only the right side has this part.
    Unexpected {
        /// What it is.
        part: Part,
        /// Its name and type.
        text: String,
    },
    /// Each side has a part of one type that the other has not, at the same place: probably one that was renamed.
    Renamed {
        /// What it is.
        part: Part,
        /// Its name on the left.
        left: String,
        /// Its name on the right.
        right: String,
    },
    /// They have the same parts in another order, and so other numbers for them on the wire.
    Order {
        /// What they are.
        part: Part,
        /// The names on the left.
        left: Vec<String>,
        /// The names on the right.
        right: Vec<String>,
    },
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Field => "field",
            Self::Case => "case",
            Self::Flag => "flag",
        })
    }
}

impl fmt::Display for TypeDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        match &self.kind {
            DifferenceKind::Params { left, right } => write!(
                f,
                "expected {} parameters ({}), found {} ({})",
                left.len(),
                left.join(", "),
                right.len(),
                right.join(", ")
            ),
            DifferenceKind::Type { left, right } => write!(f, "expected {left}, found {right}"),
            DifferenceKind::Missing { part, text } => write!(f, "{part} `{text}` is missing"),
            DifferenceKind::Unexpected { part, text } => write!(f, "{part} `{text}` is not expected"),
            DifferenceKind::Renamed { part, left, right } => {
                write!(f, "{part} `{left}` is called `{right}`")
            }
            DifferenceKind::Order { part, left, right } => write!(
                f,
                "expected the {part}s in the order {}, found {}; the order is their number on the wire",
                left.join(", "),
                right.join(", ")
            ),
        }
    }
}

/// Returns the differences between two functions' signatures; the names of their types are looked up in their
/// interfaces. There is at least one if the hashes differ.
#[must_use]
pub fn diff_functions(left: (&Function, &Interface), right: (&Function, &Interface)) -> Vec<TypeDifference> {
    let sides = [Side::new(&left.1.types), Side::new(&right.1.types)];
    let mut walk = Walk { sides, path: String::new(), found: Vec::new(), seen: BTreeSet::new() };
    let (left, right) = (left.0, right.0);
    if left.params.len() == right.params.len() {
        for (expected, found) in left.params.iter().zip(&right.params) {
            walk.at(&expected.name, |walk| walk.types(&expected.ty, &found.ty));
        }
    } else {
        let texts = |function: &Function| {
            function.params.iter().map(|param| format!("{}: {}", param.name, param.ty)).collect()
        };
        walk.report(DifferenceKind::Params { left: texts(left), right: texts(right) });
    }
    walk.at("result", |walk| match (&left.result, &right.result) {
        (Some(left), Some(right)) => walk.types(left, right),
        (None, None) => {}
        (left, right) => {
            let text = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "no result".into(), Type::to_string);
            walk.report(DifferenceKind::Type { left: text(left), right: text(right) });
        }
    });
    walk.found
}

/// The types of one side and the names that are being compared, outermost first.
struct Side<'t> {
    types: &'t [TypeDef],
    open: Vec<&'t str>,
}

/// A type, with aliases replaced.
#[derive(Clone, Copy)]
enum Resolved<'t> {
    /// Any value; also a type inside of itself, which is that in hashes and metadata.
    Any,
    Plain(&'t Type),
    Def(&'t TypeDef),
}

impl<'t> Side<'t> {
    fn new(types: &'t [TypeDef]) -> Self {
        Self { types, open: Vec::new() }
    }

    fn resolve(&self, mut ty: &'t Type) -> Resolved<'t> {
        // An alias leads to another definition each time, or in a circle.
        for _ in 0..=self.types.len() {
            let name = match ty {
                Type::Value => return Resolved::Any,
                Type::Named(name) => name.as_str(),
                plain => return Resolved::Plain(plain),
            };
            if self.open.contains(&name) {
                return Resolved::Any;
            }
            match self.types.iter().find(|def| def.name == name) {
                None | Some(TypeDef { kind: TypeDefKind::Parameter(_), .. }) => return Resolved::Any,
                Some(TypeDef { kind: TypeDefKind::Alias(target), .. }) => ty = target,
                Some(def) => return Resolved::Def(def),
            }
        }
        Resolved::Any
    }

    fn text(&self, ty: &'t Type) -> String {
        match self.resolve(ty) {
            Resolved::Any => "value".into(),
            Resolved::Plain(ty) => ty.to_string(),
            Resolved::Def(def) => definition_text(def),
        }
    }
}

/// A named part of a type.
struct Named<'t> {
    name: &'t str,
    ty: Option<&'t Type>,
}

/// What a definition is made of.
enum Parts<'t> {
    Fields(Vec<Named<'t>>),
    Cases(Vec<Named<'t>>),
    Flags(Vec<Named<'t>>),
}

fn parts(kind: &TypeDefKind) -> Parts<'_> {
    match kind {
        // `resolve` has replaced these.
        TypeDefKind::Alias(_) | TypeDefKind::Parameter(_) => Parts::Fields(Vec::new()),
        TypeDefKind::Record(fields) => Parts::Fields(
            fields.iter().map(|field| Named { name: &field.name, ty: Some(&field.ty) }).collect(),
        ),
        TypeDefKind::Variant(cases) => {
            Parts::Cases(cases.iter().map(|case| Named { name: &case.name, ty: case.ty.as_ref() }).collect())
        }
        TypeDefKind::Enum(cases) => {
            Parts::Cases(cases.iter().map(|case| Named { name: &case.name, ty: None }).collect())
        }
        TypeDefKind::Flags(flags) => {
            Parts::Flags(flags.iter().map(|flag| Named { name: &flag.name, ty: None }).collect())
        }
    }
}

struct Walk<'t> {
    sides: [Side<'t>; 2],
    path: String,
    found: Vec<TypeDifference>,
    /// Pairs of named types that were compared: what differs in them is reported once.
    seen: BTreeSet<(&'t str, &'t str)>,
}

impl<'t> Walk<'t> {
    fn at(&mut self, step: &str, visit: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(step);
        visit(self);
        self.path.truncate(length);
    }

    fn report(&mut self, kind: DifferenceKind) {
        if self.found.len() < DIFFERENCES_MAX {
            self.found.push(TypeDifference { path: self.path.clone(), kind });
        }
    }

    fn types(&mut self, left: &'t Type, right: &'t Type) {
        let resolved = (self.sides[0].resolve(left), self.sides[1].resolve(right));
        match resolved {
            (Resolved::Any, Resolved::Any) => {}
            (Resolved::Plain(a), Resolved::Plain(b)) => self.plain(a, b),
            (Resolved::Def(a), Resolved::Def(b)) => self.definitions(a, b),
            (Resolved::Any | Resolved::Plain(_) | Resolved::Def(_), _) => self.other(left, right),
        }
    }

    fn other(&mut self, left: &'t Type, right: &'t Type) {
        let (left, right) = (self.sides[0].text(left), self.sides[1].text(right));
        self.report(DifferenceKind::Type { left, right });
    }

    fn plain(&mut self, left: &'t Type, right: &'t Type) {
        match (left, right) {
            (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) => {
                self.at("[]", |walk| walk.types(a, b));
            }
            (Type::Option(a), Type::Option(b)) => self.at("?", |walk| walk.types(a, b)),
            (Type::Map(k, v), Type::Map(l, w)) => {
                self.at("[key]", |walk| walk.types(k, l));
                self.at("[value]", |walk| walk.types(v, w));
            }
            (Type::Result { ok: a, err: e }, Type::Result { ok: b, err: f }) => {
                self.at(".ok", |walk| walk.arms((a.as_deref(), b.as_deref()), &Type::Bool));
                self.at(".err", |walk| walk.arms((e.as_deref(), f.as_deref()), &Type::String));
            }
            (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
                for (place, (a, b)) in a.iter().zip(b).enumerate() {
                    self.at(&format!(".{place}"), |walk| walk.types(a, b));
                }
            }
            (a, b) if a == b => {}
            (a, b) => self.other(a, b),
        }
    }

    /// Compares the arms of two results; one that is not there counts as what upstream writes for it.
    fn arms(&mut self, (left, right): (Option<&'t Type>, Option<&'t Type>), stand_in: &Type) {
        match (left, right) {
            (Some(left), Some(right)) => self.types(left, right),
            (None, None) => {}
            (Some(one), None) | (None, Some(one)) if one == stand_in => {}
            (left, right) => {
                let text = |side: &Side<'t>, ty: Option<&'t Type>| {
                    ty.map_or_else(|| "nothing".into(), |ty| side.text(ty))
                };
                let [expecting, finding] = &self.sides;
                let (left, right) = (text(expecting, left), text(finding, right));
                self.report(DifferenceKind::Type { left, right });
            }
        }
    }

    fn definitions(&mut self, left: &'t TypeDef, right: &'t TypeDef) {
        if !self.seen.insert((&left.name, &right.name)) {
            return;
        }
        self.sides[0].open.push(&left.name);
        self.sides[1].open.push(&right.name);
        match (parts(&left.kind), parts(&right.kind)) {
            (Parts::Fields(a), Parts::Fields(b)) => self.parts(Part::Field, &a, &b),
            (Parts::Cases(a), Parts::Cases(b)) => self.parts(Part::Case, &a, &b),
            (Parts::Flags(a), Parts::Flags(b)) if a.is_empty() || b.is_empty() => {}
            (Parts::Flags(a), Parts::Flags(b)) => self.parts(Part::Flag, &a, &b),
            (Parts::Fields(_) | Parts::Cases(_) | Parts::Flags(_), _) => {
                let (left, right) = (definition_text(left), definition_text(right));
                self.report(DifferenceKind::Type { left, right });
            }
        }
        self.sides[0].open.pop();
        self.sides[1].open.pop();
    }

    fn parts(&mut self, part: Part, left: &[Named<'t>], right: &[Named<'t>]) {
        let separator = if part == Part::Case { "::" } else { "." };
        for expected in left {
            let found = right.iter().find(|found| found.name == expected.name);
            let Some(found) = found else { continue };
            self.at(&format!("{separator}{}", expected.name), |walk| match (expected.ty, found.ty) {
                (Some(left), Some(right)) => walk.types(left, right),
                (None, None) => {}
                (left, right) => {
                    let text = |side: &Side<'t>, ty: Option<&'t Type>| {
                        ty.map_or_else(|| "no payload".into(), |ty| side.text(ty))
                    };
                    let [expecting, finding] = &walk.sides;
                    let (left, right) = (text(expecting, left), text(finding, right));
                    walk.report(DifferenceKind::Type { left, right });
                }
            });
        }
        let names = |side: &[Named<'t>]| side.iter().map(|named| named.name.to_string()).collect::<Vec<_>>();
        let (on_left, on_right) = (names(left), names(right));
        let sorted = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>();
        if sorted(&on_left) != sorted(&on_right) {
            self.unmatched(part, left, right);
        } else if part != Part::Field && on_left != on_right {
            self.report(DifferenceKind::Order { part, left: on_left, right: on_right });
        }
    }

    /// Reports the parts that only one side has.
    fn unmatched(&mut self, part: Part, left: &[Named<'t>], right: &[Named<'t>]) {
        let has = |side: &[Named<'t>], name: &str| side.iter().any(|named| named.name == name);
        let mut renamed = BTreeSet::new();
        for (place, expected) in left.iter().enumerate().filter(|(_, named)| !has(right, named.name)) {
            match right.get(place).filter(|found| !has(left, found.name) && self.is_same(expected, found)) {
                Some(found) => {
                    renamed.insert(found.name);
                    let (left, right) = (expected.name.to_string(), found.name.to_string());
                    self.report(DifferenceKind::Renamed { part, left, right });
                }
                None => {
                    let text = part_text(&self.sides[0], expected);
                    self.report(DifferenceKind::Missing { part, text });
                }
            }
        }
        for found in right.iter().filter(|named| !has(left, named.name) && !renamed.contains(named.name)) {
            let text = part_text(&self.sides[1], found);
            self.report(DifferenceKind::Unexpected { part, text });
        }
    }

    /// Whether two parts have types that look the same.
    fn is_same(&self, left: &Named<'t>, right: &Named<'t>) -> bool {
        let [expecting, finding] = &self.sides;
        left.ty.map(|ty| expecting.text(ty)) == right.ty.map(|ty| finding.text(ty))
    }
}

fn part_text<'t>(side: &Side<'t>, named: &Named<'t>) -> String {
    match named.ty {
        Some(ty) => format!("{}: {}", named.name, side.text(ty)),
        None => named.name.to_string(),
    }
}

fn definition_text(def: &TypeDef) -> String {
    let keyword = match def.kind {
        TypeDefKind::Alias(_) | TypeDefKind::Parameter(_) => "type",
        TypeDefKind::Record(_) => "record",
        TypeDefKind::Variant(_) => "variant",
        TypeDefKind::Enum(_) => "enum",
        TypeDefKind::Flags(_) => "flags",
    };
    format!("{keyword} {}", def.name)
}
