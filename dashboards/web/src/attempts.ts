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
  cancelled: "idle",
};

export function outcomeKind(outcome: string): OutcomeKind {
  return KINDS[outcome] ?? "idle";
}

export function outcomeText(outcome: string): string {
  return outcome === "" ? "running" : outcome.replace(/_/g, " ");
}
