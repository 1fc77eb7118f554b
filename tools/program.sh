#!/usr/bin/env bash
# program.sh PACKAGE NAME...: prints the path of the first installed program of these names. If none is installed, it
# installs the system package PACKAGE and prints the path of its program.
set -euo pipefail
package=$1
shift
for program in "$@"; do
  if [ -n "$program" ] && command -v "$program"; then exit; fi
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "installing $package (once) …" >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package"; } >/dev/null
  command -v "$package"
  exit
fi
echo "$package is not installed: install it (on Debian: apt-get install $package)" >&2
exit 1
