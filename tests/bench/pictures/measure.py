#!/usr/bin/env python3
"""What a trained network reads on pictures of digits as people make them.

    build/release/bin/sweep run tests/bench/pictures/net.yaml --db build/pictures.db
    build/release/bin/sweep model pictures/1 -o build/pictures-net --db build/pictures.db
    PYTHONPATH=.deps/python python3 tests/bench/pictures/measure.py --model build/pictures-net

Draws 40 test images of MNIST in every kind of picture, asks `sweep predict`, and prints how many are
read rightly, and how many of the blank ones are told to be blank. Needs numpy and SWEEP_DATA_DIR.
`--least 36` ends with 1 when a kind has fewer.
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
import zlib

import numpy as np

COUNT = 40


def read_idx(name):
    for folder in (os.environ["SWEEP_DATA_DIR"], os.environ["SWEEP_DATA_DIR"] + "/mnist"):
        for path in (pathlib.Path(folder, name), pathlib.Path(folder, name + ".gz")):
            if path.exists():
                raw = path.read_bytes()
                raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
                shape = struct.unpack(f">{raw[3]}I", raw[4 : 4 + 4 * raw[3]])
                return np.frombuffer(raw, np.uint8)[4 + 4 * raw[3] :].reshape(shape)
    sys.exit(f"{name} is not in SWEEP_DATA_DIR")


def write_png(path, image, kind="grey"):
    """Greys [height, width] or colours [height, width, 3 or 4]."""
    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    height, width = image.shape[:2]
    depth, color = {"grey": (8, 0), "grey16": (16, 0), "rgb": (8, 2), "palette": (8, 3), "rgba": (8, 6)}[kind]
    if kind == "grey16":
        rows = [(row.astype(">u2") * 257).astype(">u2").tobytes() for row in image]
    else:
        rows = [row.astype(np.uint8).tobytes() for row in image]
    extra = chunk(b"PLTE", bytes(v for i in range(256) for v in (255 - i, 255 - i // 2, 255))) if kind == "palette" else b""
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
                     + extra + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b""))


def enlarged(digit, scale):
    """How much of each pixel is inked, 0 to 1, bilinear between the centres."""
    padded = np.pad(digit / 255.0, 1)
    at = np.clip((np.arange(28 * scale) + 0.5) / scale + 0.5, 0, 28.999)
    low, part = at.astype(int), at - at.astype(int)
    rows = padded[low] * (1 - part)[:, None] + padded[low + 1] * part[:, None]
    cover = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    return np.clip((cover - 0.25) * 2, 0, 1)


def placed(cover, height, width, top, left):
    page = np.zeros((height, width))
    page[top : top + cover.shape[0], left : left + cover.shape[1]] = cover
    return page


def page(digit):
    return placed(enlarged(digit, 5), 160, 160, 10, 10)


def inked(cover, ground, ink):
    return ground + cover * (ink - ground)


def slope(shape, random, least):
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    angle = random.uniform(0, 2 * np.pi)
    along = (x / shape[1] - 0.5) * np.cos(angle) + (y / shape[0] - 0.5) * np.sin(angle)
    return along, least + (1 - least) / (1 + np.exp(along * random.uniform(4, 10)))


def hard_shadow(cover, random):
    along, _ = slope(cover.shape, random, 0)
    edge = np.clip((along - random.uniform(-0.3, 0.3)) * 40, 0, 1)
    return inked(cover, 235, 40) * (1 - 0.45 * edge)


def vignette(cover, random):
    y, x = np.mgrid[-1 : 1 : cover.shape[0] * 1j, -1 : 1 : cover.shape[1] * 1j]
    return inked(cover, 240, 40) * (1 - 0.26 * (x * x + y * y)) + random.normal(0, 4, cover.shape)


def boxed(cover, margin, thickness):
    cover = cover.copy()
    height, width = cover.shape
    inner = np.ones_like(cover)
    inner[margin + thickness : height - margin - thickness, margin + thickness : width - margin - thickness] = 0
    inner[:margin] = inner[height - margin :] = 0
    inner[:, :margin] = inner[:, width - margin :] = 0
    return np.maximum(cover, inner)


def speckled(cover, random):
    cover = cover.copy()
    for _ in range(random.integers(3, 9)):
        y, x, size = random.integers(2, 154), random.integers(2, 154), random.integers(1, 5)
        cover[y : y + size, x : x + size] = 1
    return cover


def lined(cover, random):
    cover = cover.copy()
    y = cover.shape[0] - random.integers(6, 12)
    cover[y : y + 2, 5:-5] = 1
    return cover


def thinned(digit, random):
    """About a quarter of the stroke's width: what is deep inside it."""
    cover = enlarged(digit, 8) > 0.5
    depth = np.zeros(cover.shape)
    inside = np.pad(cover, 1)
    while inside.any():
        depth += inside[1:-1, 1:-1]
        inside[1:-1, 1:-1] &= inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    around = np.pad(depth, 3)
    highest = np.max([around[i : i + depth.shape[0], j : j + depth.shape[1]] for i in range(7) for j in range(7)], 0)
    return placed((cover & (depth >= highest - 1.5)).astype(float), 260, 260, 18, 18)


def cut(digit):
    cover = enlarged(digit, 5)
    ys, xs = np.where(cover > 0.3)
    return cover[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]


