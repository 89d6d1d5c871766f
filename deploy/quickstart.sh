#!/usr/bin/env bash
# From a clean clone to a ranking: installs what is missing, builds, installs the programs into
# build/installed, or the folder that SWEEP_PREFIX names, and runs the demonstration sweep on MNIST.
# The database stays in ./sweep.db. MNIST is downloaded into the cache unless SWEEP_DATA_DIR names a
# folder that has it.
#
#   deploy/quickstart.sh [FILE]      another sweep file than examples/quickstart.yaml
set -euo pipefail
cd "$(dirname "$0")/.."
sweep_file=${1:-examples/quickstart.yaml}
prefix=${SWEEP_PREFIX:-build/installed}

stage() { printf '\n== %s (at %d min %02d s)\n' "$1" $((SECONDS / 60)) $((SECONDS % 60)); }

stage "dependencies"
deploy/install-deps.sh --no-tests
stage "build"
SWEEP_TESTING=OFF deploy/build.sh sweep sweep-coordinator sweep-worker sweep-trainer
stage "install into $prefix"
cmake --install build/release --prefix "$prefix" > build/release/install.log
stage "sweep run $sweep_file"
code=0
"$prefix/bin/sweep" run "$sweep_file" || code=$?
stage "done"
case $code in
  0) ;;
  3) echo "The sweep is done; no configuration of this short demonstration met all criteria." ;;
  *) exit "$code" ;;
esac
echo "Look again with: $prefix/bin/sweep best"
