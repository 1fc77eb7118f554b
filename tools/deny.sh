#!/usr/bin/env bash
# deny.sh CARGO-DENY: checks licences, bans and sources of all dependencies, and advisories if their database can be
# reached. A finding fails. An unreachable database is reported and does not fail.
set -euo pipefail
cd "$(dirname "$0")/.."
deny=$1
for manifest in Cargo.toml tests/fuzz/Cargo.toml; do
  echo "$manifest: licences, bans, sources"
  "$deny" --manifest-path "$manifest" --config deny.toml --locked check licenses bans sources
done
if ! timeout 120 "$deny" --config deny.toml fetch db >/dev/null 2>&1; then
  echo "advisories not checked: cannot reach the database (https://github.com/RustSec/advisory-db)"
  exit 0
fi
for manifest in Cargo.toml tests/fuzz/Cargo.toml; do
  echo "$manifest: advisories"
  "$deny" --manifest-path "$manifest" --config deny.toml --locked check --disable-fetch advisories
done
