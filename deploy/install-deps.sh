#!/usr/bin/env bash
# Installs what building and testing Sweep needs on Debian 12, and into .deps/ of this checkout
# PyTorch (its libtorch is what the trainer is built with; tests also train with the Python part), the
# Python packages of tests/requirements.txt and two programs of Prometheus, which tests use. Run it as
# often as you like: what is there already is left alone.
#
#   deploy/install-deps.sh              install
#   deploy/install-deps.sh --no-tests   only what building and running the programs needs
#   Torch_DIR=… deploy/install-deps.sh  use that libtorch (the folder of TorchConfig.cmake)
set -euo pipefail
cd "$(dirname "$0")/.."

with_tests=yes
if [ $# -gt 0 ]; then
  if [ "$*" != --no-tests ]; then
    echo "install-deps: error: unknown argument '$*'; there is --no-tests" >&2
    exit 2
  fi
  with_tests=no
fi

readonly PROGRAM_PACKAGES=(
  g++ cmake ninja-build ccache pkg-config ca-certificates
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libabsl-dev
  libsqlite3-dev sqlite3 libspdlog-dev libfmt-dev libyaml-cpp-dev libcli11-dev
  nlohmann-json3-dev libcpp-httplib-dev libssl-dev zlib1g-dev libpng-dev libcurl4-openssl-dev
  libhwy-dev prometheus-cpp-dev libmimalloc-dev libsimdjson-dev libeigen3-dev libnlopt-dev python3 python3-pip
)
readonly TEST_PACKAGES=(libgtest-dev libgmock-dev zsh chromium fonts-dejavu-core dpkg-dev file)
readonly TORCH_VERSION=2.13.0
readonly TORCH_WHEEL=torch-${TORCH_VERSION}+cpu-cp311-cp311-manylinux_2_28_x86_64.whl
readonly TORCH_SHA256=6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b
readonly TORCH_INDEX=https://download.pytorch.org/whl/cpu
# The content of .deps/torch; changes with the wheel and the unpacked parts.
readonly TORCH_CONTENT="$TORCH_SHA256 with Python"

say() { printf 'install-deps: %s\n' "$*"; }
fail() { printf 'install-deps: error: %s\n' "$*" >&2; exit 1; }

# Node 18 or newer and npm build the dashboard's page. Keeps one from another source (a version
# manager, NodeSource, whose package conflicts with Debian's npm).
has_node() {
  local version
  version=$(node --version 2>/dev/null) || return 1
  version=${version#v}
  [ "${version%%.*}" -ge 18 ] && command -v npm >/dev/null
}

install_packages() {
  local wanted=("${PROGRAM_PACKAGES[@]}")
  if [ $with_tests = yes ]; then wanted+=("${TEST_PACKAGES[@]}"); fi
  command -v apt-get >/dev/null || fail "this script knows Debian's apt-get only; install by hand: ${wanted[*]} nodejs npm"
  local missing=() package
  has_node || wanted+=(nodejs npm)
  for package in "${wanted[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "all ${#wanted[@]} Debian packages are installed"
    return
  fi
  if [ "$(id -u)" -ne 0 ]; then
    fail "these packages are missing; as root, run
  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  fi
  say "updating the package lists"
  apt-get update -qq
  local need
  need=$(apt-get install --assume-no --no-install-recommends "${missing[@]}" 2>/dev/null | grep '^Need to get' || true)
  say "installing ${#missing[@]} packages: ${missing[*]}"
  [ -z "$need" ] || say "${need%.}"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Downloads the wheel from pip's configured indexes, else from PyTorch's own CPU index: plain
# "torch" on PyPI is the CUDA build of several GB.
download_wheel() {
  local folder=$1 index
  local -a options=(--no-deps --only-binary=:all: --python-version 3.11 --implementation cp
    --abi cp311 --platform manylinux_2_28_x86_64 --dest "$folder" --progress-bar off --quiet)
  for index in "" "$TORCH_INDEX"; do
    say "downloading libtorch $TORCH_VERSION (CPU, 192 MB) from ${index:-the configured package index}"
    if python3 -m pip download "${options[@]}" ${index:+--index-url "$index"} \
        "torch==${TORCH_VERSION}+cpu" 2>> "$folder/pip.log"; then
      return 0
    fi
    say "it is not there"
  done
  cat "$folder/pip.log" >&2
  fail "could not download $TORCH_WHEEL; set Torch_DIR to a libtorch $TORCH_VERSION (…/share/cmake/Torch)"
}

install_torch() {
  if [ -n "${Torch_DIR:-}" ]; then
    [ -f "$Torch_DIR/TorchConfig.cmake" ] || fail "Torch_DIR is '$Torch_DIR', but there is no TorchConfig.cmake in it"
    say "using libtorch of Torch_DIR=$Torch_DIR"
    return
  fi
  local has_torch=no
  [ "$(cat .deps/torch.content 2>/dev/null)" != "$TORCH_CONTENT" ] || has_torch=yes
  if [ $has_torch = yes ] && [ -f .deps/torch-licences/LICENSE ]; then
    say "libtorch $TORCH_VERSION is in .deps/torch"
    return
  fi
  [ "$(uname -m)" = x86_64 ] || fail "there is a libtorch wheel for x86_64 only; set Torch_DIR to one for $(uname -m)"
  mkdir -p .deps
  staging=$(mktemp -d .deps/staging.XXXXXX)
  trap 'rm -rf "$staging"' EXIT
  if [ $has_torch = yes ]; then
    # Only packages of the worker need the licences.
    (download_wheel "$staging") || { say "its licences could not be had; deploy/package.sh needs them"; return; }
  else
    download_wheel "$staging"
  fi
  local wheel=$staging/$TORCH_WHEEL
  [ -f "$wheel" ] || fail "the package index gave $(cd "$staging" && echo *.whl), not $TORCH_WHEEL"
  echo "$TORCH_SHA256  $wheel" | sha256sum --check --quiet || fail "$TORCH_WHEEL does not have SHA-256 $TORCH_SHA256"
  unpack_licences "$wheel" "$staging"
  [ $has_torch = yes ] || unpack_torch "$wheel" "$staging"
}

# Of libtorch and what it has within: packages of the worker need them.
unpack_licences() {
  local wheel=$1 staging=$2
  say "unpacking its licences into .deps/torch-licences"
  python3 - "$wheel" "$staging/torch-licences" <<'PYTHON'
import os, sys, zipfile
wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        start, mark, rest = name.partition(".dist-info/")
        rest = rest.removeprefix("licenses/")
        if not mark or rest.endswith("/") or not rest.startswith(("LICENSE", "NOTICE", "third_party/")):
            continue
        path = os.path.join(folder, rest)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(archive.read(name))
PYTHON
  [ -d "$staging/torch-licences" ] || { say "there are none in it"; return; }
  rm -rf .deps/torch-licences
  mv "$staging/torch-licences" .deps
}

unpack_torch() {
  local wheel=$1 staging=$2
  say "unpacking it into .deps/torch (0.5 GB)"
  python3 - "$wheel" "$staging" <<'PYTHON'
import sys, zipfile
wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder, [
        name for name in archive.namelist()
        if name.startswith(("torch/", "torchgen/"))
        and not name.startswith(("torch/test/", "torch/bin/"))
        or name == "torch/bin/torch_shm_manager"])
PYTHON
  chmod +x "$staging/torch/bin/torch_shm_manager"
  rm -rf .deps/torch .deps/torchgen
  mv "$staging/torch" "$staging/torchgen" .deps
  echo "$TORCH_CONTENT" > .deps/torch.content
}

# For Python 3.11, Debian 12's. Tests skip when they cannot import them.
install_python_packages() {
  local requirements=$1 folder=$2
  local wanted log=.deps/pip.log
  wanted=$(sha256sum < "$requirements")
  if [ "$(cat "$folder.content" 2>/dev/null)" = "$wanted" ]; then
    say "the Python packages of $requirements are in $folder"
    return
  fi
  say "installing the Python packages of $requirements into $folder"
  rm -rf "$folder"
  if ! python3 -m pip install --quiet --no-deps --only-binary=:all: --python-version 3.11 \
      --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 \
      --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
      --target "$folder" --requirement "$requirements" 2> "$log"; then
    cat "$log" >&2
    fail "could not install the Python packages of $requirements"
  fi
  rm -f "$log"
  echo "$wanted" > "$folder.content"
}

# Only the programs of Debian's package: installing it would start a service on a fixed port. Tests
# that need them skip when they are missing.
install_prometheus() {
  if [ -x .deps/prometheus/prometheus ] && [ -x .deps/prometheus/promtool ]; then
    say "prometheus and promtool are in .deps/prometheus"
    return
  fi
  say "downloading Debian's prometheus (19 MB) and unpacking its programs into .deps/prometheus"
  mkdir -p .deps
  prometheus_staging=$(mktemp -d .deps/staging.XXXXXX)
  chmod 755 "$prometheus_staging"  # apt-get downloads as another user
  if (cd "$prometheus_staging" && apt-get download -qq prometheus 2>/dev/null) &&
      dpkg-deb --fsys-tarfile "$prometheus_staging"/prometheus_*.deb |
        tar -x -C "$prometheus_staging" ./usr/bin/prometheus ./usr/bin/promtool; then
    rm -rf .deps/prometheus
    mv "$prometheus_staging/usr/bin" .deps/prometheus
  else
    say "it could not be had; the tests that scrape a coordinator will be skipped"
  fi
  rm -rf "$prometheus_staging"
}

install_packages
install_torch
if [ $with_tests = yes ]; then
  install_python_packages tests/requirements.txt .deps/python
  install_python_packages tests/requirements-optuna5.txt .deps/python-optuna5
  install_prometheus
fi
say "done"
