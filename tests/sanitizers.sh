#!/usr/bin/env bash
# Builds and runs tests under AddressSanitizer with UBSan, then under ThreadSanitizer: all tests
# that need no libtorch, or with `short` those that read foreign bytes and those that share memory
# between threads. Fails when a test fails or a process that a test started has reported something.
#
#   tests/sanitizers.sh [short] [asan|tsan]      one of the two alone when named
set -euo pipefail
cd "$(dirname "$0")/.."

# sanitize PRESET [TEST PROGRAM...]: runs all of the preset's tests unless programs are named.
sanitize() {
  local preset=$1 reports=$PWD/build/$1/reports labels=() failed=0
  shift
  printf '\n== %s\n' "$preset"
  SWEEP_PRESET=$preset deploy/build.sh "$@"
  # RestartTest restarts a coordinator after every event, DiskFullTest refuses every write: they take
  # minutes, and read no foreign bytes.
  if [ $# -gt 0 ]; then
    labels=(-L "^($(IFS='|' && echo "$*"))\$" -E "RestartTest|^DiskFullTest")
  fi
  # Reports go into files, because a test does not see the exit code of a process that it kills, nor
  # of every process that it starts.
  rm -rf "$reports"
  mkdir "$reports"
  ASAN_OPTIONS=log_path=$reports/report UBSAN_OPTIONS=print_stacktrace=1:log_path=$reports/report \
    TSAN_OPTIONS=log_path=$reports/report \
    ctest --preset "$preset" --parallel "$(nproc)" "${labels[@]}" || failed=1
  local found=("$reports"/*)
  if [ -e "${found[0]}" ]; then
    printf '\n== %d processes reported something under %s\n' "${#found[@]}" "$preset" >&2
    cat "${found[@]}" >&2
    failed=1
  fi
  return $failed
}

length=whole
if [ "${1:-}" = short ]; then
  length=short
  shift
fi
case ${1:-} in
  "" | asan | tsan) presets=${1:-asan tsan} ;;
  *)
    echo "tests/sanitizers.sh: there is no preset '$1'; there are asan, tsan" >&2
    exit 2
    ;;
esac
short_asan=(yaml_test expr_test secrets_test spec_test network_test tensors_test protocol_test sqlite_test
  store_test store_file_test scheduler_test http_test kernels_test lanes_test)
short_tsan=(store_test store_file_test scheduler_parts_test server_test http_test lanes_test)
for preset in $presets; do
  programs=()
  if [ $length = short ]; then
    declare -n list=short_$preset
    programs=("${list[@]}")
  fi
  sanitize "$preset" "${programs[@]}"
done
