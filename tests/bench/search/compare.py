#!/usr/bin/env python3
"""Compares search methods with those of other tools on functions whose minimum is known: medians of
the regret after 25, 50, 100 and 200 evaluations, and whether a method of ours differs from a peer
(Mann-Whitney test, two-sided, corrected by Holm over all comparisons of the run, 5 %).

    tests/bench/search/compare.py [--bench PROGRAM] [--peers FILE] [--methods tpe,gp] [--functions …]
                                  [--seeds 20] [--evaluations 100] [--at-once 1] [--against optuna_tpe,…]

Of `table`, the trainings of mnist/table.csv, it says when a method had tried one of the best 1 % of the configurations.

The peers' outcomes are read from FILE (peers.jsonl beside this program, measured by peers.py).
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FUNCTIONS = ["branin", "hartmann6", "rosenbrock5", "levy4", "mixcond", "mnist"]
REPORTED = ["25", "50", "100", "200"]
RIGHT_AT = "100"  # evaluations after which the branch of the best point is looked at


def mann_whitney(a, b):
    """The two-sided p value, by the normal approximation with ties and continuity."""
    pooled = sorted([(value, 0) for value in a] + [(value, 1) for value in b])
    n, m = len(a), len(b)
    ranks, ties, i = 0.0, 0.0, 0
    while i < len(pooled):
        j = i
        while j < len(pooled) and pooled[j][0] == pooled[i][0]:
            j += 1
        ranks += (i + j + 1) / 2 * sum(1 for k in range(i, j) if pooled[k][1] == 0)
        ties += (j - i) ** 3 - (j - i)
        i = j
    size = n + m
    variance = n * m / 12 * (size + 1 - ties / (size * (size - 1)))
    if variance <= 0:
        return 1.0
    distance = abs(ranks - n * (n + 1) / 2 - n * m / 2) - 0.5
    return math.erfc(max(distance, 0) / math.sqrt(2 * variance))


def holm(p_values):
    """Corrected p values, in the same order."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected, largest = [0.0] * len(p_values), 0.0
    for place, i in enumerate(order):
        largest = max(largest, min(1.0, p_values[i] * (len(p_values) - place)))
        corrected[i] = largest
    return corrected


def read(lines):
    """The outcomes of each method, function and number at once; of a seed the one with most evaluations."""
    seeds = {}
    for line in lines:
        one = json.loads(line)
        right = one.get("right", {})  # not known of all
        one["right"] = right if isinstance(right, dict) else {max(one["regret"], key=int): right}  # at the end
        of = seeds.setdefault((one["method"], one["function"], one["at_once"]), {})
        if one["seed"] not in of or len(one["regret"]) > len(of[one["seed"]]["regret"]):
            of[one["seed"]] = one
    return {key: list(of.values()) for key, of in seeds.items()}


def regrets(outcomes, at):
    return [one["regret"][at] for one in outcomes if at in one["regret"]]


def row(name, outcomes, columns):
    cells = []
    for at in columns:
        values = regrets(outcomes, at)
        cells.append(f"{statistics.median(values):.3g} ({len(values)})" if values else "–")
    right = [one["right"][RIGHT_AT] for one in outcomes if one["function"] == "mixcond" and RIGHT_AT in one["right"]]
    found = f"{sum(right)}/{len(right)}" if any(right) else ""
    seconds = [one["cpu_s"] for one in outcomes if one.get("cpu_s")]
    cost = f"{statistics.median(seconds):.2f}" if seconds else "–"
    print(f"| {name} | {' | '.join(cells)} | {found} | {cost} |")


def first_tops(outcomes):
    """The evaluation at which each seed first tried one of the best 1 %; infinite when it did not."""
    return [one["first_top"] or math.inf for one in outcomes]


def print_first_tops(found, evaluations):
    """`found`: outcomes by the name of the method, of which those in bold are ours."""
    columns = [at for at in REPORTED if int(at) <= evaluations]
    print("\n| method | seeds | " + " | ".join(f"found by {at}" for at in columns) + " | median evaluations | differs from |")
    print("|---" * (len(columns) + 4) + "|")
    pairs = [(ours, theirs) for ours in found if ours.startswith("*") for theirs in found if not theirs.startswith("*")]
    corrected = holm([mann_whitney(first_tops(found[a]), first_tops(found[b])) for a, b in pairs])
    for name, outcomes in found.items():
        tops = sorted(first_tops(outcomes))
        shares = [f"{sum(top <= int(at) for top in tops)}" for at in columns]
        middle = statistics.median_low(tops)
        differs = [theirs for (ours, theirs), p in zip(pairs, corrected) if ours == name and p < 0.05]
        median = f"{middle}" if middle <= evaluations else f"> {evaluations}"
        print(f"| {name} | {len(tops)} | {' | '.join(shares)} | {median} | {', '.join(differs)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/release/bin/search_bench")
    parser.add_argument("--peers", default=os.path.join(HERE, "peers.jsonl"))
    parser.add_argument("--methods", default="tpe,gp,cmaes")
    parser.add_argument("--functions", default=",".join(FUNCTIONS))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--evaluations", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--against", default="optuna_tpe,optuna_gp,optuna_cma,rustuna_tpe")
    options = parser.parse_args()
    with open(options.peers, encoding="utf-8") as file:
        outcomes = read(file)
    columns = [at for at in REPORTED if int(at) <= options.evaluations]
    comparisons = []
    first_found = {}
    for function in options.functions.split(","):
        print(f"\n| {function}, {options.at_once} at once | " + " | ".join("@" + at for at in columns) + f" | right branch @{RIGHT_AT} | CPU s |")
        print("|---" * (len(columns) + 3) + "|")
        for (method, of, at_once), seeds in sorted(outcomes.items()):
            if of == function and at_once == options.at_once:
                row(method, seeds, columns)
                if function == "table":
                    first_found[method] = seeds
        for method in options.methods.split(","):
            command = [options.bench, "curves", method, function, str(options.evaluations), str(options.seeds), str(options.at_once)]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode != 0:
                print(f"| **{method}** | does not take it: {ran.stderr.strip().splitlines()[-1]} |")
                continue
            ours = list(read(ran.stdout.splitlines()).values())[0]
            row(f"**{method}**", ours, columns)
            if function == "table":
                first_found[f"**{method}**"] = ours
            for peer in options.against.split(","):
                theirs = outcomes.get((peer, function, options.at_once), [])
                for at in columns:
                    a, b = regrets(ours, at), regrets(theirs, at)
                    if len(a) >= 5 and len(b) >= 5:
                        comparisons.append((method, peer, function, at, a, b, mann_whitney(a, b)))
        sys.stdout.flush()
    if first_found:
        print_first_tops(first_found, options.evaluations)
    corrected = holm([one[-1] for one in comparisons])
    print("\n| ours | peer | compared | better median | significantly better | significantly worse |")
    print("|---|---|---|---|---|---|")
    for method in options.methods.split(","):
        for peer in options.against.split(","):
            mine = [(one, p) for one, p in zip(comparisons, corrected) if one[:2] == (method, peer)]
            if not mine:
                continue
            better = [one for one, p in mine if statistics.median(one[4]) < statistics.median(one[5])]
            wins = [f"{one[2]}@{one[3]}" for one, p in mine if p < 0.05 and one in better]
            losses = [f"{one[2]}@{one[3]}" for one, p in mine if p < 0.05 and one not in better]
            print(f"| {method} | {peer} | {len(mine)} | {len(better)} | {', '.join(wins) or 'none'} | {', '.join(losses) or 'none'} |")


if __name__ == "__main__":
    main()
