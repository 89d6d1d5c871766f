#!/usr/bin/env python3
"""Measures how well a trained network reads pictures of digits as people make them.

    build/release/bin/sweep run tests/bench/pictures/net.yaml --db build/pictures.db
    build/release/bin/sweep model pictures/1 -o build/pictures-net --db build/pictures.db
    PYTHONPATH=.deps/python python3 tests/bench/pictures/measure.py --model build/pictures-net

Draws 40 test images of MNIST in every kind of picture (kinds.py), asks `sweep predict`, and prints
how many are read correctly, and how many of the blank ones are recognised as blank. The 40 are the
first of 80 that the network reads correctly as they are and enlarged, so that its own mistakes do not
count against a kind; the number that it reads of the 80 is printed. Needs numpy and SWEEP_DATA_DIR.
`--least 39` ends with 1 when a kind has fewer; `--only box` draws the kinds whose name has that word.
"""
import argparse
import gzip
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np

from drawing import write_png
from kinds import BLANK, KINDS

COUNT = 40
BLANK_COUNT = 10
LEAST_PLAIN = 77  # of 80; a worse network says nothing about the pictures


def read_idx(name):
    place = os.environ.get("SWEEP_DATA_DIR") or sys.exit("SWEEP_DATA_DIR is not set: the folder of MNIST")
    for folder in (place, place + "/mnist"):
        for path in (pathlib.Path(folder, name), pathlib.Path(folder, name + ".gz")):
            if path.exists():
                raw = path.read_bytes()
                raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
                shape = struct.unpack(f">{raw[3]}I", raw[4 : 4 + 4 * raw[3]])
                return np.frombuffer(raw, np.uint8)[4 + 4 * raw[3] :].reshape(shape)
    sys.exit(f"{name} is not in SWEEP_DATA_DIR")


def write(file, drawn):
    kind, picture = drawn if isinstance(drawn, tuple) else ("grey", drawn)
    write_png(file, picture, kind)


def predict(arguments, files):
    """The digit of each file that is not refused."""
    result = subprocess.run([arguments.bin + "/sweep", "predict", arguments.model, *map(str, files), "--format", "json",
                             "--invert", arguments.invert], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return {row["file"]: row["digit"] for row in json.loads(result.stdout or "[]")}


def read_pictures(arguments, folder, draw, digits, labels, seed):
    """Which of the digits are read correctly as `draw` pictures them, and how many are refused."""
    random = np.random.default_rng(seed)
    files = [pathlib.Path(folder, f"{n}.png") for n in range(len(digits))]
    for file, digit in zip(files, digits):
        write(file, draw(digit, random))
    read = predict(arguments, files)
    return [read.get(str(file)) == label for file, label in zip(files, labels)], len(files) - len(read)


def count_blank(arguments, folder, draw):
    random = np.random.default_rng(7)
    files = [pathlib.Path(folder, f"{n}.png") for n in range(BLANK_COUNT)]
    for file in files:
        write(file, draw(random))
    return BLANK_COUNT - len(predict(arguments, files))


def main():
    parser = argparse.ArgumentParser(description="What a trained network reads on pictures.")
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--model", required=True, help="a folder of `sweep model`")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--invert", default="auto")
    parser.add_argument("--only", default="", help="a part of the kinds' names")
    parser.add_argument("--least", type=int, default=0, help="fewer right answers of a kind are a failure")
    arguments = parser.parse_args()
    images, labels = read_idx("t10k-images-idx3-ubyte"), read_idx("t10k-labels-idx1-ubyte")
    chosen = np.random.default_rng(arguments.seed).permutation(len(images))[:2 * COUNT]
    digits, labels = images[chosen], labels[chosen]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        plain = {"as they are": lambda digit, random: digit, "white on black": KINDS["shades"]["white on black"]}
        right = {kind: read_pictures(arguments, folder, draw, digits, labels, 0)[0] for kind, draw in plain.items()}
        for kind, read in right.items():
            failed |= sum(read) < LEAST_PLAIN
            print(f"{kind:26} {sum(read)}/{2 * COUNT} right", flush=True)
        chosen = np.flatnonzero(np.all(list(right.values()), axis=0))[:COUNT]
        if len(chosen) < COUNT:
            sys.exit(f"the network reads only {len(chosen)} of {2 * COUNT} digits as they are and enlarged")
        digits, labels = digits[chosen], labels[chosen]
        for group, kinds in KINDS.items():
            for kind, draw in kinds.items():
                if arguments.only not in kind or kind in plain:
                    continue
                seed = sum(map(ord, kind)) + arguments.seed
                right, refused = read_pictures(arguments, folder, draw, digits, labels, seed)
                failed |= sum(right) < arguments.least
                print(f"{kind:26} {sum(right)}/{COUNT} right, {refused} refused   ({group})", flush=True)
        for kind, draw in BLANK.items():
            if arguments.only not in kind:
                continue
            blank = count_blank(arguments, folder, draw)
            failed |= arguments.least > 0 and blank < BLANK_COUNT
            print(f"blank: {kind:19} {blank}/{BLANK_COUNT}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
