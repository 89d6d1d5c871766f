// What a confirmation says of its finalists, in words.

import type { ConfirmationView, FinalistRow, Measure } from "../api";
import { integer, intervalText, NONE, plural } from "../format";
import { measureText, SHARE } from "../measure";

// A distance between two values, without its unit: of shares in points.
function distanceText(measure: Measure, distance: number): string {
  if (measure.unit !== SHARE) return measureText(measure, distance);
  const text = (100 * distance).toFixed(2);
  return Number(text) === 0 ? "0.00" : text;
}

// By how much the selection promised too much, with its interval.
export function optimismText(measure: Measure, { optimism, optimism_interval }: FinalistRow): string {
  if (optimism === null) return NONE;
  const ends = optimism_interval?.map((end) => distanceText(measure, end)).join(" to ");
  const unit = measure.unit === SHARE ? " pt" : "";
  return `${distanceText(measure, optimism)}${unit}${ends ? ` (${ends})` : ""}`;
}

export function meanIntervalText(measure: Measure, interval: [number, number] | null): string {
  if (interval === null || measure.unit === SHARE) return intervalText(interval);
  return interval.map((end) => measureText(measure, end)).join("–");
}

export function runsText({ ended_runs, planned_runs }: FinalistRow): string {
  return `${integer(ended_runs)} of ${integer(planned_runs)}`;
}

export function qualifyingText({ qualifying_runs, qualifying_interval }: FinalistRow): string {
  if (qualifying_interval === null) return NONE;
  const [low, high] = qualifying_interval.map((end) => (100 * end).toFixed(0));
  return `${integer(qualifying_runs)} (${low}–${high} %)`;
}

// "1, 2 and 3"
export function enumerated(words: string[]): string {
  const last = words[words.length - 1] ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}

// The ranks of finalists that cannot be told apart, a list for each group of several.
export function alikeRanks(finalists: FinalistRow[]): number[][] {
  const groups = new Map<number, number[]>();
  for (const { group, rank } of finalists) {
    if (group !== null) groups.set(group, [...(groups.get(group) ?? []), rank]);
  }
  return [...groups.values()].filter((ranks) => ranks.length > 1);
}

// What the fresh runs say of who is better.
export function alikeText(finalists: FinalistRow[]): string {
  const known = finalists.filter(({ group }) => group !== null);
  if (known.length < 2) return "";
  const alike = alikeRanks(finalists);
  if (alike.length === 0) return "The fresh runs tell all of them apart.";
  return alike
    .map((ranks) => `By their fresh runs ${enumerated(ranks.map((rank) => `#${rank}`))} cannot be told apart.`)
    .join(" ");
}

// How many configurations the test images have judged; "" where nobody knows.
export function looksText({ test_looks, selection_looks, confirmations }: ConfirmationView): string {
  if (test_looks === null || selection_looks === null) return "";
  const where = confirmations > 1 ? "its confirmations" : "this confirmation";
  const hold = selection_looks === 0 ? ", by its hold-out" : "";
  return `The test images have judged ${plural(test_looks, "configuration")}: ${integer(selection_looks)} in the selection${hold}, the others in ${where}.`;
}
