#!/usr/bin/env bash
# Sees to it that there is a valgrind, which counts instructions: the one there is, or the system's packages'.
set -euo pipefail
if command -v valgrind; then exit; fi
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "installing valgrind (once) …" >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends valgrind; } >/dev/null
  command -v valgrind
  exit
fi
echo "there is no valgrind: install it (on Debian: apt-get install valgrind)" >&2
exit 1
