#!/usr/bin/env bash
# Checks that every C++ file is formatted as .clang-format says; with --fix, formats them. Versions
# of clang-format differ, so tests/requirements.txt fixes one.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly FORMATTER=.deps/python/bin/clang-format
[ -x "$FORMATTER" ] || { echo "format: error: $FORMATTER is missing; run deploy/install-deps.sh" >&2; exit 1; }
case "$*" in
  "") mode=(--dry-run --Werror) ;;
  --fix) mode=(-i) ;;
  *) echo "format: error: unknown argument '$*'; there is --fix" >&2; exit 2 ;;
esac
export PYTHONPATH=$PWD/.deps/python
if ! git ls-files -z '*.cc' '*.h' | xargs -0 -n 40 -P "$(nproc)" "$FORMATTER" "${mode[@]}"; then
  echo "format: error: the files above differ from .clang-format; run tests/format.sh --fix" >&2
  exit 1
fi
