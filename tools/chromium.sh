#!/usr/bin/env bash
# Prints where Chromium is: what CHROMIUM names, what is installed, or what the system's packages have.
set -euo pipefail
"$(dirname "$0")/program.sh" chromium "${CHROMIUM:-}" chromium chromium-browser google-chrome && exit
echo "another can be named by CHROMIUM" >&2
exit 1
