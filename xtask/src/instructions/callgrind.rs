//! Runs a bench under callgrind and reads its dumps, one for each case.

use std::fmt::Display;
use std::path::Path;
use std::process::Command;

/// The function in which the benches do what is to be counted.
const COUNTED: &str = "*::counted_by_callgrind";
/// The only functions that are counted apart: valgrind knows no hash instructions, so in software they would outweigh
/// all of ours.
const HASHING: &str = "sha2::";

/// How many instructions a case takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// Package and case.
    pub(super) name: String,
    /// All but those of the hash function; of all threads, the allocator and the copies included.
    pub(super) own: u64,
    /// Those of the hash function.
    pub(super) hashing: u64,
}

/// Returns the command that runs a bench and leaves `dumps.1`, `dumps.2`, ...
pub(super) fn command(program: &Path, dumps: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]);
    command.arg(format!("--zero-before={COUNTED}")).arg(format!("--dump-after={COUNTED}"));
    command.arg(format!("--callgrind-out-file={}", dumps.display())).arg(program);
    command
}

/// Returns the counts of a run whose cases are the lines of `names`, in their order.
pub(super) fn counts(package: &str, names: &str, dumps: &Path) -> Result<Vec<Count>, String> {
    let mut counts = Vec::new();
    for (number, name) in names.lines().enumerate() {
        let path = format!("{}.{}", dumps.display(), number + 1);
        let shown = |error: &dyn Display| format!("no count of {package}/{name}: {path}: {error}");
        let text = std::fs::read_to_string(&path).map_err(|error| shown(&error))?;
        let (own, hashing) = read(&text).map_err(|error| shown(&error))?;
        counts.push(Count { name: format!("{package}/{name}"), own, hashing });
    }
    let after = format!("{}.{}", dumps.display(), counts.len() + 1);
    if Path::new(&after).exists() {
        return Err(format!("{package}: callgrind has counted more than the cases that the bench names"));
    }
    Ok(counts)
}

/// Sums up the costs of the functions themselves, hash function and others apart.
fn read(dump: &str) -> Result<(u64, u64), &'static str> {
    let (mut own, mut hashing, mut total) = (0, 0, None);
    let mut is_hashing = false;
    let mut lines = dump.lines();
    while let Some(line) = lines.next() {
        if let Some(function) = line.strip_prefix("fn=") {
            is_hashing = function.starts_with(HASHING);
        } else if line.starts_with("calls=") {
            // The next line has what the called function costs, which is counted there.
            lines.next();
        } else if let Some(sum) = line.strip_prefix("totals:") {
            total = sum.trim().parse::<u64>().ok();
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            let cost = line.split_whitespace().nth(1).and_then(|cost| cost.parse::<u64>().ok());
            let cost = cost.ok_or("a line without a cost")?;
            *(if is_hashing { &mut hashing } else { &mut own }) += cost;
        }
    }
    match total {
        Some(0) => Err("nothing was counted"),
        Some(total) if total == own + hashing => Ok((own, hashing)),
        Some(_) => Err("the costs of the functions are not the total"),
        None => Err("it is not complete"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "\
# callgrind format
desc: Trigger: --dump-after=*::counted_by_callgrind
positions: line
events: Ir

fl=bench.rs
fn=bench::counted_by_callgrind
10 5
cfi=abi.rs
cfn=pack_abi::encode
calls=1 20
11 130

fl=abi.rs
fn=pack_abi::encode
20 20
fi=inlined.rs
7 10
fe=abi.rs
cfn=sha2::compress
calls=2 1
21 100

fl=sha2.rs
fn=sha2::compress
1 100

totals: 135
";

    #[test]
    fn what_a_function_costs_is_counted_once_and_the_hash_function_apart() {
        assert_eq!(read(DUMP), Ok((35, 100)));
    }

    #[test]
    fn a_dump_that_is_cut_off_or_does_not_add_up_is_no_count() {
        assert_eq!(read(&DUMP[..DUMP.len() - 12]), Err("it is not complete"));
        assert!(read(&DUMP.replace("135", "136")).is_err());
        assert!(read("totals: 0\n").is_err());
    }
}