def alpha(cover, ink):
    return np.dstack([np.full(cover.shape, ink)] * 3 + [cover * 255])


def colored(cover, ground, ink):
    return np.dstack([inked(cover, g, i) for g, i in zip(ground, ink)])


KINDS = {
    "white on black": lambda d, r: inked(page(d), 0, 255),
    "black on white": lambda d, r: inked(page(d), 255, 0),
    "light on grey": lambda d, r: inked(page(d), r.integers(128, 180), 250),
    "dark on grey": lambda d, r: inked(page(d), r.integers(75, 128), 10),
    "low contrast": lambda d, r: inked(page(d), 200, 140),
    "smooth shadow": lambda d, r: inked(page(d), 240, 30) * slope((160, 160), r, 0.45)[1] + r.normal(0, 3, (160, 160)),
    "edge of a shadow": lambda d, r: hard_shadow(page(d), r),
    "vignette": lambda d, r: vignette(page(d), r),
    "noise": lambda d, r: inked(page(d), 230, 50) + r.normal(0, 12, (160, 160)),
    "box of a form": lambda d, r: inked(boxed(page(d), r.integers(3, 9), r.integers(2, 5)), 250, r.integers(0, 90)),
    "box at the rim": lambda d, r: inked(boxed(page(d), 0, r.integers(1, 5)), 250, 20),
    "ruled line": lambda d, r: inked(lined(page(d), r), 250, 20),
    "specks": lambda d, r: inked(speckled(page(d), r), 255, 0),
    "thin pen": lambda d, r: inked(thinned(d, r), 255, 20),
    "off centre": lambda d, r: inked(placed(enlarged(d, 3), 250, 320, r.integers(0, 166), r.integers(0, 236)), 255, 0),
    "cut close": lambda d, r: inked(cut(d), 255, 0),
    "small on a page": lambda d, r: inked(placed(enlarged(d, 2), 900, 700, r.integers(0, 840), r.integers(0, 640)), 250, 30),
    "transparent, dark": lambda d, r: ("rgba", alpha(page(d), 20)),
    "transparent, light": lambda d, r: ("rgba", alpha(page(d), 240)),
    "16 bits": lambda d, r: ("grey16", inked(page(d), 255, 0)),
    "palette": lambda d, r: ("palette", inked(page(d), 20, 240)),
    "red on white": lambda d, r: ("rgb", colored(page(d), (255, 255, 255), (220, 30, 30))),
    "yellow on white": lambda d, r: ("rgb", colored(page(d), (255, 255, 255), (250, 235, 20))),
    "blue on black": lambda d, r: ("rgb", colored(page(d), (0, 0, 0), (20, 30, 255))),
    "28x28, light on grey": lambda d, r: inked(d / 255.0, 140, 240),
    "28x28, dark on grey": lambda d, r: inked(d / 255.0, 110, 10),
}
EMPTY = np.zeros((160, 160))
BLANK = {
    "white": lambda r: inked(EMPTY, 255, 0),
    "noise": lambda r: 230 + r.normal(0, 6, EMPTY.shape),
    "smooth shadow": lambda r: 240 * slope(EMPTY.shape, r, 0.45)[1],
    "edge of a shadow": lambda r: hard_shadow(EMPTY, r),
    "vignette": lambda r: vignette(EMPTY, r),
    "empty box": lambda r: inked(boxed(EMPTY, 5, 3), 250, 20),
}


def predict(arguments, files):
    """The digit by file; without those that are refused."""
    result = subprocess.run([arguments.bin + "/sweep", "predict", arguments.model, *map(str, files), "--format", "json",
                             "--invert", arguments.invert], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return {row["file"]: row["digit"] for row in json.loads(result.stdout or "[]")}


def main():
    parser = argparse.ArgumentParser(description="What a trained network reads on pictures.")
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--model", required=True, help="a folder of `sweep model`")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--invert", default="auto")
    parser.add_argument("--least", type=int, default=0, help="fewer right answers of a kind are a failure")
    arguments = parser.parse_args()
    images, labels = read_idx("t10k-images-idx3-ubyte"), read_idx("t10k-labels-idx1-ubyte")
    chosen = np.random.default_rng(arguments.seed).choice(len(images), COUNT, replace=False)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for kind, draw in KINDS.items():
            random = np.random.default_rng(sum(map(ord, kind)) + arguments.seed)
            files = [pathlib.Path(folder, f"{n}.png") for n in range(COUNT)]
            for file, number in zip(files, chosen):
                drawn = draw(images[number], random)
                name, picture = drawn if isinstance(drawn, tuple) else ("grey", drawn)
                write_png(file, np.clip(np.rint(picture), 0, 255), name)
            read = predict(arguments, files)
            right = sum(read.get(str(file)) == labels[number] for file, number in zip(files, chosen))
            failed |= right < arguments.least
            print(f"{kind:22} {right}/{COUNT} right, {COUNT - len(read)} refused", flush=True)
        for kind, draw in BLANK.items():
            random = np.random.default_rng(7)
            files = [pathlib.Path(folder, f"{n}.png") for n in range(10)]
            for file in files:
                write_png(file, np.clip(np.rint(draw(random)), 0, 255))
            blank = len(files) - len(predict(arguments, files))
            failed |= arguments.least > 0 and blank < len(files)
            print(f"blank: {kind:15} {blank}/{len(files)}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
