#!/bin/sh
# Takes trials of a sweep and reports them, until the sweep has ended (docs/protocol.md, "Ask and
# tell"). In the place of a training it measures how far (x, y) is from (0.5, 0.5).
#
#   sh ask-tell.sh SWEEP      the coordinator is found as by every `sweep` command
set -eu
sweep=$1

# The first value of a key in the JSON of `sweep ask`.
value() { printf '%s\n' "$trial" | sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" | head -n 1; }

while trial=$(sweep ask "$sweep" --format json); do
  name=$(value trial)
  token=$(value token)
  epochs=$(value epochs)
  epoch=1
  while [ "$epoch" -le "$epochs" ]; do
    distance=$(awk -v x="$(value x)" -v y="$(value y)" -v epoch="$epoch" 'BEGIN {
      printf "%.6f", sqrt((x - 0.5) ^ 2 + (y - 0.5) ^ 2) + 0.1 / epoch }')
    done=""
    [ "$epoch" -lt "$epochs" ] || done=--done
    # Not 0: the trial was stopped early or is lost. The next one is as good.
    sweep tell "$name" --token "$token" --epoch "$epoch" "distance=$distance" $done || break
    epoch=$((epoch + 1))
  done
done
