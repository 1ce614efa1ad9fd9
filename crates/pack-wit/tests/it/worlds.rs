//! Worlds made at random, with `use` and `include`: printing keeps them, and `wit-parser` resolves them alike.

use std::collections::BTreeSet;
use std::fmt::Write;

use pack_wit::{Document, Source, parse, print_world};
use proptest::prelude::*;

use crate::differential::compared;

/// Makes a text by the bytes that it is given; every text that comes out is right.
struct Maker {
    choices: std::vec::IntoIter<u8>,
    text: String,
    /// The names of the types that each interface has so far, its own and those that it uses.
    interfaces: Vec<Vec<String>>,
    /// The interfaces that each world imports, also by `include`.
    imports: Vec<BTreeSet<String>>,
}

const PLAIN: [&str; 6] = ["u8", "s64", "f32", "char", "string", "list<u8>"];

impl Maker {
    fn new(choices: Vec<u8>) -> Self {
        let mut maker = Self {
            choices: choices.into_iter(),
            text: "package a:b;\n".to_owned(),
            interfaces: Vec::new(),
            imports: Vec::new(),
        };
        for place in 0..1 + maker.below(4) {
            maker.interface(place);
        }
        for place in 0..1 + maker.below(3) {
            maker.world(place);
        }
        maker
    }

    /// Returns a number below a limit; 0 where the bytes have ended.
    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.choices.next().unwrap_or(0)) % limit
    }

    fn write(&mut self, text: &str) {
        writeln!(self.text, "{text}").expect("a string takes everything");
    }

    fn one_of(&mut self, names: &[String]) -> String {
        let at = self.below(names.len());
        names[at].clone()
    }

    /// Takes types of the interfaces before; into an interface, half of them under their own name. A world may be
    /// included in one that takes the same type.
    fn uses(&mut self, known: &mut Vec<String>, prefix: &str) {
        for place in 0..self.below(3) {
            let Some(last) = self.interfaces.len().checked_sub(1) else { return };
            let from = self.below(last + 1);
            let name = self.one_of(&self.interfaces[from].clone());
            let local = if prefix.starts_with('i') && self.below(2) == 0 {
                name.clone()
            } else {
                format!("{prefix}-u{place}")
            };
            if known.contains(&local) {
                continue;
            }
            let renamed = if local == name { String::new() } else { format!(" as {local}") };
            self.write(&format!("  use i{from}.{{{name}{renamed}}};"));
            known.push(local);
        }
    }

    fn ty(&mut self, known: &[String]) -> String {
        let plain = |maker: &mut Self| PLAIN[maker.below(PLAIN.len())].to_owned();
        if known.is_empty() {
            return plain(self);
        }
        match self.below(6) {
            0 => plain(self),
            1 => format!("list<{}>", self.one_of(known)),
            2 => format!("option<{}>", self.one_of(known)),
            3 => format!("result<{}, {}>", self.one_of(known), plain(self)),
            4 => format!("tuple<{}, {}>", self.one_of(known), plain(self)),
            _ => self.one_of(known),
        }
    }

    fn function(&mut self, known: &[String]) -> String {
        let (a, b, result) = (self.ty(known), self.ty(known), self.ty(known));
        match self.below(3) {
            0 => "func()".to_owned(),
            1 => format!("func(a: {a}) -> {result}"),
            _ => format!("func(a: {a}, b: {b}) -> {result}"),
        }
    }

    fn interface(&mut self, place: usize) {
        self.write(&format!("interface i{place} {{"));
        let mut known = Vec::new();
        self.uses(&mut known, &format!("i{place}"));
        for number in 0..1 + self.below(3) {
            let name = format!("t{place}-t{number}");
            let (one, other) = (self.ty(&known), self.ty(&known));
            let definition = match self.below(5) {
                0 => format!("record {name} {{ a: {one}, b: {other} }}"),
                1 => format!("variant {name} {{ a, b({one}), c({other}) }}"),
                2 => format!("enum {name} {{ a, b }}"),
                3 => format!("flags {name} {{ a, b }}"),
                _ => format!("type {name} = {one};"),
            };
            self.write(&format!("  {definition}"));
            known.push(name);
        }
        for number in 0..self.below(3) {
            let function = self.function(&known);
            self.write(&format!("  f{number}: {function};"));
        }
        self.write("}");
        self.interfaces.push(known);
    }

    fn world(&mut self, place: usize) {
        self.write(&format!("world w{place} {{"));
        let mut imports = BTreeSet::new();
        if place > 0 && self.below(3) > 0 {
            // A bare function of the world before can be given another name.
            let before = place - 1;
            let rest = match self.below(2) {
                0 => ";".to_owned(),
                _ => format!(" with {{ run-w{before} as again{before} }}"),
            };
            self.write(&format!("  include w{before}{rest}"));
            imports.clone_from(&self.imports[before]);
        }
        let mut known = Vec::new();
        self.uses(&mut known, &format!("w{place}"));
        for interface in 0..self.interfaces.len() {
            match self.below(4) {
                0 => {
                    self.write(&format!("  import i{interface};"));
                    imports.insert(format!("a:b/i{interface}"));
                }
                1 => self.write(&format!("  export i{interface};")),
                _ => {}
            }
        }
        let (import, export) = (self.function(&known), self.function(&known));
        if self.below(2) == 0 {
            self.write(&format!("  import ask{place}: {import};"));
        }
        self.write(&format!("  export run-w{place}: {export};"));
        self.write("}");
        self.imports.push(imports);
    }
}

fn parsed(text: &str) -> Document {
    parse(&[Source::new("made.wit", text)]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Prints each world, and reads it back.
fn survives_printing(text: &str) {
    for world in &parsed(text).packages[0].worlds {
        let printed = print_world(world);
        let mut reread = parsed(&printed).world(Some(&world.name)).expect("the printed world").clone();
        assert_eq!(print_world(&reread), printed, "{text}");
        // The printed text has neither `use` nor `include`: what they led to stands there itself.
        let mut world = world.clone();
        for world in [&mut world, &mut reread] {
            world.origins.clear();
            world.used.clear();
        }
        assert_eq!(reread, world, "{text}\n{printed}");
    }
}

/// Compares types, functions and both sides of each world with what `wit-parser` reads. To it, an interface of which
/// only types are needed is an import; those of ours are the ones that the text names. It refuses a world whose
/// exports take the same type from an import and from an export.
fn is_resolved_as_by_wit_parser(made: &Maker) -> Result<(), TestCaseError> {
    let differences = match compared(&[("made.wit", &made.text)]) {
        Ok((_, differences)) => differences,
        Err(why) if why.contains("InvalidTransitiveDependency") => return Err(TestCaseError::reject(why)),
        Err(why) => panic!("{why}\n{}", made.text),
    };
    let missing: Vec<_> = differences.theirs.iter().filter(|line| !line.contains(" import a:b/")).collect();
    assert!(
        missing.is_empty() && differences.ours.is_empty(),
        "{missing:#?}\n{:#?}\n{}",
        differences.ours,
        made.text
    );
    for (world, expected) in parsed(&made.text).packages[0].worlds.iter().zip(&made.imports) {
        let imports = world.imports.iter().map(|interface| interface.name.clone());
        let imports: BTreeSet<String> = imports.filter(|name| !name.is_empty()).collect();
        assert_eq!(&imports, expected, "{}", made.text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn worlds_survive_printing_and_are_resolved_as_by_wit_parser(
        choices in prop::collection::vec(any::<u8>(), 0..120)
    ) {
        let made = Maker::new(choices);
        survives_printing(&made.text);
        is_resolved_as_by_wit_parser(&made)?;
    }
}
