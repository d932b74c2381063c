#!/usr/bin/env bash
# Lints contracts/openapi.json by contracts/spectral.yaml. Needs node and npm; a warning fails.
#
#     tools/spectral/lint.sh [OPENAPI_JSON]
set -euo pipefail

if ! command -v npm >/dev/null; then
  echo "spectral: npm is not on the path; it comes with Node.js 20 or newer" >&2
  exit 1
fi

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
contracts=$here/../../contracts
document=$(realpath "${1:-$contracts/openapi.json}")

# Anew only when the lock has changed: npm writes what it installed into node_modules.
if [ ! -e "$here/node_modules/.installed" ] || [ "$here/package-lock.json" -nt "$here/node_modules/.installed" ]; then
  npm --prefix "$here" ci --no-progress --loglevel=error
  touch "$here/node_modules/.installed"
fi

# A dependency of Spectral still asks for punycode, which node warns of.
NODE_OPTIONS=--no-deprecation exec "$here/node_modules/.bin/spectral" lint \
  --ruleset "$contracts/spectral.yaml" --fail-severity warn "$document"
