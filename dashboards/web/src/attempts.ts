// How attempts at a trial ended.

// Whether an attempt's end is good news, bad, or no news. "" runs still.
export type OutcomeKind = "live" | "good" | "bad" | "held" | "idle";
const KINDS: Record<string, OutcomeKind> = {
  "": "live",
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

// A reason of many lines in one: the last, where a program names its error, before the others.
export function endFirst(reason: string): string {
  const lines = reason
    .split(/\n| \| /)
    .map((line) => line.trim())
    .filter(Boolean);
  const last = lines.pop() ?? "";
  return lines.length === 0 ? last : `${last} · ${lines.join(" · ")}`;
}

export function outcomeText(outcome: string): string {
  return outcome === "" ? "running" : outcome.replace(/_/g, " ");
}
