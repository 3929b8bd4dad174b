#!/usr/bin/env bash
# Builds the worker into build/<profile>/: index.js and index_bg.wasm; and the files that it serves, build/assets/.
#
#   scripts/build-worker.sh [release|dev|none]
#
# wrangler calls it without an argument ([build] in wrangler.toml); USER_API_BUILD then chooses, `none` meaning that
# the caller has just built it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

profile=${1:-${USER_API_BUILD:-release}}
case $profile in
  release | dev) ;;
  none) exit 0 ;;
  *)
    printf 'unknown profile %s: release, dev or none\n' "$profile" >&2
    exit 2
    ;;
esac
[[ -x .tools/bin/worker-build ]] || ./scripts/setup.sh

# Named here, worker-build downloads none of them; the two from npm are scripts that want the node beside them.
export PATH="${PWD}/node_modules/.bin:${PATH}"
export WASM_BINDGEN_BIN="${PWD}/.tools/bin/wasm-bindgen"
export WASM_OPT_BIN="${PWD}/node_modules/.bin/wasm-opt"
export ESBUILD_BIN="${PWD}/scripts/bundle.sh"

node_modules/.bin/node scripts/assets.mjs
.tools/bin/worker-build "--${profile}" worker --out-dir "../build/${profile}" --locked
[[ $profile == release ]] || exit 0

# The names of functions are a tenth of what is uploaded and serve only whoever reads a trap's stack: they stay here.
mkdir -p build/symbols
cp build/release/index_bg.wasm build/symbols/index_bg.wasm
wasm-opt build/symbols/index_bg.wasm --all-features --strip-debug --strip-producers -o build/release/.index_bg.wasm
mv build/release/.index_bg.wasm build/release/index_bg.wasm
