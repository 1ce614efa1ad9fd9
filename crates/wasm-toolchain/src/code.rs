//! Makes code short: a linker leaves room for the largest number wherever it puts one in, so that `call 3` takes six
//! bytes. Here each number takes the bytes that it needs; nothing else changes.

use wasmparser::{BinaryReader, FunctionBody};

use crate::shorten::{put_number, put_sized};
use crate::wasm::Reader;

/// Returns the contents of a code section with short numbers; the error is the offset of the first byte in it that
/// does not fit.
pub(crate) fn compressed(section: &[u8]) -> Result<Vec<u8>, usize> {
    let mut reader = Reader { bytes: section, at: 0 };
    let mut out = Vec::with_capacity(section.len());
    let count = reader.number()?;
    put_number(&mut out, count);
    for _ in 0..count {
        let body = reader.name()?;
        let start = reader.at - body.len();
        put_sized(&mut out, &function(body).map_err(|at| start + at)?);
    }
    if reader.at == section.len() { Ok(out) } else { Err(reader.at) }
}

fn function(body: &[u8]) -> Result<Vec<u8>, usize> {
    let fault = |error: wasmparser::BinaryReaderError| error.offset().min(body.len());
    let mut operators =
        FunctionBody::new(BinaryReader::new(body, 0)).get_operators_reader().map_err(fault)?;
    let mut out = body.get(..operators.original_position()).unwrap_or_default().to_vec();
    while !operators.eof() {
        let start = operators.original_position();
        operators.read().map_err(fault)?;
        let whole = body.get(start..operators.original_position()).ok_or(start)?;
        match operator(whole) {
            Some(short) if short.len() < whole.len() => out.extend_from_slice(&short),
            Some(_) | None => out.extend_from_slice(whole),
        }
    }
    Ok(out)
}

/// The same operator in fewer bytes, if it is one that a linker writes numbers into.
fn operator(whole: &[u8]) -> Option<Vec<u8>> {
    let (opcode, immediates) = whole.split_first()?;
    let mut out = vec![*opcode];
    match opcode {
        // call, call_indirect; global.get, global.set; loads and stores; ref.func
        0x10 | 0x11 | 0x23 | 0x24 | 0x28..=0x3E | 0xD2 => {
            let mut reader = Reader { bytes: immediates, at: 0 };
            while reader.at < immediates.len() {
                put_number(&mut out, reader.number().ok()?);
            }
        }
        // i32.const
        0x41 => put_signed(&mut out, BinaryReader::new(immediates, 0).read_var_i32().ok()?),
        _ => return None,
    }
    Some(out)
}

/// A signed number in LEB128.
fn put_signed(out: &mut Vec<u8>, mut number: i32) {
    loop {
        let byte = (number & 0x7F) as u8;
        number >>= 7;
        if (number == 0 && byte & 0x40 == 0) || (number == -1 && byte & 0x40 != 0) {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A code section with one function of these operators and no locals.
    fn section(operators: &[u8]) -> Vec<u8> {
        let mut out = vec![1];
        put_sized(&mut out, &[&[0], operators, &[0x0B]].concat());
        out
    }

    #[test]
    fn each_number_takes_the_bytes_that_it_needs() {
        let padded: &[u8] = &[
            0x10, 0x83, 0x80, 0x80, 0x80, 0x00, // call 3
            0x23, 0x80, 0x80, 0x80, 0x80, 0x00, // global.get 0
            0x28, 0x02, 0x88, 0x81, 0x80, 0x80, 0x00, // i32.load offset=136
            0x41, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, // i32.const -1
            0x41, 0xC0, 0x80, 0x80, 0x80, 0x00, // i32.const 64
            0x11, 0x81, 0x80, 0x80, 0x80, 0x00, 0x80, 0x80, 0x80, 0x80, 0x00, // call_indirect 1 0
        ];
        let short: &[u8] =
            &[0x10, 0x03, 0x23, 0x00, 0x28, 0x02, 0x88, 0x01, 0x41, 0x7F, 0x41, 0xC0, 0x00, 0x11, 0x01, 0x00];
        assert_eq!(compressed(&section(padded)), Ok(section(short)));
        assert_eq!(compressed(&section(short)), Ok(section(short)), "what is short already stays");
    }

    #[test]
    fn operators_without_such_numbers_stay_as_they_are() {
        let operators: &[u8] = &[
            0x42, 0x80, 0x80, 0x00, // i64.const 0, padded by whoever wrote it
            0x43, 0x10, 0x83, 0x80, 0x80, // f32.const whose bytes look like a call
            0xFC, 0x0B, 0x00, // memory.fill
            0x0E, 0x01, 0x00, 0x00, // br_table
        ];
        assert_eq!(compressed(&section(operators)), Ok(section(operators)));
    }

    #[test]
    fn a_section_cut_anywhere_is_refused() {
        let whole = section(&[0x10, 0x83, 0x80, 0x80, 0x80, 0x00, 0x41, 0x01, 0x1A]);
        for end in 0..whole.len() {
            let fault = compressed(&whole[..end]).expect_err("cut");
            assert!(fault <= end, "{end}: {fault}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert_eq!(compressed(&longer), Err(whole.len()));
        assert!(compressed(&section(&[0xFF])).is_err(), "an operator that does not exist");
    }
}
