#!/usr/bin/env bash
# fuzz.sh SECONDS TARGET...: fuzzes each target for SECONDS, starting from its seeds. Needs cargo-fuzz and a nightly
# Rust toolchain. Fails on a finding; tests/fuzz/artifacts has the input.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift
for target in "$@"; do
  corpus=tests/fuzz/corpus/$target
  mkdir -p "$corpus"
  longest=8192
  case $target in
    answers) seeds=(functions/*/fixtures) first='\0' ;;
    settings) seeds=(examples) first= ;;
    # The largest text that Trunkline accepts: rendering must be linear.
    markup) seeds=(tests/fuzz/seeds/markup) first='\0' longest=131072 ;;
    *)
      # A platform has its recorded calls, or seeds if its bodies are Trunkline's own.
      if [ -d "functions/$target" ]; then first='\0'; else first=; fi
      if [ -d "functions/$target/fixtures" ]; then seeds=("functions/$target/fixtures"); else seeds=("tests/fuzz/seeds/$target"); fi
      ;;
  esac
  find "${seeds[@]}" -maxdepth 1 -type f | while read -r file; do
    # The first byte selects a variant in some targets.
    # shellcheck disable=SC2059
    (printf "$first"; cat "$file") >"$corpus/$(basename "$file")"
  done
  (cd tests/fuzz && cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -max_len="$longest" -print_final_stats=1) \
    >"tests/fuzz/$target.log" 2>&1 || { tail -40 "tests/fuzz/$target.log"; exit 1; }
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "tests/fuzz/$target.log")
  echo "$target: $runs runs in $seconds s, nothing found"
done
