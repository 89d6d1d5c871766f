import { describe, expect, it } from "vitest";
import { answer } from "../../fixtures/answers";
import type { SweepView, TrialView } from "../api";
import { sweepActions, trialActions } from "./actions";

const sweep = answer("/api/sweeps/running") as SweepView;
const trial = (n: number, changes: Partial<TrialView> = {}): TrialView => ({
  ...(answer(`/api/sweeps/mnist-994/trials/${n}`) as TrialView),
  ...changes,
});

describe("the dialogs", () => {
  it("name the deed: no button that does something is called Cancel", () => {
    const asked = [
      ...sweepActions({ ...sweep, trials: { ...sweep.trials, failed: 1, cancelled: 2 } }),
      ...sweepActions({ ...sweep, state: "paused" }),
      ...trialActions(trial(1, { state: "running" })),
      ...trialActions(trial(1, { state: "cancelled" })),
    ];
    expect(asked.length).toBeGreaterThan(7);
    for (const action of asked) expect(action.deed ?? action.label).not.toMatch(/^(Cancel|OK|Yes)$/);
    const ends = asked.filter((action) => action.danger);
    expect(ends.map((action) => action.deed)).toContain("End the sweep");
    for (const action of ends) {
      expect(action.keep).toBe("Keep it");
      expect(action.question).toMatch(/undone: sweep retry/);
    }
  });

  it("count as a person does", () => {
    const retry = (failed: number): string | undefined =>
      sweepActions({ ...sweep, trials: { ...sweep.trials, failed } }).find(
        (action) => action.label === "Retry failed",
      )?.question;
    expect(retry(1)).toBe("Queue 1 failed trial again?");
    expect(retry(2)).toBe("Queue 2 failed trials again?");
  });

  it("offer no retry of a trial that would diverge again", () => {
    expect(trialActions(trial(7, { state: "diverged" }))).toEqual([]);
    expect(trialActions(trial(7, { reason: "exit code 3" })).map(({ label }) => label)).toEqual([
      "Retry",
    ]);
  });
});
