#!/usr/bin/env python3
"""Measures other tools' search methods on the functions of main.cc and appends what they reach to a
file of JSON lines, one for each seed. Seeds that the file has are left out, so it can be interrupted.

    tests/bench/search/peers.py FILE METHOD FUNCTION EVALUATIONS SEEDS [AT_ONCE]
    tests/bench/search/peers.py time METHOD TRIALS...

FUNCTION: one of FUNCTIONS below; `table` looks its values up in mnist/table.csv, the errors of real
trainings, and gives lists of numbers as whole numbers, so that they are in order.

METHOD: optuna_tpe, optuna_gp, optuna_cma, rustuna_tpe, rustuna_cma, random. The packages must be
importable (PYTHONPATH): optuna 5.0.0 (with torch and scipy for optuna_gp, cmaes for optuna_cma),
rustuna 0.2.0.
"""

import csv
import json
import math
import os
import random
import statistics
import sys
import time
import warnings

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
warnings.filterwarnings("ignore")

REPORTED = (25, 50, 100, 200)


def branin(p):
    a = p["y"] - 5.1 / (4 * math.pi**2) * p["x"] ** 2 + 5 / math.pi * p["x"] - 6
    return a * a + 10 * (1 - 1 / (8 * math.pi)) * math.cos(p["x"]) + 10


def numbers(p):
    return [p[name] for name in sorted(p)]


HARTMANN_A = [
    [10, 3, 17, 3.5, 1.7, 8],
    [0.05, 10, 17, 0.1, 8, 14],
    [3, 3.5, 1.7, 10, 17, 8],
    [17, 8, 0.05, 10, 0.1, 14],
]
HARTMANN_P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def hartmann6(p):
    x = numbers(p)
    value = 0
    for c, a, centre in zip((1, 1.2, 3, 3.2), HARTMANN_A, HARTMANN_P):
        value -= c * math.exp(-sum(k * (one - at) ** 2 for k, one, at in zip(a, x, centre)))
    return value


def rosenbrock5(p):
    x = numbers(p)
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(4))


def levy4(p):
    w = [1 + (one - 1) / 4 for one in numbers(p)]
    value = math.sin(math.pi * w[0]) ** 2
    for one in w[:-1]:
        value += (one - 1) ** 2 * (1 + 10 * math.sin(math.pi * one + 1) ** 2)
    return value + (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)


def mixcond(p):
    lr, wd = math.log10(p["lr"]), math.log10(p["wd"])
    value = 0.15 * (wd + 4 + 0.3 * (lr + 2)) ** 2 + 0.05 * (p["k"] - 7) ** 2
    if p["opt"] == "adam":
        return value + 0.3 + 0.4 * (lr + 3) ** 2
    return value + 0.6 * (lr + 1 + 2 * (p["mom"] - 0.5)) ** 2 + 3 * (p["mom"] - 0.9) ** 2


def mnist(p):
    lr, momentum, batch = math.log10(p["lr"]), p["momentum"], math.log2(p["batch_size"])
    effective = lr - math.log10(max(1e-3, 1 - momentum)) - 0.30103 * (batch - 6)
    value = 0.12 * (effective + 0.3) ** 2
    if effective > 0.6:
        value += 0.5 * (effective - 0.6) ** 2
    value += 6 * (p["dropout"] - 0.06) ** 2 + 0.06 * (momentum - 0.9) ** 2
    return min(value + 0.012 * (batch - 6.5) ** 2, 89)


def grid(p):
    value = (p["a"] - 2) ** 2 + 0.7 * (p["b"] - 1) ** 2 + 0.1 * p["a"] * p["b"]
    return value + {"x": 0.5, "y": 0, "z": 1.2}[p["c"]]


