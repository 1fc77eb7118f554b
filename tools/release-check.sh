#!/usr/bin/env bash
# Builds the functions for AWS as `make release` does, for both architectures, and checks what Lambda's operating system
# requires: the architecture, and no symbol of a newer C library. Without link-time optimization, which takes most of the
# time of a release build and changes neither.
set -euo pipefail
cd "$(dirname "$0")/.."

# The C library of Amazon Linux 2023.
NEWEST_GLIBC=2.34

export PATH="$PWD/.tools/release/bin:$PATH"
export CARGO_TARGET_DIR="$PWD/target/release-check"
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16

check() {
  local bootstrap=$1 machine=$2 newest
  readelf --file-header "$bootstrap" | grep --quiet "Machine:.*$machine" || { echo "$bootstrap is not for $machine"; return 1; }
  newest=$(readelf --version-info "$bootstrap" | grep --only-matching 'GLIBC_[0-9.]*' | cut --delimiter=_ --fields=2 | sort --version-sort | tail --lines=1)
  [ "$(printf '%s\n' "$newest" "$NEWEST_GLIBC" | sort --version-sort | tail --lines=1)" = "$NEWEST_GLIBC" ] ||
    { echo "$bootstrap needs glibc $newest; Lambda has $NEWEST_GLIBC"; return 1; }
}

build() {
  local arch=$1 machine=$2 target="$1-unknown-linux-gnu" count=0
  shift 2
  if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$target" ] && ! rustup target add "$target" >/dev/null 2>&1; then
    echo "not built for $arch: the standard library of $target is not installed and cannot be downloaded"
    return
  fi
  echo "building the functions for $arch ..."
  cargo lambda build --release --locked --quiet --output-format binary --lambda-dir "target/release-check/$arch" --target "$target" "$@"
  for bootstrap in "target/release-check/$arch"/*/bootstrap; do
    check "$bootstrap" "$machine"
    count=$((count + 1))
  done
  echo "$count functions for $arch: no symbol newer than glibc $NEWEST_GLIBC"
}

build aarch64 AArch64 "$@"
build x86_64 X86-64 "$@"
