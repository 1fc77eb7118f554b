#!/usr/bin/env bash
# fuzz.sh SECONDS TARGET…: seeds each target and feeds it with anything for so long. Needs cargo-fuzz and a
# nightly Rust. Ends with a failure if anything was found; fuzz/artifacts has what.
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
    # Some targets choose by their first byte.
    # shellcheck disable=SC2059
    if [ -f "$file" ]; then (printf "$first"; cat "$file") >"$corpus/$(basename "$file")"; fi
  done
  (cd fuzz && cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -max_len=8192 -print_final_stats=1) \
    >"fuzz/$target.log" 2>&1 || { tail -40 "fuzz/$target.log"; exit 1; }
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "fuzz/$target.log")
  echo "$target: $runs runs in $seconds s, nothing found"
done
