// The trials that a reader has chosen to compare: one list for all pages. It stands in the address,
// as "trials", so that a link and a reload keep it.

import { useEffect, useState } from "preact/hooks";
import { splitTrial } from "./format";

export const MOST_COMPARED = 6; // as many as curves can be told apart
export const SELECTION_KEY = "trials";

let selected: readonly string[] = [];
const listeners = new Set<(trials: readonly string[]) => void>();

export function selectedTrials(): readonly string[] {
  return selected;
}

// "s/01, s/2, s/1" as ["s/1", "s/2"]; what names no trial is left out.
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
