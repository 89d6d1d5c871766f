// The order of the list of sweeps. The server's is newest first; if all sweeps are on the page, a
// reader may choose another.

import type { SweepSummary } from "../api";
import { compareValues } from "../format";

const NEWEST = "submitted desc";

const KEYS: Record<string, (sweep: SweepSummary) => unknown> = {
  name: (sweep) => sweep.name,
  state: (sweep) => sweep.state,
  trials: (sweep) => sweep.planned_trials,
  // Values of different measures cannot be compared, so each measure is sorted separately.
  best: (sweep) => sweep.best_value,
  left: (sweep) => sweep.seconds_left,
  submitted: (sweep) => sweep.create_time,
};

export function inOrder(sweeps: SweepSummary[], sort: string): SweepSummary[] {
  const [name = "", direction] = (sort || NEWEST).split(" ");
  const key = KEYS[name];
  if (!key) return sweeps;
  const descending = direction === "desc";
  const ordered = [...sweeps].sort((a, b) => compareValues(key(a), key(b), descending));
  if (name !== "best") return ordered;
  const metrics = [...new Set(sweeps.map(({ metric }) => metric))];
  return metrics.flatMap((metric) => ordered.filter((one) => one.metric === metric));
}
