// What was in force in a trial: what the search chose, and where it chose nothing the default.

import type { Value } from "./api";

interface Chosen {
  parameters: Record<string, Value>;
  defaults: Record<string, Value>;
}

// Without the network's name, which stands beside it everywhere.
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
