#!/usr/bin/env python3
"""Measures the time on two cores from the start of training to 99.4 % on MNIST's test images, for one recipe:
Sweep and the same recipe in PyTorch, in turns.

    tests/bench/training/fastest.py run FILE [--network FILE] [--seeds 20] [--torch-seeds 5] [--first-seed 101]
    tests/bench/training/fastest.py table FILE

`run` appends a JSON line to FILE for each training, and leaves out those that FILE has, so it can be interrupted. The
clock runs from the first step to the end of the first epoch whose accuracy is at least 99.4 %, evaluation included;
reading the images and starting the process are not. A training that never gets there counts as slower than all others.
PyTorch has the first --torch-seeds of the seeds, since it takes long, and the faster of its memory layouts and of one
and two threads.

The interpreter must be able to import torch 2.13.0, for example with what deploy/install-deps.sh unpacks:
PYTHONPATH=.deps:.deps/python. SWEEP_DATA_DIR names the folder of MNIST.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/bench"))
from measured_rows import add_row, rows_of

TARGET, THREADS = 0.994, 2


def sweep_training(network, seed):
    """Sweep's training as the JSON of `sweep train`."""
    with tempfile.TemporaryDirectory() as folder:
        answer = subprocess.run(
            [ROOT / "build/release/bin/sweep", "train", network, "--seed", str(seed), "--threads", str(THREADS),
             "--no-plot", "--format", "json", "--quiet", "-o", f"{folder}/out"], check=True, text=True,
            stdout=subprocess.PIPE)
    return json.loads(answer.stdout)


def sweep_epochs(training):
    """Seconds since the first step, and accuracy, at the end of each epoch."""
    seconds = 0
    for epoch in training["epochs"]:
        values = epoch["values"]
        seconds += values["train_seconds"] + values["evaluate_seconds"]
        yield seconds, values["validation_accuracy"]


def torch_epochs(torch_loop, spec, seed, data, layout):
    import torch
    torch.manual_seed(seed)
    recipe = dict(spec, shift_pixels=spec["shift_pixels"] if spec["augmentation"] == "shift" else 0)
    begun = time.perf_counter()
    for accuracy in torch_loop.train(spec["network"], recipe, data, layout):
        yield time.perf_counter() - begun, accuracy


def faster_layout(torch_loop, spec):
    """The faster memory layout, with the faster number of threads, which stays set."""
    import torch
    settings = {}
    for threads in (1, THREADS):
        torch.set_num_threads(threads)
        layout, seconds = torch_loop.faster_layout(spec["network"], spec["batch_size"])
        settings[seconds] = (threads, layout)
    threads, layout = settings[min(settings)]
    torch.set_num_threads(threads)
    return layout


def run(arguments):
    import torch
    import torch_loop
    data, layout = torch_loop.read_mnist(), None
    done = {(row["tool"], row["seed"]) for row in rows_of(arguments.file)}
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        wanted = ["sweep", "pytorch"] if seed < arguments.first_seed + arguments.torch_seeds else ["sweep"]
        wanted = [tool for tool in wanted if (tool, seed) not in done]
        training = sweep_training(arguments.network, seed) if wanted else None
        for tool in wanted:
            if tool == "sweep":
                epochs = list(sweep_epochs(training))
            else:
                layout = layout or faster_layout(torch_loop, training["spec"])
                epochs = list(torch_epochs(torch_loop, training["spec"], seed, data, layout))
            reached = [seconds for seconds, accuracy in epochs if accuracy >= TARGET]
            row = {"tool": tool, "seed": seed, "seconds": round(reached[0], 2) if reached else None,
                   "whole": round(epochs[-1][0], 2), "accuracies": [round(a, 4) for _, a in epochs],
                   "threads": THREADS if tool == "sweep" else torch.get_num_threads()}
            add_row(arguments.file, row)


def table(arguments):
    rows = rows_of(arguments.file)
    print("| | seeds | that reach 99.4 % | median seconds to 99.4 % | least, most | whole training, median "
          "| last epoch, mean |")
    print("|---|---|---|---|---|---|---|")
    for tool in ("sweep", "pytorch"):
        chosen = [row for row in rows if row["tool"] == tool]
        if not chosen:
            continue
        reached = sorted(row["seconds"] for row in chosen if row["seconds"])
        times = reached + [float("inf")] * (len(chosen) - len(reached))
        last = statistics.mean(row["accuracies"][-1] for row in chosen)
        print(f"| {tool} | {len(chosen)} | {len(reached)} | {statistics.median(times):.1f} "
              f"| {reached[0] if reached else '-'}, {reached[-1] if reached else '-'} "
              f"| {statistics.median(row['whole'] for row in chosen):.1f} | {100 * last:.3f} % |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--network", default=str(ROOT / "examples/fastest-net.yaml"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--torch-seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=101)
    arguments = parser.parse_args()
    table(arguments) if arguments.what == "table" else run(arguments)


if __name__ == "__main__":
    main()
