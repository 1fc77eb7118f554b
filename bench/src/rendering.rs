//! The time to render and split a text, which must be linear: twice the text takes at most a little more than twice
//! the instructions.

use std::path::Path;
use std::process::Command;

use crate::instructions::count_instructions;

/// The sizes of the texts, in KiB. The second is the largest text that Trunkline accepts.
const SIZES: [u64; 2] = [64, 128];
/// How many times the instructions for half the text a text may take.
const MOST: f64 = 2.2;
/// The longest time to render and split the largest text, in microseconds.
const LONGEST_MICROS: u64 = 50_000;

/// Measures each worst case and prints the results. Returns the number of cases that are too slow.
pub async fn measure(programs: &Path) -> usize {
    let program = programs.join("rendering");
    let names = output(&program, &[]);
    let mut slow = 0;
    println!("{:<28} {:>14} {:>6} {:>10}", "case", "instructions", "ratio", "time, µs");
    for name in names.lines() {
        let mut counts = Vec::new();
        for size in [0, SIZES[0], SIZES[1]] {
            counts.push(count_instructions(&program, &[name, &size.to_string()]).await);
        }
        let (half, whole) = (counts[1] - counts[0], counts[2] - counts[0]);
        let ratio = whole as f64 / half as f64;
        let largest = SIZES[1].to_string();
        let times =
            (0..5).map(|_| output(&program, &[name, &largest]).trim().parse::<u64>().unwrap());
        let micros = times.min().unwrap();
        let is_slow = ratio > MOST || micros > LONGEST_MICROS;
        slow += usize::from(is_slow);
        let verdict = if is_slow { ": FAILED" } else { "" };
        println!("{name:<28} {whole:>14} {ratio:>6.2} {micros:>10}{verdict}");
    }
    slow
}

fn output(program: &Path, arguments: &[&str]) -> String {
    let run = Command::new(program).args(arguments).output().unwrap();
    assert!(run.status.success(), "{} failed", program.display());
    String::from_utf8(run.stdout).unwrap()
}
