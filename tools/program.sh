#!/usr/bin/env bash
# program.sh PACKAGE NAME…: prints where the first of these programs is that is there, or else installs the
# system's package and prints where its program of that name is.
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
echo "there is no $package: install it (on Debian: apt-get install $package)" >&2
exit 1
