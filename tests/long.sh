#!/usr/bin/env bash
# Runs the suites that take too long for every change; docs/measured/ has their results.
#
#   tests/long.sh [SUITE...]      includes, sanitizers, chaos, fuzz, rpc, bench, training, equivalence,
#                                 browser, slurm, packages, fleet; all of them unless named
set -euo pipefail
cd "$(dirname "$0")/.."

# Builds without precompiled headers, which hide missing includes, and with warnings as errors.
includes() { SWEEP_PRESET=dev deploy/build.sh; }

sanitizers() { tests/sanitizers.sh; }

chaos() {
  deploy/build.sh chaos sweep-coordinator sweep-worker sweep-trainer
  build/release/bin/chaos --faults 1000 --seed 20261121 --pause 0.2 --real-trainer
}

# Keeps the inputs that it finds in build/fuzz/found, so that the next run starts from them.
fuzz() {
  local name found stored
  SWEEP_PRESET=fuzz deploy/build.sh fuzz_targets
  for name in expression checkpoint trainer_lines idx network_file sweep_file; do
    found=build/fuzz/found/$name
    stored=(tests/fuzz/corpus/$name)
    case $name in
      network_file) stored+=(common/network/networks) ;;
      sweep_file) stored+=(examples) ;;
    esac
    mkdir -p "$found"
    printf '\n-- %s\n' "$name"
    "build/fuzz/bin/fuzz_$name" -runs=1000000 -max_len=1024 -detect_leaks=0 -print_funcs=0 \
      -rss_limit_mb=4096 -print_final_stats=1 "$found" "${stored[@]}"
  done
}

rpc() {
  deploy/build.sh rpc_fuzz
  build/release/bin/rpc_fuzz 100000
}

bench() {
  deploy/build.sh service_bench sweep sweep-coordinator
  local python=build/bench-python
  [ -x $python/bin/python ] || python3 -m venv $python
  $python/bin/pip install --quiet optuna==4.9.0 grpcio protobuf
  build/release/bin/service_bench --python "$python/bin/python"
}

training() {
  deploy/build.sh training_steps sweep-trainer
  local python=build/torch-python
  [ -x $python/bin/python ] || python3 -m venv $python
  $python/bin/pip install --quiet torch==2.13.0+cpu numpy
  "$python/bin/python" tests/bench/training/bench.py
}

# Takes three quarters of an hour on two cores; goes on after an interruption.
equivalence() {
  deploy/build.sh sweep sweep-trainer
  python3 tests/parity/equivalence.py
}

# A skipped test is a failure here, since the suite was asked for by name.
browser() {
  deploy/build.sh sweep sweep-coordinator sweep-worker sweep-trainer fill_database
  tests/browser/run.sh all build/release/bin build/release/web/source
  tests/browser/run.sh large build/release/bin build/release/web/source
}

# Takes five minutes; needs root and Debian's packages.
slurm() {
  deploy/build.sh sweep sweep-coordinator sweep-worker
  tests/slurm/run.sh build/release/bin
}

# Takes ten minutes; needs root and Debian's packages.
packages() {
  deploy/build.sh sweep sweep-coordinator sweep-worker sweep-trainer
  deploy/package.sh
  tests/packages/run.sh
}

# Takes ten minutes; needs root, Debian's packages and kubectl or kustomize.
fleet() {
  deploy/build.sh sweep sweep-coordinator sweep-worker sweep-trainer
  deploy/package.sh deb
  tests/fleet/run.sh
}

suites=("$@")
[ $# -gt 0 ] || suites=(includes sanitizers chaos fuzz rpc bench training equivalence browser slurm packages fleet)
times=""
for suite in "${suites[@]}"; do
  case $suite in
    includes | sanitizers | chaos | fuzz | rpc | bench | training | equivalence | browser | slurm | packages | fleet) ;;
    *)
      echo "tests/long.sh: there is no suite '$suite'; there are includes, sanitizers, chaos, fuzz, rpc," \
        "bench, training, equivalence, browser, slurm, packages, fleet" >&2
      exit 2
      ;;
  esac
done
for suite in "${suites[@]}"; do
  printf '\n== %s\n' "$suite"
  start=$SECONDS
  "$suite"
  times+=$(printf '%-12s %4d min %02d s' "$suite" $(((SECONDS - start) / 60)) $(((SECONDS - start) % 60)))$'\n'
done
printf '\n== times\n%s' "$times"
