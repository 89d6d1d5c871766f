// The outcomes of a trial's attempts.

// How good an attempt's end is.
export type OutcomeKind = "live" | "good" | "bad" | "held" | "idle";
const KINDS: Record<string, OutcomeKind> = {
  running: "live",
  completed: "good",
  stopped: "idle",
  failed: "bad",
  failed_for_good: "bad",
  diverged: "held",
  lost: "bad",
  given_back: "idle",
  held: "idle",
  cancelled: "idle",
};

export function outcomeKind(outcome: string): OutcomeKind {
  return KINDS[outcome] ?? "idle";
}

// Joins a reason's lines: the last line first, since programs name their error there.
export function endFirst(reason: string): string {
  const lines = reason
    .split(/\n| \| /)
    .map((line) => line.trim())
    .filter(Boolean);
  const last = lines.pop() ?? "";
  return lines.length === 0 ? last : `${last} · ${lines.join(" · ")}`;
}

export function outcomeText(outcome: string): string {
  return outcome.replace(/_/g, " ");
}
