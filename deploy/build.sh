#!/usr/bin/env bash
# Configures and builds the preset `release`, or the one that SWEEP_PRESET names, into build/.
#
#   deploy/build.sh [TARGET...]                      everything unless targets are named
#   SWEEP_TESTING=OFF deploy/build.sh [TARGET...]    without the tests, which need GoogleTest
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${SWEEP_PRESET:-release}
log=build/$preset/configure.log
mkdir -p "build/$preset"
if ! cmake --preset "$preset" -DBUILD_TESTING="${SWEEP_TESTING:-ON}" > "$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
targets=()
for target in "$@"; do targets+=(--target "$target"); done
exec cmake --build --preset "$preset" "${targets[@]}"
