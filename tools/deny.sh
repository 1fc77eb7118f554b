#!/usr/bin/env bash
# deny.sh CARGO-DENY: licences, bans and sources of all that is built here; advisories as well, where their
# database can be reached. What cannot be checked is said, and fails nothing; what is found fails.
set -euo pipefail
cd "$(dirname "$0")/.."
deny=$1
for manifest in Cargo.toml fuzz/Cargo.toml; do
  echo "$manifest: licences, bans, sources"
  "$deny" --manifest-path "$manifest" --config deny.toml --locked check licenses bans sources
done
if ! timeout 120 "$deny" --config deny.toml fetch db >/dev/null 2>&1; then
  echo "advisories were not checked: the database could not be reached (https://github.com/RustSec/advisory-db)"
  exit 0
fi
for manifest in Cargo.toml fuzz/Cargo.toml; do
  echo "$manifest: advisories"
  "$deny" --manifest-path "$manifest" --config deny.toml --locked check --disable-fetch advisories
done
