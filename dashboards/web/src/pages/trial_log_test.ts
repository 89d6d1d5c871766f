import { expect, it } from "vitest";
import { answer } from "../../fixtures/answers";
import type { TrialView } from "../api";
import { trialLog } from "./trial_log";

it("a log tells of attempts and epochs where the trainer prints nothing, in the order of time", () => {
  const trial: TrialView = {
    ...(answer("/api/sweeps/mnist-994/trials/2") as TrialView),
    attempts: [
      {
        attempt: 1,
        worker: "beta",
        start_time: "2026-11-25T14:00:00.000Z",
        end_time: "2026-11-25T14:05:00.000Z",
        outcome: "given_back",
        reason: "paused",
      },
    ],
  };
  const row = trial.epoch_rows[0];
  if (!row) throw new Error("no epoch");
  const epoch = { ...row, report_time: "2026-11-25T14:03:00.000Z", values: { ...row.values, train_loss: null } };
  const line = { attempt: 1, line: 1, time: "2026-11-25T14:01:00.000Z", text: "hello" };
  const log = trialLog({ ...trial, epoch_rows: [epoch] }, [line]);
  expect(log.map((entry) => entry.text)).toEqual([
    "attempt 1 on beta",
    "hello",
    expect.stringMatching(/^epoch 1\/19 {2}accuracy .* %.* {2}train loss – {2}loss 0\.\d+$/),
    "attempt 1 ended: given back, paused",
  ]);
  expect(log.filter((entry) => entry.printed)).toHaveLength(1);
  expect(trialLog({ ...trial, epoch_rows: [], attempts: [] }, [])).toEqual([]);
});