class Table:
    """The trainings of mnist/table.csv. A number of the table stands for its place in its list."""

    LISTS = {
        "lr": ("0.003", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5"),
        "momentum": ("0.5", "0.9", "0.97"),
        "batch_size": ("32", "64", "128"),
        "dropout": ("0.0", "0.1"),
        "schedule": ("constant", "cosine", "one_cycle"),
    }

    def __init__(self):
        self.errors = {}
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mnist", "table.csv")
        for row in csv.DictReader(open(path, encoding="utf-8")):
            key = tuple(row[name] for name in self.LISTS)
            self.errors.setdefault(key, []).append(100 - float(row["epoch_12"] or 0))
        self.means = {key: statistics.mean(errors) for key, errors in self.errors.items()}
        ranked = sorted(self.means.values())
        self.minimum = ranked[0]
        self.top = ranked[max(int(0.01 * len(ranked)), 1) - 1]

    def key(self, p):
        key = self.place(p)
        if key not in self.errors:
            sys.exit(f"the table has no training of {key}; mnist/make.py says how")
        return key

    def place(self, p):
        return tuple(p[name] if name == "schedule" else words[p[name]] for name, words in self.LISTS.items())

    def __call__(self, p):
        return self.means[self.key(p)]

    def draw(self, p, noise):
        return noise.choice(self.errors[self.key(p)])

    def parameters(self):
        kinds = [(name, "int", (0, len(words) - 1)) for name, words in self.LISTS.items() if name != "schedule"]
        return [*kinds, ("schedule", "values", self.LISTS["schedule"])]


def cube(dimensions, low, high):
    return [(f"x{i}", "float", (low, high)) for i in range(dimensions)]


# Name: function, parameters, minimum. A parameter: name, kind, range or values, and perhaps the
# parameter and value that it needs.
FUNCTIONS = {
    "branin": (branin, [("x", "float", (-5.0, 10.0)), ("y", "float", (0.0, 15.0))], 0.39788735772973816),
    "hartmann6": (hartmann6, cube(6, 0.0, 1.0), -3.322368011415515),
    "rosenbrock5": (rosenbrock5, cube(5, -5.0, 10.0), 0),
    "levy4": (levy4, cube(4, -10.0, 10.0), 0),
    "mixcond": (
        mixcond,
        [
            ("lr", "log", (1e-4, 1.0)),
            ("wd", "log", (1e-6, 1e-2)),
            ("k", "int", (3, 12)),
            ("opt", "values", ("adam", "sgd")),
            ("mom", "float", (0.0, 0.99), ("opt", "sgd")),
        ],
        0,
    ),
    "mnist": (
        mnist,
        [
            ("lr", "log", (1e-4, 1.0)),
            ("momentum", "float", (0.0, 0.99)),
            ("batch_size", "values", (16, 32, 64, 128, 256, 512)),
            ("dropout", "float", (0.0, 0.5)),
        ],
        0.003,
    ),
    "grid": (grid, [("a", "int", (0, 3)), ("b", "int", (0, 3)), ("c", "values", ("x", "y", "z"))], 0.2),
}


def make_sampler(method, seed):
    if method.startswith("optuna_"):
        import optuna as tool

        tool.logging.set_verbosity(tool.logging.ERROR)
        kinds = {
            "optuna_tpe": tool.samplers.TPESampler,
            "optuna_gp": tool.samplers.GPSampler,
            "optuna_cma": tool.samplers.CmaEsSampler,
        }
    else:
        import rustuna as tool
        import rustuna.samplers

        kinds = {"rustuna_tpe": tool.samplers.TPESampler, "rustuna_cma": tool.samplers.CmaEsSampler}
    return tool, kinds[method](seed=seed)


class Study:
    """A tool's study, asked and told."""

    def __init__(self, method, parameters, seed):
        tool, sampler = make_sampler(method, seed)
        self.by_number = method.startswith("rustuna_")
        self.parameters = parameters
        self.study = tool.create_study(sampler=sampler)

    def ask(self):
        trial = self.study.ask()
        point = {}
        for name, kind, values, *needed in self.parameters:
            if needed and point.get(needed[0][0]) != needed[0][1]:
                continue
            if kind == "float":
                point[name] = trial.suggest_float(name, *values)
            elif kind == "log":
                point[name] = trial.suggest_float(name, *values, log=True)
            elif kind == "int":
                point[name] = trial.suggest_int(name, *values)
            else:
                point[name] = trial.suggest_categorical(name, list(values))
        return trial, point

    def tell(self, trial, value):
        self.study.tell(trial.number if self.by_number else trial, value)


class Draws:
    """Random search."""

    def __init__(self, parameters, seed):
        self.parameters = parameters
        self.random = random.Random(seed)

    def ask(self):
        point = {}
        for name, kind, values, *needed in self.parameters:
            u = self.random.random()
            if needed and point.get(needed[0][0]) != needed[0][1]:
                continue
            if kind == "float":
                point[name] = values[0] + u * (values[1] - values[0])
            elif kind == "log":
                point[name] = math.exp(math.log(values[0]) + u * math.log(values[1] / values[0]))
            elif kind == "int":
                point[name] = values[0] + int(u * (values[1] - values[0] + 1))
            else:
                point[name] = values[int(u * len(values))]
        return None, point

    def tell(self, trial, value):
        pass


def make(method, parameters, seed):
    return Draws(parameters, seed) if method == "random" else Study(method, parameters, seed)


def run_seed(method, name, evaluations, seed, at_once):
    function, parameters, minimum = FUNCTIONS[name]
    noise = random.Random(10_000 + seed)
    start = time.process_time()
    search = make(method, parameters, seed)
    best_seen = best = math.inf
    is_right = False
    first_top = 0
    regrets, right = {}, {}
    asked = []
    done = 0
    while done < evaluations:
        batch = [search.ask() for _ in range(min(at_once, evaluations - done))]
        for trial, point in batch:
            asked.append(json.dumps(point, sort_keys=True))
            value = function(point)
            seen = value
            if name == "mnist":
                seen += noise.gauss(0, 0.04)
            elif name == "table":
                seen = function.draw(point, noise)
                first_top = first_top or (done + 1 if value <= function.top else 0)
            if seen < best_seen:
                best_seen, best, is_right = seen, value, "mom" in point
            search.tell(trial, seen)
            done += 1
            if done in REPORTED:
                regrets[str(done)] = float(f"{best - minimum:.6g}")
                right[str(done)] = is_right
    return {
        "method": method,
        "function": name,
        "at_once": at_once,
        "seed": seed,
        "regret": regrets,
        "duplicates": len(asked) - len(set(asked)),
        "right": right,
        "first_top": first_top,
        "cpu_s": round(time.process_time() - start, 3),
    }


def measure(path, method, name, evaluations, seeds, at_once):
    known = set()
    if os.path.exists(path):
        for line in open(path, encoding="utf-8"):
            one = json.loads(line)
            if str(max(n for n in REPORTED if n <= evaluations)) in one["regret"]:
                known.add((one["method"], one["function"], one["at_once"], one["seed"]))
    for seed in range(seeds):
        if (method, name, at_once, seed) in known:
            continue
        outcome = run_seed(method, name, evaluations, seed, at_once)
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(outcome) + "\n")
        print(json.dumps(outcome), flush=True)


