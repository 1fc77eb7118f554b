//! What is fuzzed (`make fuzz-all`), for a moment and on a stable compiler: each seed as it is, and some
//! thousand alterations of it, the same in every run.

#[path = "../../fuzz/src/edges.rs"]
mod edges;
#[path = "../../fuzz/src/inbound.rs"]
mod inbound;
#[path = "../../fuzz/src/inside.rs"]
mod inside;

use std::fs;
use std::path::{Path, PathBuf};

/// How many alterations of all its seeds together a target is given.
const ALTERATIONS: usize = 3_000;

/// A small generator of numbers that look random (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// What breaks parsers, to be put in anywhere.
const ODD: [&[u8]; 14] = [
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

fn altered(seed: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        let (at, other) = (numbers.below(data.len() + 1), numbers.below(data.len() + 1));
        match numbers.below(5) {
            0 => data.truncate(at),
            1 => data.splice(at..at, ODD[numbers.below(ODD.len())].iter().copied()).for_each(drop),
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

/// The files of a folder, each behind the byte by which a target chooses, if it does.
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
        for _ in 0..ALTERATIONS / seeds.len() {
            target(&altered(seed, &mut numbers));
        }
    }
}

macro_rules! fed {
    ($($module:ident :: $name:ident from $folder:literal, $chooses:literal;)*) => {
        $(#[test]
        fn $name() {
            feed($module::$name, &seeds($folder, $chooses));
        })*
    };
}

fed! {
    inbound::cm from "functions/cm/fixtures", true;
    inbound::servisbot from "functions/servisbot/fixtures", true;
    inbound::twin from "functions/twin/fixtures", true;
    inbound::unblu from "functions/unblu/fixtures", true;
    inbound::webex from "functions/webex/fixtures", true;
    inbound::webhook from "fuzz/seeds/webhook", true;
    inside::switchboard from "fuzz/seeds/switchboard", false;
    inside::queue from "fuzz/seeds/queue", false;
    inside::markup from "fuzz/seeds/markup", true;
    edges::settings from "examples", false;
    edges::api from "fuzz/seeds/api", false;
    edges::answers from "functions/unblu/fixtures", true;
    edges::socket from "fuzz/seeds/socket", false;
    edges::signature from "fuzz/seeds/signature", false;
    edges::address from "fuzz/seeds/address", false;
}
