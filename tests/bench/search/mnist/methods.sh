#!/usr/bin/env bash
# Sweeps every search method on real MNIST through a coordinator and a worker, asks for all suggestions
# again, and prints one line for each method. Needs the programs built and MNIST; takes some minutes.
# `callers` is a sweep by tpe whose trials a loop of this script asks for, trains and reports.
#
#   tests/bench/search/mnist/methods.sh [METHOD...|callers]    SWEEP_DATA_DIR says where MNIST is
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$here/../../../.." && pwd)/build/release/bin
folder=$(mktemp -d)
cp "$here/small-net.yaml" "$folder"
cd "$folder"
jobs=()
finish() {
  [ ${#jobs[@]} -eq 0 ] || kill "${jobs[@]}" 2>/dev/null || true
  wait
  rm -rf "$folder"
}
trap finish EXIT

"$bin/sweep-coordinator" --db methods.db --listen 127.0.0.1:0 --http off --log-level warn >coordinator.out 2>&1 &
jobs+=($!)
until grep -q '^listening on' coordinator.out; do
  kill -0 "${jobs[0]}" || { cat coordinator.out; exit 1; }
  sleep 0.1
done
SWEEP_COORDINATOR=$(sed -n 's/^listening on //p' coordinator.out)
export SWEEP_COORDINATOR
"$bin/sweep-worker" --coordinator "$SWEEP_COORDINATOR" --slots 2 --log-level warn >worker.out 2>&1 &
jobs+=($!)

methods=("$@")
[ ${#methods[@]} -gt 0 ] || methods=(grid random sobol tpe gp cmaes pbt callers)

# Prints the value of a JSON document on standard input at a path such as parameters.lr.
json_at() { python3 -c 'import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."): value = value[int(key) if key.lstrip("-").isdigit() else key]
print(value)' "$1"; }

# As a program with a loop of its own: it trains with `sweep train` and reports the last epoch.
serve_as_caller() {
  local trial log
  while trial=$("$bin/sweep" ask "$1" --format json); do
    at() { json_at "$1" <<<"$trial"; }
    log=$("$bin/sweep" train small-net.yaml --epochs 3 --train-images 10000 --no-plot --format json \
      --lr "$(at parameters.lr)" --momentum "$(at parameters.momentum)" --output "run-$(at trial | tr / -)" 2>/dev/null)
    "$bin/sweep" tell "$(at trial)" --token "$(at token)" --epoch 3 --done \
      "accuracy=$(json_at epochs.-1.values.validation_accuracy <<<"$log")" >/dev/null
  done
}

echo '| method | trained | chosen by the model | best accuracy | suggestions made again |'
echo '|---|---|---|---|---|'
for method in "${methods[@]}"; do
  if [ "$method" = grid ]; then
    lr='{values: [0.003, 0.01, 0.03, 0.1]}' momentum='{values: [0.5, 0.8, 0.9, 0.95]}'
  else
    lr='{distribution: log_uniform_values, min: 0.001, max: 0.3}' momentum='{min: 0.5, max: 0.97}'
  fi
  # Sixteen trainings of three epochs each; of a population, eight members go on once.
  trained_by='model: small-net.yaml
dataset: {name: mnist, train: 20000}
evaluate: {holdout: 10000}' searched_by=$method epochs=3 more=
  case $method in
    pbt) epochs=6 more='pbt: {population: 8, segment_epochs: 3}' ;;
    callers) searched_by=tpe trained_by='trained_by: callers' ;;
  esac
  cat >sweep.yaml <<YAML
name: mnist-$method
$trained_by
method: $searched_by
parameters:
  lr: $lr
  momentum: $momentum
epochs: $epochs
run_cap: 16
seed: 19
$more
YAML
  "$bin/sweep" submit sweep.yaml >/dev/null
  if [ "$method" = callers ]; then
    serve_as_caller "mnist-$method"
  else
    "$bin/sweep" watch "mnist-$method" >watch.out
  fi
  count() { "$bin/sweep" trials "mnist-$method" --columns trial --format csv --where "$1" | tail -n +2 | wc -l; }
  trained=$(count "state == 'completed'") by_model=$(count "chosen_source == 'model' or chosen_source == 'copied'")
  best=$("$bin/sweep" best "mnist-$method" --top 1 --columns value --format csv | tail -1 | awk '{printf "%.2f %%", 100 * $1}')
  again=$("$bin/sweep" replay "mnist-$method" --search | tail -1)
  echo "| \`$method\` | $trained | $by_model | $best | $again |"
done