def measure_time(method, counts):
    function, parameters, _ = FUNCTIONS["mnist"]
    for count in counts:
        search = make(method, parameters, 1)
        milliseconds = []
        # As in a sweep: one suggestion for each trial that ends. The history is made by random draws,
        # which these tools take as finished trials.
        tool, _ = make_sampler(method, 1)
        distributions = {
            "lr": tool.distributions.FloatDistribution(1e-4, 1.0, log=True),
            "momentum": tool.distributions.FloatDistribution(0.0, 0.99),
            "batch_size": tool.distributions.CategoricalDistribution([16, 32, 64, 128, 256, 512]),
            "dropout": tool.distributions.FloatDistribution(0.0, 0.5),
        }
        draws = Draws(parameters, 7)
        for _ in range(count):
            point = draws.ask()[1]
            search.study.add_trial(
                tool.create_trial(params=point, distributions=distributions, value=function(point))
            )
        for _ in range(11 if method != "optuna_gp" else 5):
            start = time.process_time()
            trial, point = search.ask()
            milliseconds.append((time.process_time() - start) * 1000)
            search.tell(trial, function(point))
        print(f"{method:<12} {count:>6} finished: {statistics.median(milliseconds[1:]):.3f} ms per suggestion", flush=True)


def main(arguments):
    if "table" in arguments:
        table = Table()
        FUNCTIONS["table"] = (table, table.parameters(), table.minimum)
    if len(arguments) >= 3 and arguments[0] == "time":
        return measure_time(arguments[1], [int(one) for one in arguments[2:]])
    if len(arguments) not in (5, 6) or arguments[2] not in FUNCTIONS:
        sys.exit(__doc__)
    path, method, name = arguments[:3]
    measure(path, method, name, int(arguments[3]), int(arguments[4]), int(arguments[5]) if len(arguments) > 5 else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
