#!/usr/bin/env bash
# Installs what building and running needs and the machine lacks: the pinned Rust toolchain with its wasm target,
# the npm packages, and two tools from crates.io. Needs rustup, npm and a C compiler; GitHub need not be reachable.
# Safe to repeat: a second run looks at stamps and returns within a second.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# worker-build must be of the `worker` crate's series.
readonly WORKER_BUILD_VERSION=0.8.7
readonly CACHE="${XDG_CACHE_HOME:-${HOME}/.cache}/user-api/tools"

say() { printf '[setup] %s\n' "$*"; }
die() {
  printf '[setup] %s\n' "$*" >&2
  exit 1
}

need() {
  command -v "$1" >/dev/null || die "$1 is missing: $2"
}

# `cargo` in this folder uses the toolchain of rust-toolchain.toml; rustup may be told not to install it by itself.
install_rust() {
  local channel components targets
  channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
  targets=$(rustup target list --installed --toolchain "$channel" 2>/dev/null || true)
  components=$(rustup component list --installed --toolchain "$channel" 2>/dev/null || true)
  if grep -q '^wasm32-unknown-unknown$' <<<"$targets" && grep -q '^clippy' <<<"$components" \
    && grep -q '^rustfmt' <<<"$components"; then
    return
  fi
  say "Rust ${channel} with wasm32-unknown-unknown, clippy and rustfmt (a download of some 200 MB, about a minute)"
  rustup toolchain install "$channel" --profile minimal --component clippy,rustfmt \
    --target wasm32-unknown-unknown --no-self-update
}

install_npm_packages() {
  local stamp=node_modules/.user-api-lock
  if cmp -s package-lock.json "$stamp"; then
    return
  fi
  say 'npm packages: wrangler, workerd, esbuild, binaryen, node (about 130 MB, half a minute)'
  # Quiet about engines: wrangler never runs on the machine's own node, but on the one that this installs.
  npm ci --no-audit --no-fund --no-update-notifier --loglevel=error
  cp package-lock.json "$stamp"
}

# node comes as one optional package a platform, so that the lock file pins its bytes and no install script runs.
check_node() {
  local node=node_modules/.bin/node package
  if [[ ! -x $node ]]; then
    # npm 10 unlinks it again together with the packages for other platforms; and where npm has none for this
    # platform, the machine's own will do if it is new enough.
    package=$(compgen -G 'node_modules/node-*/bin/node' || true)
    if [[ -n $package ]]; then
      ln -sf "../${package#node_modules/}" "$node"
    else
      ln -sf "$(command -v node)" "$node"
    fi
  fi
  "$node" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 12) ? 0 : 1)' \
    || die "node 22.12 or newer is needed, and npm has none for this platform; found $("$node" --version)"
}

# install_tool NAME VERSION MINUTES EXECUTABLE [CARGO-INSTALL-OPTION...]
# Builds into the user's cache, so that another checkout (CI's, say) finds it, and copies it into .tools/bin.
install_tool() {
  local name=$1 version=$2 minutes=$3 executable=$4
  shift 4
  local stamp=".tools/${name}-${version}"
  if [[ -e $stamp && -x .tools/bin/$executable ]]; then
    return
  fi
  local home="${CACHE}/${name}-${version}"
  if [[ ! -x ${home}/bin/${executable} ]] || ! "${home}/bin/${executable}" --version | grep -qF "$version"; then
    say "building ${name} ${version} from crates.io (about ${minutes} minutes on two cores, once a machine)"
    build_tool "$name" "$version" "$executable" "$home" "$@"
  fi
  mkdir -p .tools/bin
  # A running executable cannot be written to, only replaced: copy beside it, then rename.
  local file
  for file in "${home}"/bin/*; do
    cp "$file" ".tools/bin/.${file##*/}.$$"
    mv -f ".tools/bin/.${file##*/}.$$" ".tools/bin/${file##*/}"
  done
  rm -f ".tools/${name}"-*
  : >"$stamp"
}

# Half-built tools never appear under their final name: built aside, renamed when complete.
build_tool() {
  local name=$1 version=$2 executable=$3 home=$4
  shift 4
  mkdir -p "$CACHE"
  local aside
  aside=$(mktemp -d "${CACHE}/.${name}.XXXXXX")
  CARGO_TARGET_DIR="${aside}/target" cargo install "$name" --version "=${version}" --root "$aside" --quiet "$@" \
    >"${aside}/log" 2>&1 &
  local pid=$! began=$SECONDS
  # shellcheck disable=SC2064 # now, while the names are in scope
  trap "kill ${pid} 2>/dev/null || true; rm -rf '${aside}'" EXIT
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    if (((SECONDS - began) % 30 == 29)); then
      say "  … ${name}: $((SECONDS - began + 1)) s"
    fi
  done
  if ! wait "$pid"; then
    tail -n 40 "${aside}/log" >&2
    die "${name} ${version} did not build; what cargo said is above"
  fi
  rm -rf "${aside}/target" "${aside}/log"
  # Where another checkout was faster, its result is as good; a broken one was refused by the caller.
  if ! "${home}/bin/${executable}" --version >/dev/null 2>&1; then
    rm -rf "$home"
    mv "$aside" "$home"
  fi
  rm -rf "$aside"
  trap - EXIT
}

locked_version() {
  awk -v want="name = \"$1\"" '$0 == want { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock
}

need rustup 'see https://rustup.rs'
need npm 'install Node.js with npm, see https://nodejs.org'
need cc 'install a C compiler, e.g. apt-get install build-essential'

install_rust
install_npm_packages
check_node
install_tool worker-build "$WORKER_BUILD_VERSION" 4 worker-build --locked
# Its own lock file is not published for every version; the CLI must equal the library in ours.
wasm_bindgen=$(locked_version wasm-bindgen)
[[ -n $wasm_bindgen ]] || die 'Cargo.lock names no wasm-bindgen'
install_tool wasm-bindgen-cli "$wasm_bindgen" 3 wasm-bindgen
