#!/usr/bin/env bash
# What worker-build takes for esbuild: puts the entry of our own, worker/shim.mjs, in the place of the one that it has
# made, and bundles that.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[[ ! -f shim.js ]] || cp "$root/worker/shim.mjs" shim.js
exec "$root/node_modules/.bin/esbuild" "$@"
