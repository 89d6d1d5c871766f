// The rows of a comparison: results, then every hyperparameter with its value in effect, so that a
// default and a chosen value that are equal do not differ.

import type { Measure, TrialView, Value } from "../api";
import { defaultsOf, effectiveValue } from "../effective";
import { integer, valueText } from "../format";
import { bestPart, bestValue, measureText, titleOf } from "../measure";

export interface ComparedRow {
  name: string;
  cells: string[];
}

interface Compared {
  results: ComparedRow[];
  parameters: ComparedRow[]; // searched or different ones
  same: Record<string, Value>; // the other hyperparameters
}

type Row = (name: string, text: (trial: TrialView) => string) => ComparedRow;

function measureRows(measure: Measure, row: Row): ComparedRow[] {
  const { name } = measure;
  const best = row(`best ${titleOf(measure)}`, (trial) =>
    measureText(measure, bestValue(trial.measures[name], measure)),
  );
  const last = row(`last ${titleOf(measure)}`, (trial) =>
    measureText(measure, trial.measures[name]?.last),
  );
  return bestPart(measure) === "last" ? [last] : [best, last];
}

// Shown elsewhere: the trial's network by name and size.
const SAID = new Set(["model"]);

// Results for `measures` only.
export function comparedRows(trials: TrialView[], measures: Measure[]): Compared {
  const row: Row = (name, text) => ({ name, cells: trials.map(text) });
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
      ...measures.flatMap((one) => measureRows(one, row)),
      row("best epoch", (trial) => integer(trial.best_epoch)),
      row("epochs to target", (trial) =>
        integer(Object.keys(trial.target.measures).length === 0 ? null : trial.epochs_to_target),
      ),
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
