#!/usr/bin/env python3
"""Measures backend `lanes` against PyTorch, side by side on the same core, and prints a table.

    python3 tests/bench/training/bench.py [--bin build/release/bin] [--networks NAME...] [--quick]

The interpreter must be able to import all of torch (`pip install torch==2.13.0+cpu`); what
deploy/install-deps.sh unpacks of it suffices with --no-compile and PYTHONPATH=.deps:.deps/python.
Per network, batch size and dropout: training steps (forward, backward, SGD with momentum) on batches
in memory, one thread each, in turns: lanes, PyTorch eager in both layouts, torch.compile; each figure
is the median of the rounds. The peak is the rate of multiply-adds on registers, measured between the
steps. Then: two trials at once and one trial with two threads, evaluation against training, and the
share of time in which a trainer neither trains nor evaluates.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "parity"))
from torch_network import modules

NETWORKS = ["cnn-17216", "cnn-19750", "cnn-16034", "cnn-18718", "cnn-19046"]


class Steps:
    """A training_steps process."""

    def __init__(self, folder):
        self.process = subprocess.Popen([folder / "training_steps"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, **request):
        print(json.dumps(request), file=self.process.stdin, flush=True)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("training_steps ended")
        return json.loads(line)

    def measure(self, **request):
        self.ask(**request)
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Peer:
    """Training steps in PyTorch."""

    def __init__(self, network, batch, layout, compiled):
        self.model = nn.Sequential(*modules(network, dropout=True), nn.Flatten()).train().to(memory_format=layout)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9)
        self.run = torch.compile(self.model) if compiled else self.model
        self.images = torch.randn(batch, *network["input"]).to(memory_format=layout)
        self.labels = torch.randint(10, (batch,))
        for _ in range(3):
            self.step()

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(self.run(self.images), self.labels).backward()
        self.optimizer.step()

    def images_per_second(self, seconds):
        times, begun = [], time.perf_counter()
        while len(times) < 3 or time.perf_counter() - begun < seconds:
            start = time.perf_counter()
            self.step()
            times.append(time.perf_counter() - start)
        return len(self.labels) / statistics.median(times)


def compare(steps, name, batch, dropout, arguments):
    """One row of the table: lanes, eager, compiled."""
    asked = {"network": name, "batch": batch, "dropout": dropout, "seconds": arguments.seconds}
    network = steps.measure(describe=True, **asked)
    peers = {"eager": Peer(network, batch, torch.contiguous_format, False),
             "eager, channels last": Peer(network, batch, torch.channels_last, False)}
    if not arguments.no_compile:
        peers["compiled"] = Peer(network, batch, torch.channels_last, True)
    lanes, shares, others = [], [], {peer: [] for peer in peers}
    for _ in range(arguments.rounds):
        answer = steps.measure(**asked)
        lanes.append(answer["images_per_second"])
        shares.append(answer["images_per_second"] * answer["flops_per_image"] / answer["peak"])
        for peer in peers:
            others[peer].append(peers[peer].images_per_second(arguments.seconds))
    medians = {peer: statistics.median(figures) for peer, figures in others.items()}
    eager = max(medians["eager"], medians["eager, channels last"])
    return {"network": name, "batch": batch, "dropout": dropout, "lanes": statistics.median(lanes),
            "share": statistics.median(shares), "eager": eager, "compiled": medians.get("compiled")}


def print_comparison(rows):
    print("| network | batch | dropout | lanes, images/s | of peak | eager | compiled | lanes / eager |"
          " lanes / compiled |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        compiled, ratio = "", ""  # empty if it was not measured
        if row["compiled"]:
            compiled, ratio = f"{row['compiled']:.0f}", f"{row['lanes'] / row['compiled']:.1f}"
        print(f"| {row['network']} | {row['batch']} | {row['dropout']:g} | {row['lanes']:.0f} "
              f"| {100 * row['share']:.0f} % | {row['eager']:.0f} | {compiled} "
              f"| {row['lanes'] / row['eager']:.1f} | {ratio} |")


def both_cores(folder, arguments):
    """Two trials at once, and one with two threads; images/s of cnn-17216."""
    asked = {"network": "cnn-17216", "batch": 128, "dropout": 0.1, "seconds": 3 * arguments.seconds}
    pair, together, threads = [Steps(folder), Steps(folder)], [], []
    for _ in range(arguments.rounds):
        for steps in pair:
            steps.ask(**asked)
        together.append(sum(steps.answer()["images_per_second"] for steps in pair))
        threads.append(pair[0].measure(threads=2, **asked)["images_per_second"])
    for steps in pair:
        steps.close()
    return statistics.median(together), statistics.median(threads)


def evaluation(steps, arguments):
    """Images/s of evaluation relative to those of training, per network."""
    ratios = {}
    for name in NETWORKS:
        asked = {"network": name, "batch": 128, "dropout": 0.1, "seconds": arguments.seconds}
        ratios[name] = statistics.median(
            steps.measure(evaluate=True, **asked)["images_per_second"] / steps.measure(**asked)["images_per_second"]
            for _ in range(arguments.rounds))
    return ratios


def trainer(folder, network):
    """Runs a real trainer on drawn digits: the share of the time between its first and its last epoch in
    which it neither trains nor evaluates, and its largest resident memory in MB."""
    epochs = 20
    with tempfile.TemporaryDirectory() as output:
        trial = {"type": "trial", "protocol": 1, "trial": "bench/1", "seed": 1, "epochs": epochs, "batch_size": 128,
                 "lr": 0.05, "momentum": 0.9, "network": network, "output_dir": output, "device": "cpu",
                 "dataset": {"name": "synthetic", "train_size": 6000, "test_size": 1000}}
        process = subprocess.Popen([folder / "sweep-trainer", "--threads", "1"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        print(json.dumps(trial), file=process.stdin, flush=True)
        worked, begun, ended = 0.0, 0.0, 0.0
        for line in process.stdout:
            message = json.loads(line)
            if message["type"] == "epoch":
                ended = time.perf_counter()
                if message["epoch"] == 1:
                    begun = ended
                else:
                    worked += message["train_seconds"] + message["evaluate_seconds"]
            elif message["type"] in ("done", "error"):
                assert message["type"] == "done", message
                break
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        process.stdin.close()
        process.wait()
    return 1 - worked / (ended - begun), int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--batches", nargs="+", type=int, default=[32, 64, 128])
    parser.add_argument("--dropouts", nargs="+", type=float, default=[0.0, 0.1])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one measurement")
    parser.add_argument("--no-compile", action="store_true", help="without torch.compile, which takes minutes")
    parser.add_argument("--quick", action="store_true", help="batch 128 only, without torch.compile")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.batches, arguments.no_compile = [128], True
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)

    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    print(f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, PyTorch {torch.__version__} "
          f"({torch.backends.cpu.get_cpu_capability()}), one thread each, medians of {arguments.rounds} rounds\n")
    steps, rows = Steps(arguments.bin), []
    for name in arguments.networks:
        for batch in arguments.batches:
            for dropout in arguments.dropouts:
                print(f"measuring {name}, batch {batch}, dropout {dropout:g}", file=sys.stderr)
                rows.append(compare(steps, name, batch, dropout, arguments))
    print_comparison(rows)

    print("measuring both cores, evaluation and the trainer", file=sys.stderr)
    together, threads = both_cores(arguments.bin, arguments)
    ratios = evaluation(steps, arguments)
    between, memory = trainer(arguments.bin, steps.measure(network="cnn-17216", dropout=0.1, describe=True))
    steps.close()
    print("\n| measured | figure |\n|---|---|")
    print(f"| cnn-17216, batch 128, dropout 0.1: two trials at once | {together:.0f} images/s |")
    print(f"| — one trial with two threads | {threads:.0f} images/s, {60000 / threads:.1f} s for 60,000 |")
    for name, ratio in ratios.items():
        print(f"| {name}: images/s of evaluation / of training | {ratio:.1f} |")
    print(f"| sweep-trainer, epochs 2 to 20: neither training nor evaluating | {100 * between:.2f} % |")
    print(f"| — largest resident memory | {memory:.0f} MB |")


if __name__ == "__main__":
    main()
