//! Packages: looked at, and called at one function.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use crate::story::{Answer, Story, guest, repository};

/// Calls a function of the library.
fn call(story: &Story, rest: &[&str]) -> Answer {
    let wasm = guest("library");
    let start = [OsStr::new("call"), wasm.as_os_str()];
    story.theater(start.into_iter().chain(rest.iter().map(OsStr::new)))
}

/// A package without metadata: `give` returns these bytes with this status, `need` imports what nobody provides.
fn bare_package(story: &Story, result: &[u8], status: i32, import: &str) -> std::path::PathBuf {
    let bytes: String = result.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        r#"(module {import}
            (memory (export "memory") 2) (data (i32.const 64) "{bytes}")
            (func (export "__pack_alloc") (param i32) (result i32) (i32.const 4096))
            (func (export "__pack_free") (param i32 i32))
            (func (export "give") (param i32 i32 i32 i32) (result i32)
              (i32.store (local.get 2) (i32.const 64)) (i32.store (local.get 3) (i32.const {length}))
              (i32.const {status})))"#,
        length = result.len(),
    );
    story.file("bare.wasm", wat::parse_str(&text).expect("it is a module"))
}

#[test]
fn inspect_shows_signatures_types_hashes_sizes_and_what_to_grant() {
    let story = Story::new();
    let wasm = guest("calm");
    let shown = story.theater([OsStr::new("inspect"), wasm.as_os_str()]).fine().text();
    for part in [
        "an actor: it exports theater:simple/actor.init",
        "in section `pack:types`",
        "    log: func(msg: string);",
        "[[handler]]\n  type = \"runtime\"",
        "custom `pack:sdk`",
        "  code\n",
        "pack_abi::view::",
    ] {
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
    let library = guest("library");
    let shown = story.theater([OsStr::new("inspect"), library.as_os_str()]).fine().text();
    for part in
        ["a library: ", "  (no interface)\n", "greet: func(names: list<string>) -> string;", "record point {"]
    {
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
    assert!(!shown.contains("[[handler]]"), "{shown}");
    assert_eq!(story.runs(), [""; 0]);
}

#[test]
fn inspect_as_json_is_one_object_whose_sections_are_the_whole_file() {
    let story = Story::new();
    let wasm = guest("library");
    let bytes = std::fs::read(&wasm).expect("it was built");
    let from_file =
        story.theater([OsStr::new("inspect"), wasm.as_os_str(), OsStr::new("--json")]).fine().json();
    let from_stdin = story.theater_with_input(["inspect", "-", "--json"], &bytes).fine().json();
    for mut objects in [from_file, from_stdin] {
        assert_eq!(objects.len(), 1);
        let object = objects.remove(0);
        assert_eq!(object["schema"], "theater.package.1");
        assert_eq!(object["bytes"], bytes.len());
        assert_eq!((&object["actor"], &object["types_from"]), (&false.into(), &"section".into()));
        let sections = object["sections"].as_array().expect("a list");
        let sum: u64 = sections.iter().filter_map(|section| section["bytes"].as_u64()).sum();
        assert_eq!(sum + 8, bytes.len() as u64);
        let math = object["exports"].as_array().expect("a list").iter();
        let math =
            math.clone().find(|part| part["interface"] == "story:library/math").expect("it is exported");
        assert_eq!(math["functions"][0]["params"][0]["type"], "s64");
        assert_eq!(math["types"].as_array().map(Vec::len), Some(2));
    }
}

#[test]
fn interface_text_of_a_package_parses_again() {
    let story = Story::new();
    for name in ["calm", "library"] {
        let wasm = guest(name);
        let text =
            story.theater([OsStr::new("inspect"), wasm.as_os_str(), OsStr::new("--wit")]).fine().text();
        let document = pack_wit::parse(&[pack_wit::Source::new(name, text.as_str())]);
        let document = document.unwrap_or_else(|error| panic!("{error}\n{text}"));
        let world = document.world(None).expect("there is one world");
        assert_eq!(pack_wit::print_world(world), text);
    }
}

#[test]
fn docs_of_a_package_are_shown_and_a_text_that_says_something_else_is_not() {
    let story = Story::new();
    let wasm = guest("calm");
    let inspect = |wasm: &Path, option: &[&str]| {
        let start = [OsStr::new("inspect"), wasm.as_os_str()];
        story.theater(start.into_iter().chain(option.iter().map(OsStr::new))).fine()
    };
    let doc = "/// Writes one message to the actor's log. It becomes an event of the chain.";
    let honest = inspect(&wasm, &[]);
    assert!(honest.text().contains(&format!("    {doc}\n    log: func(msg: string);\n")), "{honest:?}");
    assert!(honest.text().contains("docs in section `pack:wit`"), "{honest:?}");
    assert!(inspect(&wasm, &["--wit"]).text().contains("    /// Starts one life of the actor."));
    assert!(inspect(&wasm, &["--json"]).text().contains("Writes one message to the actor's log."));

    let mut bytes = std::fs::read(&wasm).expect("it was built");
    let (true_text, lie) = (b"log: func(msg: string)", b"log: func(msg:  value)");
    let places: Vec<usize> = bytes
        .windows(lie.len())
        .enumerate()
        .filter(|(_, part)| part == true_text)
        .map(|(at, _)| at)
        .collect();
    let [place] = places.as_slice() else { panic!("the text is there {} times", places.len()) };
    bytes[*place..*place + lie.len()].copy_from_slice(lie);
    let lying = story.file("lying.wasm", &bytes);
    let shown = inspect(&lying, &[]);
    assert!(shown.stderr.contains("the interface text in the package is not shown: the metadata imports another `theater:simple/runtime`"), "{shown:?}");
    assert!(shown.text().contains("log: func(msg: string);") && !shown.text().contains(doc), "{shown:?}");
    let text = inspect(&lying, &["--wit"]).text();
    assert!(text.contains("log: func(msg: string);") && !text.contains("///"), "{text}");
    pack_wit::parse(&[pack_wit::Source::new("lying.wit", text)]).expect("it parses");
    bytes[*place] = b'(';
    let broken = inspect(&story.file("broken.wasm", &bytes), &[]);
    assert!(broken.stderr.contains("is not shown: ") && broken.stderr.contains("pack:wit:"), "{broken:?}");
}

#[test]
fn what_is_no_package_is_not_inspected() {
    let story = Story::new();
    let picture = story.file("cat.wasm", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01");
    let answer = story.theater([OsStr::new("inspect"), picture.as_os_str()]).code(2);
    assert!(answer.stderr.contains("JPEG"), "{}", answer.stderr);
    story.theater(["inspect", "last"]).error(2, "there is no run", "`theater run DIR`");
    story.theater(["inspect", "."]).error(2, "failed to read the manifest", "theater new");
    std::fs::create_dir_all(story.work().join("run/journal")).expect("it can be written");
    story.theater(["inspect", "run"]).error(2, "not a run: it has no journal", "theater runs");
    let bare = bare_package(&story, b"", 0, "");
    let shown = story.theater([OsStr::new("inspect"), bare.as_os_str()]).fine().text();
    assert!(shown.contains("give: not described"), "{shown}");
    let answer = story.theater([OsStr::new("inspect"), bare.as_os_str(), OsStr::new("--wit")]).code(1);
    assert!(answer.stderr.contains("does not say what its types are"), "{}", answer.stderr);
}

#[test]
fn a_call_takes_plain_values_and_prints_what_comes_back() {
    let story = Story::new();
    for (rest, result) in [
        (&["math.double", "21"][..], "42s64"),
        (&["math.double", "-5"], "-10s64"),
        (&["story:library/math.double", "5s64"], "10s64"),
        (&["text.double", "Ada L"], "\"Ada LAda L\""),
        (&["divide", "7", "2"], "ok<u32, string>(3u32)"),
        (&["greet", "[Ada, \"Charles B\"]"], "\"Hello, Ada and Charles B!\""),
        (&["describe", "dot({y: 2, x: -1})", "some(here)"], "\"here at -1, 2\""),
        (&["describe", "empty", "none"], "\" nothing\""),
    ] {
        let answer = call(&story, rest).fine();
        assert_eq!((answer.text().trim_end(), answer.stderr.as_str()), (result, ""), "{rest:?}");
    }
    let long = story.file("long.txt", format!("{}\n", "x".repeat(300_000)));
    let answer = call(&story, &["text.double", &format!("@{}", long.display())]).fine();
    assert_eq!(answer.text().len(), 600_003);
    let wasm = guest("library");
    let from_stdin = [OsStr::new("call"), wasm.as_os_str(), OsStr::new("text.double"), OsStr::new("@-")];
    assert_eq!(story.theater_with_input(from_stdin, b"ab\n").fine().text(), "\"abab\"\n");
    assert_eq!(story.runs(), [""; 0]);
}

#[test]
fn an_err_is_printed_and_a_panic_is_reported_and_both_fail() {
    let story = Story::new();
    let answer = call(&story, &["divide", "7", "0"]).code(1);
    assert_eq!(answer.text(), "err<u32, string>(\"7 cannot be divided by 0\")\n");
    assert_eq!(answer.stderr, "");
    let answer = call(&story, &["fall"]).code(1);
    assert_eq!(answer.text(), "");
    for part in ["the library falls", "story:library/math.fall()", "src/lib.rs:"] {
        assert!(answer.stderr.contains(part), "`{part}` is not in: {}", answer.stderr);
    }
    assert!(!answer.stderr.contains("theater events"), "nothing was kept: {}", answer.stderr);
    let json = call(&story, &["fall", "--json"]).code(1).json().remove(0);
    assert_eq!(
        (&json["outcome"], &json["reason"], &json["run"]),
        (&"ended".into(), &"trap".into(), &().into())
    );
    let json = call(&story, &["--json", "divide", "1", "0"]).code(1).json().remove(0);
    assert_eq!((&json["schema"], &json["outcome"]), (&"theater.call.1".into(), &"returned-err".into()));
    let answer = call(&story, &["fall", "--fuel", "10"]).code(1);
    assert!(answer.stderr.contains("fuel: the call used up its 10 units"), "{}", answer.stderr);
    assert_eq!(story.runs(), [""; 0]);
}

#[test]
fn a_recorded_call_is_a_run_like_any_other() {
    let story = Story::new();
    let answer = call(&story, &["--record", "math.double", "21", "--note", "twice"]).fine();
    assert_eq!(answer.text(), "42s64\n");
    let head = answer.stderr.split_whitespace().last().expect("it ends with the head").to_owned();
    story.theater(["verify", "--head", &head]).fine();
    let events = story.theater(["events", "--actor", "root"]).fine().text();
    assert!(events.contains("story:library/math.double (n: 21s64) -> 42s64"), "{events}");
    call(&story, &["--record", "divide", "1", "0"]).code(1);
    let answer = call(&story, &["--record", "fall"]).code(1);
    assert!(answer.stderr.contains("look at   theater events"), "{}", answer.stderr);
    let wasm = guest("calm");
    let actor = ["--record", "init", "some(\"old\")", "(me)"];
    let actor = [OsStr::new("call"), wasm.as_os_str()].into_iter().chain(actor.iter().map(OsStr::new));
    let answer = story.theater(actor).fine();
    assert!(answer.stderr.contains("[root] I am me"), "{}", answer.stderr);
    let outcomes: Vec<_> = story.theater(["runs", "--json"]).fine().json();
    let outcomes: Vec<_> = outcomes.iter().filter_map(|run| run["outcome"].as_str()).collect();
    assert!(outcomes.iter().any(|outcome| outcome.contains("cannot be divided")), "{outcomes:?}");
    story.every_run_verifies_and_replays(4);
}

#[test]
fn a_function_that_is_not_there_is_corrected_and_an_ambiguous_name_is_not_guessed() {
    let story = Story::new();
    call(&story, &["divid", "1"]).error(2, "does not export `divid`", "did you mean `divide`?");
    call(&story, &["weather"]).error(2, "does not export `weather`", "`story:library/math.double`");
    call(&story, &["double", "1"]).error(
        2,
        "`double` could be each of `story:library/math.double`, `story:library/text.double`",
        "give more of the name",
    );
    call(&story, &["ouble", "1"]).error(2, "does not export `ouble`", "did you mean `double`?");
}

#[test]
fn a_wrong_argument_names_the_parameter_and_the_signature() {
    let story = Story::new();
    let answer = call(&story, &["math.double", "twelve"]).code(2);
    for part in [
        "error: the argument `n: s64` of `story:library/math.double` cannot be read",
        "expected an s64, from -9223372036854775808 to 9223372036854775807, at byte 0",
        "    twelve\n    ^\n",
        "  double: func(n: s64) -> s64\n",
    ] {
        assert!(answer.stderr.contains(part), "`{part}` is not in: {}", answer.stderr);
    }
    call(&story, &["divide", "1"]).error(2, "takes 2 arguments, not 1", "`right: u32` comes next");
    call(&story, &["text.double", "two", "words"]).error(2, "takes 1 argument, not 2", "`words` is too many");
    let answer = call(&story, &["describe", "dot({x: 1})", "none"]).code(2);
    assert!(answer.stderr.contains("expected the field `y` of `point`"), "{}", answer.stderr);
    assert!(answer.stderr.contains("record point {"), "{}", answer.stderr);
    let huge = "[".repeat(100_000);
    let answer = call(&story, &["greet", &huge]).code(2);
    assert!(answer.stderr.len() < 2000, "{}", answer.stderr);
    call(&story, &["text.double", "@nowhere"]).error(2, "an argument from nowhere", "quotes of its own");
}

#[test]
fn a_package_that_does_not_describe_itself_wants_values_with_types() {
    let story = Story::new();
    let value = pack_abi::encode(&7_u32).expect("it encodes");
    bare_package(&story, &value, 0, "");
    story.theater(["call", "bare.wasm", "give", "21"]).error(2, "expected a number with its type", "21u32");
    assert_eq!(story.theater(["call", "bare.wasm", "give", "21u32"]).fine().text(), "7u32\n");
    bare_package(&story, b"garbage", 0, "");
    let answer = story.theater(["call", "bare.wasm", "give"]).code(1);
    assert!(answer.stderr.contains("the result is no graph value"), "{}", answer.stderr);
    bare_package(&story, b"not today", -1, "");
    let answer = story.theater(["call", "bare.wasm", "give"]).code(1);
    assert!(answer.stderr.contains("the call of `give` failed\n  not today"), "{}", answer.stderr);
    story.theater(["call", "--record", "bare.wasm", "give"]).code(1);
    story.every_run_verifies_and_replays(1);
}

#[test]
fn an_import_that_is_not_granted_is_named_before_the_call() {
    let story = Story::new();
    let import = r#"(import "far:away/weather" "now" (func (param i32 i32 i32 i32) (result i32)))"#;
    bare_package(&story, b"", 0, import);
    story.theater(["call", "bare.wasm", "give"]).error(
        2,
        "imports `far:away/weather.now`, and no handler provides that interface",
        "provided are",
    );
    story.theater(["call", "bare.wasm", "give", "--grant", "wether"]).error(2, "grants `wether`", "runtime");
    let wasm = guest("calm");
    let manifest = story.file("manifest.toml", format!("name = \"calm\"\npackage = {wasm:?}\n"));
    let call = |rest: &[&str]| {
        let start = [OsStr::new("call"), manifest.as_os_str()];
        story.theater(start.into_iter().chain(rest.iter().map(OsStr::new)))
    };
    call(&["init", "none", "(me)"]).error(2, "which the manifest does not grant", "type = \"runtime\"");
    call(&["init", "none", "(me)", "--fuel", "5"]).error(
        2,
        "--fuel is for bare wasm files",
        "fuel_per_call = 5",
    );
}

#[test]
fn a_reader_of_a_result_that_stops_reading_is_no_failure() {
    let story = Story::new();
    let wasm = guest("library");
    for args in [&["call", "math.double", "1"][..], &["inspect"]] {
        let rest = args[1..].iter().map(OsStr::new);
        let args = [OsStr::new(args[0]), wasm.as_os_str()].into_iter().chain(rest);
        let mut child = story.command(args).stdout(Stdio::piped()).spawn().expect("the binary runs");
        drop(child.stdout.take());
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
    }
}

#[test]
fn an_actor_s_folder_is_built_and_called() {
    let story = Story::new();
    let example = repository().join("examples/wordcount");
    let rest = ["init", "some(\"a b\")", "(me)"];
    let args = [OsStr::new("call"), example.as_os_str()].into_iter().chain(rest.iter().map(OsStr::new));
    let answer = story.theater(args).fine();
    assert!(answer.text().starts_with("ok<"), "{}", answer.text());
}
