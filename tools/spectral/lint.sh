#!/usr/bin/env bash
# Lints contracts/openapi.json with contracts/spectral.yaml. Needs node and npm. A warning fails the lint.
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

# Installs again only if the lock has changed since the last installation.
if [ ! -e "$here/node_modules/.installed" ] || [ "$here/package-lock.json" -nt "$here/node_modules/.installed" ]; then
  npm --prefix "$here" ci --no-progress --loglevel=error
  touch "$here/node_modules/.installed"
fi

# A dependency of Spectral uses punycode, for which node prints a deprecation warning.
NODE_OPTIONS=--no-deprecation exec "$here/node_modules/.bin/spectral" lint \
  --ruleset "$contracts/spectral.yaml" --fail-severity warn "$document"
