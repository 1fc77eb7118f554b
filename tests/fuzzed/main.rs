//! The fuzz targets (`make fuzz-all`) on a stable compiler: each seed, and a fixed set of mutations of it.

#[path = "../fuzz/src/external.rs"]
mod external;
#[path = "../fuzz/src/inbound.rs"]
mod inbound;
#[path = "../fuzz/src/internal.rs"]
mod internal;

use std::fs;
use std::path::{Path, PathBuf};

/// Mutations per target, over all of its seeds.
const MUTATIONS: usize = 3_000;

/// A pseudo-random number generator (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// Byte sequences that often break parsers.
const TRICKY: [&[u8]; 14] = [
    b"\0",
    b"\xff",
    b"\"",
    b"\\",
    b"{",
    b"]",
    b"}",
    b"\r\n",
    b"\xef\xbf\xbf",
    b"1e999",
    b"null",
    b"<!--",
    b"&lt;",
    b"\xf0\x9f\x98\x80",
];

fn mutated(seed: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        let (at, other) = (numbers.below(data.len() + 1), numbers.below(data.len() + 1));
        match numbers.below(5) {
            0 => data.truncate(at),
            1 => data
                .splice(at..at, TRICKY[numbers.below(TRICKY.len())].iter().copied())
                .for_each(drop),
            2 => drop(data.drain(at.min(other)..at.max(other))),
            3 if at < data.len() => data[at] = u8::try_from(numbers.below(256)).unwrap(),
            _ => data.extend_from_within(at.min(other)..at.max(other).min(at.min(other) + 64)),
        }
    }
    data
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns the files of a folder. If the target selects a variant by its first byte, each starts with 0.
fn seeds(folder: &str, chooses: bool) -> Vec<Vec<u8>> {
    let files = fs::read_dir(project().join(folder)).unwrap().flatten();
    let mut files: Vec<_> = files.map(|file| file.path()).filter(|path| path.is_file()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    let first = if chooses { vec![0] } else { Vec::new() };
    files.iter().map(|path| [first.clone(), fs::read(path).unwrap()].concat()).collect()
}

fn feed(target: fn(&[u8]), seeds: &[Vec<u8>]) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for seed in seeds {
        target(seed);
        for _ in 0..MUTATIONS / seeds.len() {
            target(&mutated(seed, &mut numbers));
        }
    }
}

macro_rules! fuzz_tests {
    ($($module:ident :: $name:ident from $folder:literal, $chooses:literal;)*) => {
        $(#[test]
        fn $name() {
            feed($module::$name, &seeds($folder, $chooses));
        })*
    };
}

fuzz_tests! {
    inbound::cm from "functions/cm/fixtures", true;
    inbound::servisbot from "functions/servisbot/fixtures", true;
    inbound::twin from "functions/twin/fixtures", true;
    inbound::unblu from "functions/unblu/fixtures", true;
    inbound::webex from "functions/webex/fixtures", true;
    inbound::webhook from "tests/fuzz/seeds/webhook", true;
    internal::routing from "tests/fuzz/seeds/routing", false;
    internal::queue from "tests/fuzz/seeds/queue", false;
    internal::markup from "tests/fuzz/seeds/markup", true;
    external::settings from "examples", false;
    external::api from "tests/fuzz/seeds/api", false;
    external::answers from "functions/unblu/fixtures", true;
    external::socket from "tests/fuzz/seeds/socket", false;
    external::signature from "tests/fuzz/seeds/signature", false;
    external::address from "tests/fuzz/seeds/address", false;
}
