#!/usr/bin/env bash
# Prints where Chromium is: what CHROMIUM names, what is installed, or what the system's packages have.
set -euo pipefail
for program in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [ -n "$program" ] && command -v "$program" >/dev/null; then
    command -v "$program"
    exit
  fi
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "installing Chromium (once) …" >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium; } >/dev/null
  command -v chromium
  exit
fi
echo "there is no Chromium: install it (on Debian: apt-get install chromium), or name it by CHROMIUM" >&2
exit 1
