//! Arbitrary text is interfaces or an error with a place; what is understood prints to text that means the same.

use pack_abi::metadata::Metadata;
use pack_abi::types::Interface;
use pack_wit::{Document, ParseError, Source, World, parse, print_interface, print_metadata, print_world};

use crate::target::{Seed, Target};

pub(crate) const TARGET: Target = Target { name: "interface-text", seeds, check };

/// A line that begins so begins another file, whose name it gives.
const FILE: &str = "//// ";

/// What the language has and the files of the repository do not use.
const EVERYTHING: &str = "package a:b@1.0.0;
/// docs
interface i {
    type t1 = tuple<bool, u8, u16, u32, u64, s8, s16, s32, s64, f32, f64, char, string>;
    type t2 = result; type t3 = result<u8>; type t4 = result<_, u8>; type t5 = result<u8, string>;
    type t6 = list<option<tuple<>>>; type t7 = map<string, set<u32>>; type t8 = value;
    enum e { a, b } flags f { r, w } record r { %type: e, plain: f, }
    variant v { none, some(r), nested(list<v>) }
    @since(version = 1.0.0)
    one: func(a: u8, b: v) -> result<t1, e>;
}
interface generic {
    record pair<a, b> { first: a, second: b }
    variant tree<t> { leaf(t), branch(list<tree<t>>) }
    type pairs<v> = list<pair<string, v>>;
    three: func(p: pair<u32, string>, q: pairs<u8>) -> tree<s64>;
}
/* a /* nested */ comment */
interface j { use i.{v as form}; use x:y/k@2.0.0.{deep}; two: func(f: form) -> deep; }
world base { import i; import now: func() -> u64; export run: func(now: u64); }
world whole {
    include base with { now as clock }
    use i.{e};
    record point { x: s32 }
    import log: interface { write: func(text: string); }
    export draw: func(at: point, e: e);
    export j;
}
package x:y@2.0.0 { interface k { record deep { at: option<deep> } } }
";

/// The dialect that upstream writes.
const PACT: &str = "//// p/first.pact
record pair<a, b> { first: a, second: b }  variant tree<t> { leaf(t), branch(list<self>) }
enum color { red, green }  flags perm { read, write }
record cons { head: s64, tail: option<self> }  record type-names { type: string, get_it: u8 }
type s: serializable  type t  type done = result<_, string>  type nothing = _
imports { logger  logger.log  t: comparable }
exports { id: string  use_it: func(p: pair<u32, string>, c: tree<u8>, x: s, n: type-names) -> t }
interface inner { @package: string = \"a:b\" @version: string = \"1.0\" exports { ping: func() } }
";

fn seeds() -> Vec<Seed> {
    let files = wit::FILES.iter().map(|(name, text)| (format!("file {name}"), (*text).to_owned()));
    let all = wit::FILES.iter().map(|(name, text)| format!("{FILE}{name}\n{text}\n")).collect::<String>();
    let everything = [
        ("all files".to_owned(), all),
        ("everything".to_owned(), EVERYTHING.to_owned()),
        ("pact".to_owned(), PACT.to_owned()),
    ];
    files.chain(everything).map(|(name, text)| (name, text.into_bytes())).collect()
}

fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let sources = sources(text);
    for source in &sources {
        // Asked of files that may be anything; there is no answer to compare with.
        pack_wit::declared_package(source);
    }
    match parse(&sources) {
        Ok(document) => {
            for package in &document.packages {
                package.interfaces.iter().for_each(check_interface);
                for world in package.worlds.iter().filter(|world| is_one_of_each(world)) {
                    check_world(world);
                    check_metadata(world);
                }
            }
        }
        Err(error) => check_error(&error, &sources),
    }
}

fn check_error(error: &ParseError, sources: &[Source]) {
    assert!(!error.to_string().is_empty());
    if let Some(place) = &error.place {
        // Two files may have one name.
        let mut named = sources.iter().filter(|source| source.name == place.file);
        let is_there = named.any(|source| source.text.split('\n').nth(place.line - 1).is_some());
        assert!(is_there, "{place:?} is in no file");
        assert!(place.column >= 1 && place.width >= 1, "{place:?}");
    }
    error.others.iter().for_each(|other| check_error(other, sources));
}

fn sources(text: &str) -> Vec<Source> {
    let mut sources = vec![Source::new("fuzz/first.wit", "")];
    for line in text.split_inclusive('\n') {
        if let Some(name) = line.strip_prefix(FILE) {
            sources.push(Source::new(name.trim(), ""));
        } else if let Some(source) = sources.last_mut() {
            source.text.push_str(line);
        }
    }
    sources.retain(|source| !source.text.is_empty());
    sources
}

fn reread(printed: &str) -> Document {
    let source = Source::new("printed.wit", printed);
    parse(&[source]).unwrap_or_else(|error| panic!("{error}\n{printed}"))
}

fn check_interface(interface: &Interface) {
    let printed = print_interface(interface);
    let again = reread(&printed);
    let again = again.interface(&interface.name).unwrap_or_else(|| panic!("no interface in\n{printed}"));
    // A package line has no docs of the interface before it.
    let without_docs = |interface: &Interface| Interface { docs: String::new(), ..interface.clone() };
    assert_eq!(without_docs(again), without_docs(interface), "{printed}");
}

fn check_world(world: &World) {
    let printed = print_world(world);
    let again = reread(&printed);
    let again = again.world(Some(&world.name)).unwrap_or_else(|error| panic!("{error}\n{printed}"));
    // The text has no `use`, so nothing is a copy any more.
    let flat = |world: &World| World { origins: Vec::new(), used: Vec::new(), ..world.clone() };
    assert_eq!(flat(again), flat(world), "{printed}");
}

/// What a package carries of its world prints to text with the same hashes.
fn check_metadata(world: &World) {
    let metadata = Metadata::new(world.imports.clone(), world.exports.clone());
    let bytes = metadata.encode().expect("types of interface text are not nested too deeply");
    let read = Metadata::decode(&bytes).unwrap_or_else(|error| panic!("{error}: {world:?}"));
    let printed = print_metadata("fuzz", &read).unwrap_or_else(|error| panic!("{error}: {world:?}"));
    let again = reread(&printed);
    let again = again.world(None).unwrap_or_else(|error| panic!("{error}\n{printed}"));
    let again = Metadata::new(again.imports.clone(), again.exports.clone());
    assert_eq!(again.import_hashes, metadata.import_hashes, "{printed}");
    assert_eq!(again.export_hashes, metadata.export_hashes, "{printed}");
}

/// Printing leaves versions out, so two versions of one interface cannot be told apart in the text.
fn is_one_of_each(world: &World) -> bool {
    let all: Vec<&Interface> = world.imports.iter().chain(&world.exports).collect();
    all.iter().all(|one| all.iter().all(|other| one.name != other.name || one == other))
}
