//! The counts agree with `wc`.

use std::fs;
use std::process::Command;

use wordcount::count::Counter;

fn wc(path: &std::path::Path) -> [u64; 3] {
    let output = Command::new("wc")
        .args(["-l", "-w", "-c"])
        .arg(path)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("wc runs");
    let text = String::from_utf8(output.stdout).expect("wc prints text");
    let mut numbers = text.split_whitespace().map(|number| number.parse().expect("wc prints numbers"));
    std::array::from_fn(|_| numbers.next().expect("wc prints three numbers"))
}

#[test]
fn the_counts_of_these_files_are_those_of_wc() {
    for name in ["text.txt", "src/count.rs", "src/lib.rs", "manifest.toml", "tests/wc.rs", "README.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let mut counter = Counter::default();
        counter.take(&fs::read(&path).expect("the file is there"));
        let report = counter.finish();
        assert_eq!([report.lines, report.words, report.bytes], wc(&path), "{name}");
    }
}
