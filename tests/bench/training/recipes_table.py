#!/usr/bin/env python3
"""Prints the table of docs/measured/results.md from sweeps that trained the networks by their recipes.

    python3 tests/bench/training/recipes_table.py --db results.db recipes-seed recipes-tuned

Asks `sweep export` for every epoch of the sweeps and prints one row per network, recipe and what the
sweep varies, over the trials that have finished: the write-up's claim, best epoch of each run, mean of
the last epoch with its 95 % interval (Student's t), first epoch at 99.4 % or more, share of runs that
meet the criteria of fewer than 20 epochs, and the median and the least time of an epoch as the trainer
measured it on a machine with other work.
"""
import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "parity"))
from student_t import t_975

CLAIMS = {
    "cnn-18718": "99.55 % at epoch 19",
    "cnn-19046": "99.41 % at epoch 11",
    "cnn-19750": "99.44 % at epoch 16",
    "cnn-17216": "99.46 % at epoch 15",
    "cnn-16034": "99.43 %, 99.40 % at epoch 17",
}
TARGET = 0.994
EPOCHS = 19


def finished_runs(sweep_program, database, sweep):
    """The trials that have reached the last epoch, with their network, accuracies and times."""
    command = [sweep_program, "export", sweep, "--epochs", "--format", "json", "--db", database]
    exported = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    runs = {}
    for row in json.loads(exported):
        chosen = ", ".join(f"{name}={value}" for name, value in sorted(row["parameters"].items())
                           if name != "model")
        run = runs.setdefault(row["trial"], {"model": row["model"], "chosen": chosen, "accuracy": {}, "seconds": []})
        run["accuracy"].setdefault(row["epoch"], row["validation_accuracy"])
        run["seconds"].append(row["train_seconds"] + row["evaluate_seconds"])
    return [run for run in runs.values() if EPOCHS in run["accuracy"]]


def percent(share, digits=2):
    return f"{100 * share:.{digits}f} %"


def interval(values):
    """The interval of shares as "mean ± half width", in percent."""
    mean = statistics.mean(values)
    if len(values) < 2:
        return percent(mean, 3)
    half = t_975(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return f"{100 * mean:.3f} ± {100 * half:.3f} %"


def row(model, recipe, runs):
    best = [max(run["accuracy"].items(), key=lambda item: (item[1], -item[0])) for run in runs]
    first = [min((epoch for epoch, accuracy in run["accuracy"].items() if accuracy >= TARGET), default=None)
             for run in runs]
    met = sum(epoch is not None for epoch in first)
    seconds = [second for run in runs for second in run["seconds"]]
    return " | ".join([
        f"| {model}", recipe, CLAIMS.get(model, ""), str(len(runs)),
        ", ".join(f"{percent(accuracy)} ({epoch})" for epoch, accuracy in best),
        interval([run["accuracy"][EPOCHS] for run in runs]),
        ", ".join(str(epoch or "–") for epoch in first),
        f"{met} of {len(runs)}",
        f"{statistics.median(seconds):.1f}, {min(seconds):.1f} |"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweeps", nargs="+", help="finished or not; the recipe is the last word of its name")
    parser.add_argument("--db", required=True)
    parser.add_argument("--sweep", type=pathlib.Path, default=pathlib.Path("build/release/bin/sweep"))
    arguments = parser.parse_args()
    print("| network | recipe | the write-up's claim | runs | best epoch of each run | mean of the last epoch "
          "| first epoch ≥ 99.4 % | meet the criteria | s per epoch: median, least |")
    print("|---|---|---|---|---|---|---|---|---|")
    rows = 0
    for sweep in arguments.sweeps:
        runs = finished_runs(arguments.sweep, arguments.db, sweep)
        for model, chosen in sorted({(run["model"], run["chosen"]) for run in runs}):
            recipe = sweep.rsplit("-", 1)[-1] + (f", {chosen}" if chosen else "")
            print(row(model, recipe, [run for run in runs if (run["model"], run["chosen"]) == (model, chosen)]))
            rows += 1
    if rows == 0:
        sys.exit(f"no trial of {', '.join(arguments.sweeps)} has reached epoch {EPOCHS}")


if __name__ == "__main__":
    main()
