//! Words that may stand in some places only.

use super::Source;

/// A text, where it must not stand, and why. It is written in two halves so that this table does not name itself.
struct Word {
    halves: (&'static str, &'static str),
    is_refused: fn(&Source) -> bool,
    reach: Reach,
    why: &'static str,
}

/// Which lines of a file a word is looked for in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Everything,
    /// Code that is compiled into users' programs: a comment or a test may take its examples where it likes.
    Shipped,
}

const WORDS: &[Word] = &[
    Word {
        halves: ("theater", ":"),
        is_refused: |source| is_of_pack(source) && source.path.iter().any(|part| part == "src"),
        reach: Reach::Shipped,
        why: "Pack knows nothing of Theater",
    },
    Word {
        halves: ("wasm", "time"),
        is_refused: |source| is_code(source) && is_of_a_crate(source) && !may_name_the_engine(source),
        reach: Reach::Everything,
        why: "the engine is named in crates/pack only",
    },
    Word {
        halves: ("TO", "DO"),
        is_refused: |_| true,
        reach: Reach::Everything,
        why: "plans belong into the tracker",
    },
    Word {
        halves: ("FIX", "ME"),
        is_refused: |_| true,
        reach: Reach::Everything,
        why: "plans belong into the tracker",
    },
    Word {
        halves: ("#[igno", "re"),
        is_refused: is_code,
        reach: Reach::Everything,
        why: "a test runs or is deleted",
    },
    Word {
        halves: ("#[cfg(any", "())]"),
        is_refused: is_code,
        reach: Reach::Everything,
        why: "code is compiled or deleted",
    },
    Word {
        halves: ("#[cfg(FAL", "SE)]"),
        is_refused: is_code,
        reach: Reach::Everything,
        why: "code is compiled or deleted",
    },
    Word {
        halves: ("// #[te", "st]"),
        is_refused: is_code,
        reach: Reach::Everything,
        why: "a test runs or is deleted",
    },
    Word {
        halves: ("/ro", "ot/."),
        is_refused: |_| true,
        reach: Reach::Everything,
        why: "a path of somebody's machine",
    },
    Word {
        halves: ("/wo", "rk/main"),
        is_refused: |_| true,
        reach: Reach::Everything,
        why: "a path of somebody's machine",
    },
    Word {
        halves: ("/wo", "rk/shared"),
        is_refused: |_| true,
        reach: Reach::Everything,
        why: "a path of somebody's machine",
    },
];

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    sources.iter().flat_map(|source| WORDS.iter().filter_map(|word| complaint(source, word))).collect()
}

fn complaint(source: &Source, word: &Word) -> Option<String> {
    if !(word.is_refused)(source) {
        return None;
    }
    let text = format!("{}{}", word.halves.0, word.halves.1);
    let lines = source.text().lines().enumerate();
    let (index, _) = lines
        .take_while(|(_, line)| word.reach == Reach::Everything || !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| word.reach == Reach::Everything || !line.trim_start().starts_with("//"))
        .find(|(_, line)| stands_in(line, &text))?;
    let line = index + 1;
    Some(format!("{}:{line}: `{text}`: {}", source.path.display(), word.why))
}

/// Whether a text stands in a line by itself: not as the end or the beginning of a longer word.
fn stands_in(line: &str, text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(text).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + text.len()..].chars().next();
        let joins_before = text.starts_with(is_word) && before.is_some_and(is_word);
        // `a::b` is a path, `a:b` a name of an interface.
        let joins_after = text.ends_with(is_word) && after.is_some_and(is_word)
            || text.ends_with(':') && after == Some(':');
        !joins_before && !joins_after
    })
}

fn is_code(source: &Source) -> bool {
    source.has_extension("rs") || source.has_extension("toml")
}

fn is_of_pack(source: &Source) -> bool {
    source.path.starts_with("pack-abi")
        || source
            .path
            .iter()
            .nth(1)
            .and_then(|part| part.to_str())
            .is_some_and(|part| source.is_below("crates") && (part == "pack" || part.starts_with("pack-")))
}

fn is_of_a_crate(source: &Source) -> bool {
    source.is_below("crates") || source.is_below("pack-abi") || source.is_below("wit")
}

fn may_name_the_engine(source: &Source) -> bool {
    source.is_below("crates/pack") || source.is_below("crates/theater-bench")
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn pack_does_not_name_theater() {
        let text = format!("use \"{}{}simple\"", "theater", ":");
        for path in ["pack-abi/src/lib.rs", "crates/pack/src/a.rs", "crates/pack-macros/src/b/c.rs"] {
            assert_eq!(check(&[source(path, &text)]).len(), 1, "{path}");
        }
        for path in ["crates/theater/src/a.rs", "docs/a.md", "crates/packaging/src/a.rs"] {
            assert_eq!(check(&[source(path, &text)]), [""; 0], "{path}");
        }
        for harmless in
            ["use theater::x".to_owned(), format!("/// e.g. {text}"), format!("#[cfg(test)]\n{text}")]
        {
            assert_eq!(check(&[source("crates/pack/src/a.rs", &harmless)]), [""; 0], "{harmless}");
        }
    }

    #[test]
    fn the_engine_is_named_in_pack_only() {
        let text = format!("use {}{}::Engine;", "wasm", "time");
        assert_eq!(
            check(&[source("crates/theater/src/a.rs", &text)]),
            [format!(
                "crates/theater/src/a.rs:1: `{}{}`: the engine is named in crates/pack only",
                "wasm", "time"
            )]
        );
        for path in ["crates/pack/src/a.rs", "crates/theater-bench/src/a.rs", "docs/engine.md"] {
            assert_eq!(check(&[source(path, &text)]), [""; 0], "{path}");
        }
    }

    #[test]
    fn a_word_inside_a_longer_one_is_another_word() {
        let todo = format!("{}{}", "TO", "DO");
        assert!(stands_in(&format!("// {todo}: later"), &todo));
        assert!(!stands_in(&format!("MAS{todo}NS"), &todo));
    }

    #[test]
    fn disabled_tests_are_refused() {
        let text = format!("{}{} = \"slow\"]\nfn x() {{}}", "#[igno", "re");
        assert_eq!(check(&[source("crates/theater/src/a.rs", &text)]).len(), 1);
    }
}
