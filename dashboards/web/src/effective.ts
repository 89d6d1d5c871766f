// The hyperparameters in effect in a trial: the search's choice, else the default.

import type { Value } from "./api";

interface Chosen {
  parameters: Record<string, Value>;
  defaults: Record<string, Value>;
}

// Without the network's name, which is shown separately everywhere.
export function defaultsOf(row: Chosen): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(row.defaults).filter(
      ([name]) => name !== "model" && !(name in row.parameters),
    ),
  );
}

export function effectiveValue(row: Chosen, name: string): Value | undefined {
  return row.parameters[name] ?? row.defaults[name];
}
