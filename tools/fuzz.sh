#!/usr/bin/env bash
# fuzz.sh SECONDS TARGET...: fuzzes each target for SECONDS, starting from its seeds. Needs cargo-fuzz and a nightly
# Rust toolchain. Fails on a finding; fuzz/artifacts has the input.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift
for target in "$@"; do
  corpus=fuzz/corpus/$target
  mkdir -p "$corpus"
  case $target in
    cm | servisbot | twin | unblu | webex) seeds=functions/$target/fixtures first='\0' ;;
    answers) seeds=functions/unblu/fixtures first='\0' ;;
    settings) seeds=examples first= ;;
    webhook | markup) seeds=fuzz/seeds/$target first='\0' ;;
    *) seeds=fuzz/seeds/$target first= ;;
  esac
  for file in "$seeds"/*; do
    # The first byte selects a variant in some targets.
    # shellcheck disable=SC2059
    if [ -f "$file" ]; then (printf "$first"; cat "$file") >"$corpus/$(basename "$file")"; fi
  done
  (cd fuzz && cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -max_len=8192 -print_final_stats=1) \
    >"fuzz/$target.log" 2>&1 || { tail -40 "fuzz/$target.log"; exit 1; }
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "fuzz/$target.log")
  echo "$target: $runs runs in $seconds s, nothing found"
done
