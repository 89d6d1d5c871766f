#!/usr/bin/env python3
"""Tests that backend `lanes` reaches the accuracy of backend `torch`, by the same trainings with both.

    python3 tests/parity/equivalence.py [--bin build/release/bin] [--db build/equivalence.db] [--seeds 20]

Trains cnn-18718 on MNIST with each seed in both backends (same initial weights, order and dropout;
rounding makes them differ after some hundred steps) and prints the mean difference of the last epoch's
accuracy with its 95 % interval, paired and unpaired. After an interruption another run goes on where
it stopped. Exits with 1 when the unpaired interval is not within ±0.10 points.
"""
import argparse
import math
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile

from student_t import t_975

SWEEP = """name: equivalence-{backend}
model: cnn-18718
dataset: mnist
method: grid
parameters:
  lr: {{value: 0.1}}
  schedule: {{value: one_cycle}}
  momentum: {{value: 0.9}}
  batch_size: {{value: 64}}
  dropout: {{value: 0.05}}
epochs: {epochs}
replicates: {seeds}
seed: 1
"""


def train(arguments, backend, folder):
    path = pathlib.Path(folder) / f"{backend}.yaml"
    path.write_text(SWEEP.format(backend=backend, epochs=arguments.epochs, seeds=arguments.seeds))
    subprocess.run([arguments.bin / "sweep", "run", path, "--db", arguments.db, "--top", "1", "--backend",
                    backend], check=True)


def accuracies(database, backend):
    """The last accuracy of each seed, in points."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("select seed, last_accuracy, seconds, epoch from runs where sweep = ?",
                                  (f"equivalence-{backend}",)).fetchall()
    print(f"{backend}: {len(rows)} trainings, {statistics.median(row[2] / row[3] for row in rows):.1f} s per epoch")
    return {row[0]: 100 * row[1] for row in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
    parser.add_argument("--db", type=pathlib.Path, default=pathlib.Path("build/equivalence.db"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=8)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for backend in ("lanes", "torch"):
            train(arguments, backend, folder)
    lanes, torch = (accuracies(arguments.db, backend) for backend in ("lanes", "torch"))
    assert lanes.keys() == torch.keys() and len(lanes) == arguments.seeds, "not the same seeds"

    count = len(lanes)
    a, b = list(lanes.values()), list(torch.values())
    difference = statistics.mean(a) - statistics.mean(b)
    unpaired = t_975(2 * count - 2) * math.sqrt((statistics.variance(a) + statistics.variance(b)) / count)
    differences = [lanes[seed] - torch[seed] for seed in lanes]
    paired = t_975(count - 1) * statistics.stdev(differences) / math.sqrt(count)
    for name, values in (("lanes", a), ("torch", b)):
        print(f"{name}: mean {statistics.mean(values):.3f} %, standard deviation {statistics.stdev(values):.3f}")
    print(f"lanes - torch: {difference:+.3f} points, 95 % interval ±{unpaired:.3f} (paired ±{paired:.3f})")
    within = abs(difference) + unpaired <= 0.10
    print("equivalent within ±0.10 points" if within else "NOT shown to be equivalent within ±0.10 points")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
