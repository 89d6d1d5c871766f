#!/usr/bin/env python3
"""Measures how long reading a sweep file with long constraints takes.

    python3 tests/bench/sweep_file/constraints.py build/release/bin/sweep

Writes a grid of 1,024 points with 64 constraints of 3.4 kB each and times `sweep validate` in
processor time, the least of several runs, because other programs can only add to it. The same file
with one point shows the cost of reading alone, `sweep --version` that of starting.
"""
import argparse
import os
import resource
import subprocess
import sys
import tempfile

NAMES = [f"p{i}" for i in range(10)]


def write(path, points, constraints, characters, kind):
    """`kind`: sums of fractions in one comparison, or many comparisons of integers."""
    with open(path, "w", encoding="utf-8") as file:
        file.write('name: long\nprogram: ["true"]\nmethod: grid\nparameters:\n')
        for i, name in enumerate(NAMES):
            values = [0.5, i + 1.25] if kind == "fractions" else [1, i + 2]
            file.write(f"  {name}: {{values: {values[: 2 if points > 1 else 1]}}}\n")
        file.write("constraints:\n")
        for i in range(constraints):
            text = f"{i}.5" if kind == "fractions" else f"p0 > -{i}"
            k = 0
            while len(text) < characters:
                a, b = NAMES[(i + k) % 10], NAMES[(i + 3 * k) % 10]
                text += f" {'+*'[k % 2]} {a}" if kind == "fractions" else f" and {a} * {k % 7 + 1} + {b} > -{k}"
                k += 1
            file.write(f'  - "{text} > 0.25"\n' if kind == "fractions" else f'  - "{text}"\n')


def processor_ms(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweep", help="the program")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("fractions", "comparisons"):
            commands = {"whole": 1024, "reading": 1, "start": 0}
            for what, points in commands.items():
                path = os.path.join(folder, f"{kind}-{what}.yaml")
                write(path, points, 64, 3400, kind)
                commands[what] = [arguments.sweep, "validate", path] if points else [arguments.sweep, "--version"]
            least = {what: min(processor_ms(command) for _ in range(arguments.rounds))
                     for what, command in commands.items()}
            print(f"{kind:<12} start {least['start']:4.0f} ms   reading {least['reading'] - least['start']:4.0f} ms   "
                  f"constraints {least['whole'] - least['reading']:4.0f} ms   whole {least['whole']:4.0f} ms")


if __name__ == "__main__":
    sys.exit(main())
