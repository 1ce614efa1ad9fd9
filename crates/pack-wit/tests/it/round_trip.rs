//! What is printed parses to what was printed.

use pack_wit::{Source, parse, print_interface, print_world};

const ALL: &str = "
/// A world with everything.
package all:things;

interface shapes {
    /// A point.
    ///
    /// In the plane.
    record point { x: s32, /// down
        y: s32 }
    variant shape { empty, dot(point), poly(list<point>), nested(shape) }
    enum %type { %record, two }
    flags rights { read, write }
    type pairs = map<string, tuple<u32, option<char>>>;
    type anything = value;
    type odd = result<_, set<u8>>;
}
interface tools { use shapes.{shape as form}; use other:place/types.{thing}; draw: func(f: form) -> result<thing>; }
world main {
    use shapes.{rights};
    type id = string;
    import tools;
    import now: func() -> u64;
    import extra: interface { use other:place/types.{thing}; go: func(t: thing); }
    export other:place/api;
    export check: func(r: rights, i: id) -> bool;
}
package other:place {
    interface types { record thing { %from: f64 } }
    interface api { use types.{thing}; get: func() -> list<thing>; }
}";

#[test]
fn a_printed_world_parses_to_the_same_world() {
    let document = parse(&[Source::new("all.wit", ALL)]).unwrap_or_else(|error| panic!("{error}"));
    let mut world = document.world(None).expect("the world").clone();
    let printed = print_world(&world);
    let again = parse(&[Source::new("printed.wit", printed.as_str())])
        .unwrap_or_else(|error| panic!("{error}\n{printed}"));
    let mut reread = again.world(None).expect("the printed world").clone();
    assert_eq!(print_world(&reread), printed);
    // The text has no `use`, so nothing is a copy any more.
    assert!(reread.origins.is_empty() && !world.origins.is_empty());
    world.origins.clear();
    world.used.clear();
    reread.used.clear();
    assert_eq!(reread, world);
}

#[test]
fn the_canonical_text_is_what_people_would_write() {
    let document = parse(&[Source::new("all.wit", ALL)]).unwrap_or_else(|error| panic!("{error}"));
    insta::assert_snapshot!(print_interface(document.interface("all:things/shapes").expect("shapes")));
}

#[test]
fn the_files_of_theater_survive_printing() {
    let sources: Vec<Source> = wit::FILES.iter().map(|(name, text)| Source::new(*name, *text)).collect();
    let document = parse(&sources).unwrap_or_else(|error| panic!("{error}"));
    for package in &document.packages {
        for interface in &package.interfaces {
            let printed = print_interface(interface);
            let again = parse(&[Source::new("printed.wit", printed.as_str())])
                .unwrap_or_else(|error| panic!("{error}\n{printed}"));
            let mut reread = again.interface(&interface.name).expect("the interface").clone();
            let mut original = interface.clone();
            // `package` carries no docs of its interface; everything else is kept.
            reread.docs.clear();
            original.docs.clear();
            assert_eq!(reread, original);
        }
    }
}
