#!/usr/bin/env bash
# Prints the path of Chromium: $CHROMIUM, an installed program, or one that it installs as a system package.
set -euo pipefail
"$(dirname "$0")/program.sh" chromium "${CHROMIUM:-}" chromium chromium-browser google-chrome && exit
echo "set CHROMIUM to use another browser" >&2
exit 1
