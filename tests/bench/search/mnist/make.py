#!/usr/bin/env python3
"""Writes table.csv: what `sweep export --epochs` says of the sweep in sweep.yaml, one line for each
training, whose validation accuracies in percent follow each other epoch by epoch.

    sweep run tests/bench/search/mnist/sweep.yaml --db table.db        # about an hour of two cores; goes on where it was
    sweep export mnist-table --db table.db --epochs --format csv | tests/bench/search/mnist/make.py

Configurations of which a training is missing are left out.
"""

import csv
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PARAMETERS = ["lr", "momentum", "batch_size", "dropout", "schedule"]
EPOCHS, REPLICATES = 12, 3


def main():
    trainings = {}
    for row in csv.DictReader(sys.stdin):
        point = tuple(row["parameters." + name] for name in PARAMETERS)
        epochs = trainings.setdefault(point, {}).setdefault(int(row["replicate"]), {})
        epochs[int(row["epoch"])] = f"{100 * float(row['validation_accuracy']):.2f}"
    with open(os.path.join(HERE, "table.csv"), "w", encoding="utf-8") as file:
        print(",".join(PARAMETERS + ["replicate"] + [f"epoch_{i + 1}" for i in range(EPOCHS)]), file=file)
        for point, replicates in sorted(trainings.items()):
            if len(replicates) < REPLICATES or any(len(epochs) < EPOCHS for epochs in replicates.values()):
                continue
            for replicate, epochs in sorted(replicates.items()):
                values = [epochs[i + 1] for i in range(EPOCHS)]
                print(",".join([*point, str(replicate), *values]), file=file)


if __name__ == "__main__":
    main()
