// The text when a sweep has nothing to draw.

import type { SweepView } from "../api";

export function noEpoch(sweep: SweepView): string {
  return sweep.end_time === null
    ? "No trial has finished an epoch yet."
    : "No trial has finished an epoch.";
}
