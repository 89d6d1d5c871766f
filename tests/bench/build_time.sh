#!/usr/bin/env bash
# Measures cold builds of several commits, in turns, without the compiler's cache: first the four
# programs, then everything with tests. Prints processor seconds (user and system) and seconds by the
# clock of each build, and the medians of each commit as shares of those of the first one.
#
#   tests/bench/build_time.sh [-p] [-n ROUNDS] COMMIT COMMIT...      for example: 391be09 HEAD
#
# -p: only the programs.
#
# Needs what deploy/install-deps.sh has installed; a round takes some 15 to 25 minutes per commit on two cores.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=1
parts="programs tests"
if [ "${1:-}" = -p ]; then
  parts=programs
  shift
fi
if [ "${1:-}" = -n ]; then
  rounds=${2:?"-n needs a number"}
  shift 2
fi
if [ $# -eq 0 ] || ! [[ $rounds =~ ^[1-9][0-9]*$ ]]; then
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d' >&2
  exit 2
fi
for commit in "$@"; do git rev-parse --quiet --verify "$commit^{commit}" > /dev/null || {
  echo "build_time.sh: there is no commit '$commit'" >&2
  exit 2
}; done
export CCACHE_DISABLE=1  # CMake finds it, and it only calls the compiler
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
times=$folder/times
touch "$times"

# build COMMIT PART TARGET...: adds a line "COMMIT PART PROCESSOR_SECONDS CLOCK_SECONDS".
build() {
  local commit=$1 part=$2
  shift 2
  local TIMEFORMAT='%U %S %R'
  { time cmake --build "$folder/tree/build/release" --target "$@" > "$folder/log" 2>&1; } \
    2> "$folder/time" || {
    tail -50 "$folder/log" >&2
    exit 1
  }
  awk -v what="$commit $part" '{ printf "%s %.0f %.0f\n", what, $1 + $2, $3 }' "$folder/time" |
    tee -a "$times"
}

for ((round = 1; round <= rounds; ++round)); do
  for commit in "$@"; do
    rm -rf "$folder/tree"
    git clone --quiet . "$folder/tree"
    git -C "$folder/tree" checkout --quiet --detach "$(git rev-parse "$commit")"
    ln -s "$PWD/.deps" "$folder/tree/.deps"
    (cd "$folder/tree" && cmake --preset release \
      -DTorch_DIR="$PWD/.deps/torch/share/cmake/Torch" > "$folder/log" 2>&1) || {
      tail -50 "$folder/log" >&2
      exit 1
    }
    build "$commit" programs sweep sweep-coordinator sweep-worker sweep-trainer
    if [ "$parts" != programs ]; then build "$commit" tests all; fi
  done
done

awk -v first="$1" -v commits="$*" '
  function median(list, n,   i, j, values, t) {
    split(list, values, " ")
    for (i = 2; i <= n; ++i)
      for (j = i; j > 1 && values[j - 1] + 0 > values[j] + 0; --j) {
        t = values[j]; values[j] = values[j - 1]; values[j - 1] = t
      }
    return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
  }
  $2 == "programs" { programs = $3; list[$1, $2] = list[$1, $2] " " $3; ++count[$1, $2] }
  $2 == "tests" { list[$1, "all"] = list[$1, "all"] " " programs + $3; ++count[$1, "all"] }
  END {
    printf "\nprocessor seconds, medians\n%-12s %10s %8s %10s %8s\n", "commit", "programs", "share", "all", "share"
    n = split(commits, names, " ")
    for (i = 1; i <= n; ++i) {
      c = names[i]
      p = median(list[c, "programs"], count[c, "programs"])
      a = count[c, "all"] ? median(list[c, "all"], count[c, "all"]) : 0
      if (i == 1) { p1 = p; a1 = a }
      printf "%-12s %10.0f %8.2f %10.0f %8.2f\n", c, p, p / p1, a, a1 ? a / a1 : 0
    }
  }' "$times"
