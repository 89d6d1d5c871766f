// The trials that a reader has ticked to compare, on whatever page.

import { useEffect, useState } from "preact/hooks";

export const MOST_COMPARED = 6; // as many as curves can be told apart

let selected: readonly string[] = [];
const listeners = new Set<(trials: readonly string[]) => void>();

function change(next: readonly string[]): void {
  selected = next;
  for (const listener of listeners) listener(next);
}

export function toggleSelected(trial: string): void {
  if (selected.includes(trial)) change(selected.filter((other) => other !== trial));
  else if (selected.length < MOST_COMPARED) change([...selected, trial]);
}

export function clearSelected(): void {
  change([]);
}

export function useSelected(): readonly string[] {
  const [trials, set] = useState(selected);
  useEffect(() => {
    listeners.add(set);
    return () => void listeners.delete(set);
  }, []);
  return trials;
}
