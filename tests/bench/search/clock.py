#!/usr/bin/env python3
"""Measures by the clock how long it takes to find a run that meets the criteria, on real MNIST and two cores:
Sweep, and Optuna driving a PyTorch loop, on the same network and search space.

    tests/bench/search/clock.py first FILE [--networks NAME...] [--repeats N] [--limit SECONDS]
    tests/bench/search/clock.py table FILE

`first` appends a JSON line to FILE for each search: the seconds from the start of the processes to the end of the
first epoch that meets the criteria, or the limit when none did (`censored`). Repeats that FILE has are left out,
so it can be interrupted. The two take turns. `table` prints medians and ratios.

The interpreter must be able to import torch 2.13.0, Optuna 5.0.0 and PyYAML, for example with what
deploy/install-deps.sh unpacks: PYTHONPATH=.deps:.deps/python-optuna5:.deps/python. SWEEP_DATA_DIR names the folder of MNIST.

Sweep trains one trial at a time on two threads, and stops it when it can no longer reach the target. Optuna has two
processes with one thread each, on one study in a journal file; TPE as it is by default, and a pruner: Hyperband
(`optuna_hyperband`) or successive halving, which is ASHA (`optuna_asha`), both from epoch 1 with the reduction factor
3, or none (`optuna_none`). The loop keeps the images in memory and takes the faster memory layout.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))
from measured_rows import add_row, rows_of

SWEEP = ROOT / "build/release/bin/sweep"
EPOCHS, TARGET = 19, 0.994
TOOLS = ("sweep", "optuna_asha", "optuna_hyperband", "optuna_none")
SPACE = """
  lr: {distribution: log_uniform_values, min: 0.003, max: 0.3}
  momentum: {min: 0.8, max: 0.97}
  batch_size: {values: [32, 64, 128]}
  dropout: {min: 0.0, max: 0.1}
"""


def sweep_file(network, seed):
    return f"""
name: clock
model: {network}
dataset: mnist
parameters: {{augmentation: {{value: shift}}, schedule: {{value: one_cycle}}, {SPACE.strip().replace(chr(10), ",")}}}
epochs: {EPOCHS}
require: {{accuracy: ">= {TARGET}", epochs: "<= {EPOCHS}"}}
early_terminate: {{type: target, risk: 0.01}}
stop_when: {{qualifying: 1}}
run_cap: 1000
seed: {seed}
"""


def sweep_search(network, seed, limit):
    """Seconds until `sweep run` has stored an epoch that meets the criteria."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "sweep.yaml").write_text(sweep_file(network, seed))
        begun = time.monotonic()
        process = subprocess.Popen([SWEEP, "run", "sweep.yaml", "--slots", "1", "--threads", "2", "--db", "clock.db",
                                    "--quiet"],
                                   cwd=folder, stdout=subprocess.DEVNULL)
        try:
            code = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            process.wait()
            return None
        seconds = time.monotonic() - begun
        if code != 0:
            sys.exit(f"clock.py: sweep run ended with {code}")
        return seconds


def optuna_worker(network, seed, pruner, journal, found, index):
    """Trains trials of the study until some worker has met the criteria."""
    import optuna
    import torch
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    import torch_loop
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    torch.manual_seed(1000 * seed + index)
    data = torch_loop.read_mnist()
    layout, _ = torch_loop.faster_layout(network, 64)
    pruners = {"optuna_hyperband": optuna.pruners.HyperbandPruner(1, EPOCHS, 3),
               "optuna_asha": optuna.pruners.SuccessiveHalvingPruner(1, 3),
               "optuna_none": optuna.pruners.NopPruner()}
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(journal)), study_name="clock", load_if_exists=True,
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=1000 * seed + index), pruner=pruners[pruner])

    def objective(trial):
        recipe = {"epochs": EPOCHS, "shift_pixels": 2,
                  "lr": trial.suggest_float("lr", 0.003, 0.3, log=True),
                  "momentum": trial.suggest_float("momentum", 0.8, 0.97),
                  "batch_size": trial.suggest_categorical("batch_size", [32, 64, 128])}
        dropout = trial.suggest_float("dropout", 0.0, 0.1)
        for layer in network["layers"]:
            if layer["kind"] == "dropout":
                layer["p"] = dropout
        for epoch, accuracy in enumerate(torch_loop.train(network, recipe, data, layout), start=1):
            if accuracy >= TARGET:
                found.set()
                return accuracy
            trial.report(accuracy, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned()
        return accuracy

    while not found.is_set():
        study.optimize(objective, n_trials=1)


def optuna_search(network, seed, limit, pruner):
    """Seconds until one of two processes has met the criteria, their start included."""
    with tempfile.TemporaryDirectory() as folder:
        context = multiprocessing.get_context("spawn")
        found = context.Event()
        begun = time.monotonic()
        workers = [context.Process(target=optuna_worker, daemon=True,
                                   args=(network, seed, pruner, f"{folder}/journal.log", found, index))
                   for index in range(2)]
        for worker in workers:
            worker.start()
        while not found.wait(0.1) and time.monotonic() - begun < limit:
            if any(worker.exitcode for worker in workers):
                sys.exit("clock.py: a process of Optuna failed")
        seconds = time.monotonic() - begun if found.is_set() else None
        for worker in workers:
            worker.kill()
            worker.join()
        return seconds


def describe(name):
    """The network as the trainer's line has it; dropout is set for each trial."""
    answer = subprocess.run([ROOT / "build/release/bin/training_steps"], check=True, text=True, stdout=subprocess.PIPE,
                            input=json.dumps({"describe": True, "network": name, "batch": 64, "dropout": 0.05}) + "\n")
    return json.loads(answer.stdout.splitlines()[0])


def first(arguments):
    done = {(row["network"], row["tool"], row["repeat"]) for row in rows_of(arguments.file)}
    for repeat in range(1, arguments.repeats + 1):
        for name in arguments.networks:
            for tool in arguments.tools:
                if (name, tool, repeat) in done:
                    continue
                if tool == "sweep":
                    seconds = sweep_search(name, repeat, arguments.limit)
                else:
                    seconds = optuna_search(describe(name), repeat, arguments.limit, tool)
                row = {"network": name, "tool": tool, "repeat": repeat, "censored": seconds is None,
                       "seconds": round(seconds or arguments.limit, 1)}
                add_row(arguments.file, row)


def table(arguments):
    rows = rows_of(arguments.file)
    print("| network | tool | repeats | seconds, each (> : none by then) | median | of Sweep's |")
    print("|---|---|---|---|---|---|")
    for name in sorted({row["network"] for row in rows}):
        ours = None
        for tool in TOOLS:
            chosen = [row for row in rows if row["network"] == name and row["tool"] == tool]
            if not chosen:
                continue
            median = statistics.median(row["seconds"] for row in chosen)
            ours = ours or median
            each = ", ".join(("> " if row["censored"] else "") + f"{row['seconds']:.0f}" for row in chosen)
            print(f"| {name} | {tool} | {len(chosen)} | {each} | {median:.0f} | {median / ours:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["first", "table"])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--networks", nargs="+", default=["cnn-18718", "cnn-17216"])
    parser.add_argument("--tools", nargs="+", default=TOOLS, choices=TOOLS)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=1800, help="seconds of one search")
    arguments = parser.parse_args()
    table(arguments) if arguments.what == "table" else first(arguments)


if __name__ == "__main__":
    main()
