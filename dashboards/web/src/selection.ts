// The trials that a reader has selected for comparison: one list for all pages. The address has it
// as "trials", so that a link and a reload keep it.

import { useEffect, useState } from "preact/hooks";
import { splitTrial } from "./format";

export const MOST_COMPARED = 6; // as many as have distinguishable curves
export const SELECTION_KEY = "trials";

let selected: readonly string[] = [];
const listeners = new Set<(trials: readonly string[]) => void>();

export function selectedTrials(): readonly string[] {
  return selected;
}

// Parses "s/01, s/2, s/1" into ["s/1", "s/2"]; skips text that names no trial.
export function readSelection(text: string): string[] {
  const names = text.split(",").flatMap((name) => {
    const trial = splitTrial(name);
    return trial ? [`${trial.sweep}/${trial.trial}`] : [];
  });
  return [...new Set(names)].slice(0, MOST_COMPARED);
}

export function setSelected(next: readonly string[]): void {
  if (next.join() === selected.join()) return;
  selected = next;
  for (const listener of listeners) listener(next);
}

export function addSelected(trial: string): void {
  setSelected(readSelection([...selected, trial].join()));
}

export function removeSelected(trial: string): void {
  setSelected(selected.filter((other) => other !== trial));
}

export function onSelection(listener: (trials: readonly string[]) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function useSelected(): readonly string[] {
  const [trials, set] = useState(selected);
  useEffect(() => onSelection(set), []);
  return trials;
}
