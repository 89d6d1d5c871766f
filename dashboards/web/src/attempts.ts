// Attempts at a trial: how long they took, and how they ended.

export interface Span {
  start_time: string;
  end_time: string | null;
}

// A pause between two attempts is no training.
export function trainedSeconds(attempts: Span[], now: number): number {
  return attempts.reduce((sum, { start_time, end_time }) => {
    const end = end_time === null ? now : Date.parse(end_time);
    return sum + Math.max(0, end - Date.parse(start_time)) / 1000;
  }, 0);
}

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
