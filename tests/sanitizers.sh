#!/usr/bin/env bash
# Builds and runs tests under AddressSanitizer with UBSan, then under ThreadSanitizer: everything
# that needs no libtorch, or with `short` what reads foreign bytes and what shares memory between
# threads.
#
#   tests/sanitizers.sh [short]
set -euo pipefail
cd "$(dirname "$0")/.."

# sanitize PRESET [TEST PROGRAM...]: all of the preset's tests unless programs are named.
sanitize() {
  local preset=$1
  shift
  printf '\n== %s\n' "$preset"
  SWEEP_PRESET=$preset deploy/build.sh "$@"
  local labels=()
  if [ $# -gt 0 ]; then labels=(-L "^($(IFS='|' && echo "$*"))\$"); fi
  ctest --preset "$preset" --parallel "$(nproc)" "${labels[@]}"
}

if [ "${1:-}" = short ]; then
  sanitize asan yaml_test expr_test spec_test network_test tensors_test protocol_test sqlite_test \
    writer_test store_test store_file_test blob_store_test scheduler_test kernels_test lanes_test
  sanitize tsan writer_test store_test checkpointer_test blob_collector_test lanes_test
else
  sanitize asan
  sanitize tsan
fi
