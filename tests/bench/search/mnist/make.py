#!/usr/bin/env python3
"""Writes table.csv from what `sweep export --epochs` says of the sweep in sweep.yaml, and of others of
the same grid: one line for each training, whose validation accuracies in percent follow each other
epoch by epoch. A cell is empty where a training had diverged; of trials that diverged in their first
epoch only the export without --epochs knows.

    sweep run tests/bench/search/mnist/sweep.yaml --db table.db     # half an hour of two cores; goes on where it was
    sweep export mnist-table --db table.db --epochs --format csv > epochs.csv
    sweep export mnist-table --db table.db --format csv > trials.csv
    tests/bench/search/mnist/make.py epochs.csv trials.csv [FILE...]
"""

import csv
import math
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PARAMETERS = ["lr", "momentum", "batch_size", "dropout", "schedule"]
EPOCHS = 12


def main(files):
    if not files:
        sys.exit(__doc__)
    trainings, diverged = {}, set()
    for name in files:
        with open(name, encoding="utf-8") as file:
            for row in csv.DictReader(file):
                point = tuple(row["parameters." + parameter] for parameter in PARAMETERS)
                if "validation_accuracy" not in row:
                    if row["state"] == "diverged":
                        diverged.add(point)
                    continue
                epochs = trainings.setdefault((point, name, row["trial"]), {})
                epochs[int(row["epoch"])] = float(row["validation_accuracy"] or "nan")
    for point in diverged - {point for point, _, _ in trainings}:
        trainings[point, "", ""] = {}
    replicates = {}
    with open(os.path.join(HERE, "table.csv"), "w", encoding="utf-8") as file:
        print(",".join(PARAMETERS + ["replicate"] + [f"epoch_{i + 1}" for i in range(EPOCHS)]), file=file)
        for (point, _, _), epochs in sorted(trainings.items()):
            values = [epochs.get(i + 1, math.nan) for i in range(EPOCHS)]
            cells = ["" if math.isnan(value) else f"{100 * value:.2f}" for value in values]
            replicate = replicates[point] = replicates.get(point, -1) + 1
            print(",".join([*point, str(replicate), *cells]), file=file)


if __name__ == "__main__":
    main(sys.argv[1:])
