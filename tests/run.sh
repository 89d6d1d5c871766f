#!/usr/bin/env bash
# Installs, builds and runs the tests for every change, the most important ones under sanitizers
# too. The last lines give the time of each stage. Tests on real MNIST run when
# SWEEP_DATA_DIR names its folder. tests/long.sh has those that take too long for every change.
#
#   tests/run.sh [CTEST ARGUMENT...]      for example: tests/run.sh -R Ranking; without sanitizers then
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${SWEEP_DATA_DIR:-}" ] && [ -d ../shared/data/mnist ]; then
  SWEEP_DATA_DIR=$(cd ../shared/data/mnist && pwd)
  export SWEEP_DATA_DIR
fi

times=""
run_stage() {
  local name=$1 start=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  "$@"
  times+=$(printf '%-12s %3d min %02d s' "$name" $(((SECONDS - start) / 60)) $(((SECONDS - start) % 60)))$'\n'
}

run_stage install deploy/install-deps.sh
run_stage format tests/format.sh
run_stage build deploy/build.sh all benches
run_stage tests ctest --preset release --parallel "$(nproc)" "$@"
if [ $# -eq 0 ]; then run_stage sanitizers tests/sanitizers.sh short; fi
printf '\n== times\n%s' "$times"
