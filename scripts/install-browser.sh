#!/usr/bin/env bash
# Install Debian's Chromium, in which tests look at the pages, unless a browser of its kind is there.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
log=$(mktemp)
{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    echo "Chromium is not installed, and apt-get could not install it." >&2
    exit 1
}
