// What stands in the rows of a comparison: results, then every hyperparameter with the value that was
// in force, so that one trial's default and another's choice of the same value are no difference.

import type { TrialView, Value } from "../api";
import { defaultsOf, effectiveValue } from "../effective";
import { integer, number, percent, valueText } from "../format";

export interface ComparedRow {
  name: string;
  cells: string[];
}

interface Compared {
  results: ComparedRow[];
  parameters: ComparedRow[]; // that were searched or differ
  same: Record<string, Value>; // the other hyperparameters
}

// What is said of the trial elsewhere: its network by name and size.
const SAID = new Set(["model"]);

export function comparedRows(trials: TrialView[]): Compared {
  const row = (name: string, text: (trial: TrialView) => string): ComparedRow => ({
    name,
    cells: trials.map(text),
  });
  const value = effectiveValue;
  const named = (of: (trial: TrialView) => Record<string, Value>): Set<string> =>
    new Set(trials.flatMap((trial) => Object.keys(of(trial))));
  const searched = named((trial) => trial.parameters);
  const names = [...new Set([...searched, ...named(defaultsOf)])]
    .filter((name) => !SAID.has(name))
    .sort();
  const isSame = (name: string): boolean =>
    new Set(trials.map((trial) => value(trial, name))).size === 1;
  const told = names.filter((name) => searched.has(name) || !isSame(name));
  const first = trials[0];
  return {
    results: [
      row("state", (trial) => trial.state),
      row("best accuracy", (trial) => percent(trial.best_accuracy)),
      row("at epoch", (trial) => integer(trial.best_epoch)),
      row("epochs to target", (trial) =>
        integer(trial.target.accuracy === null ? null : trial.epochs_to_target),
      ),
      row("last accuracy", (trial) => percent(trial.last_accuracy)),
      row("best loss", (trial) => number(trial.best_loss)),
      row("criteria", (trial) =>
        trial.gates.length === 0
          ? valueText(null)
          : `${trial.gates.filter((gate) => gate.met).length} of ${trial.gates.length} met`,
      ),
    ],
    parameters: [
      row("model", (trial) => trial.model || "own program"),
      row("network parameters", (trial) => integer(trial.network_parameters || null)),
      ...told.map((name) => row(name, (trial) => valueText(value(trial, name)))),
      row("seed", (trial) => trial.seed),
    ],
    same: Object.fromEntries(
      names
        .filter((name) => !told.includes(name))
        .map((name): [string, Value] => [name, (first && value(first, name)) ?? ""]),
    ),
  };
}
