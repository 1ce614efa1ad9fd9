//! The arguments of a call as a person writes them, read by the signature of the function.

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::Path;

use pack_abi::types::{Function, Interface, Param};
use pack_abi::{LiteralError, Value, parse_typed};

use crate::description::{Description, needed};
use crate::ui::error::CliError;
use crate::ui::text::{count, shorten};

/// Characters of a literal that are shown on each side of a mistake.
const SHOWN_CHARS: usize = 40;
/// Lines of type definitions that an error shows.
const DEFINITION_LINES: usize = 12;

/// What is known of a function.
pub(crate) struct Signature<'d> {
    interface: &'d Interface,
    function: &'d Function,
}

impl<'d> Signature<'d> {
    /// Finds the signature of an export, if the package describes it.
    pub(crate) fn find(description: &'d Description, symbol: &str) -> Option<Self> {
        let (interface, name) = symbol.rsplit_once('.').unwrap_or(("", symbol));
        let part = description.exports.iter().find(|part| part.interface.name == interface)?;
        let function = part.interface.functions.iter().find(|function| function.name == name)?;
        Some(Self { interface: &part.interface, function })
    }

    /// The signature and the types that it names, as far as there is room.
    fn shown(&self) -> String {
        let needed = needed(std::slice::from_ref(self.function), &self.interface.types);
        let types = self.interface.types.iter().filter(|def| needed.contains(&def.name)).cloned().collect();
        let types = Interface { types, ..Interface::default() };
        let types = pack_wit::print_items(&types);
        let mut text = self.function.to_string();
        if !types.is_empty() && types.lines().count() <= DEFINITION_LINES {
            text.push('\n');
            text.push_str(types.trim_end());
        }
        text
    }
}

/// Reads the arguments and encodes them as the input of a call.
pub(crate) fn encode(
    symbol: &str,
    signature: Option<&Signature<'_>>,
    literals: &[String],
) -> Result<Vec<u8>, CliError> {
    let mut values = match signature {
        Some(signature) => typed(symbol, signature, literals)?,
        None => untyped(literals)?,
    };
    // A function with one parameter takes its value as it is, or in a tuple; a tuple of one has to be in a tuple.
    let input = match values.as_slice() {
        [Value::Tuple(items)] if items.len() == 1 => Value::tuple(values),
        [_] => values.remove(0),
        _ => Value::tuple(values),
    };
    pack_abi::encode(&input)
        .map_err(|error| CliError::environment("the arguments cannot be passed on").because(error))
}

fn typed(symbol: &str, signature: &Signature<'_>, literals: &[String]) -> Result<Vec<Value>, CliError> {
    let params = &signature.function.params;
    if params.len() != literals.len() {
        let error = CliError::environment(format!(
            "`{symbol}` takes {}, not {}",
            count(params.len() as u64, "argument"),
            literals.len()
        ))
        .because(signature.shown());
        return Err(match (params.get(literals.len()), literals.get(params.len())) {
            (Some(missing), _) => error.hint(format!("`{}: {}` comes next", missing.name, missing.ty)),
            (None, Some(extra)) => error.hint(format!(
                "`{}` is too many; a value with spaces, quotes or brackets needs quotes for the shell",
                shorten(extra, SHOWN_CHARS)
            )),
            (None, None) => error,
        });
    }
    let read = |(param, literal): (&Param, &String)| {
        let text = text_of(literal)?;
        parse_typed(&text, &param.ty, &signature.interface.types).map_err(|error| {
            CliError::environment(format!(
                "the argument `{}: {}` of `{symbol}` cannot be read",
                param.name, param.ty
            ))
            .because(format!(
                "{}\n\n{}",
                Mistake { text: &text, error: &error },
                signature.shown()
            ))
        })
    };
    params.iter().zip(literals).map(read).collect()
}

fn untyped(literals: &[String]) -> Result<Vec<Value>, CliError> {
    let read = |(place, literal): (usize, &String)| {
        let text = text_of(literal)?;
        text.parse::<Value>().map_err(|error| {
            let error = LiteralError { expected: error.expected.to_owned(), offset: error.offset };
            CliError::environment(format!("argument {} cannot be read", place + 1))
                .because(Mistake { text: &text, error: &error }.to_string())
                .hint(
                    "the package does not say what its types are, so each value says its own: \
                     21u32  \"Ada\"  some<u8>(1u8)  [1s32, 2s32]",
                )
        })
    };
    literals.iter().enumerate().map(read).collect()
}

/// Returns the literal, from the file that stands for it if one does.
fn text_of(literal: &str) -> Result<String, CliError> {
    let Some(name) = literal.strip_prefix('@') else { return Ok(literal.to_owned()) };
    let failed = |error| {
        CliError::io(format!("failed to read an argument from {name}"), error)
            .hint("a text that begins with `@` needs quotes of its own: '\"@...\"'")
    };
    let most = pack_abi::BUFFER_BYTES_MAX as u64;
    let mut text = String::new();
    let read = if name == "-" {
        std::io::stdin().lock().take(most).read_to_string(&mut text)
    } else {
        fs::File::open(Path::new(name)).and_then(|file| file.take(most).read_to_string(&mut text))
    };
    read.map_err(failed)?;
    if text.len() as u64 == most {
        return Err(CliError::environment(format!("the argument in {name} is too large"))
            .hint(format!("a call takes less than {most} bytes")));
    }
    // An editor ends every file with one.
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// Shows the place of a mistake in a literal.
struct Mistake<'e> {
    text: &'e str,
    error: &'e LiteralError,
}

impl fmt::Display for Mistake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, error } = self;
        writeln!(f, "{error}")?;
        let (before, after) = text.split_at_checked(error.offset).unwrap_or((text, ""));
        let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
        let mut head: Vec<char> = before.chars().rev().take(SHOWN_CHARS + 1).map(visible).collect();
        if head.len() > SHOWN_CHARS {
            head[SHOWN_CHARS] = '…';
        }
        let head: String = head.into_iter().rev().collect();
        let tail: String = after.chars().map(visible).collect();
        writeln!(f, "  {head}{}", shorten(&tail, SHOWN_CHARS))?;
        write!(f, "  {}^", " ".repeat(head.chars().count()))
    }
}
