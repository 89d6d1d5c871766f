import { describe, expect, it } from "vitest";
import { answer } from "../../fixtures/answers";
import type { ConfirmationView, FinalistRow, Measure } from "../api";
import { alikeText, looksText, optimismText, qualifyingText } from "./confirmed";

const view = answer("/api/sweeps/mnist-994/confirmation") as ConfirmationView;
const first = view.finalists[0] as FinalistRow;
const ACCURACY: Measure = { name: "accuracy", title: "accuracy", unit: "share", direction: 1 };
const LOSS: Measure = { name: "loss", title: "loss", unit: "", direction: -1 };
const grouped = (...groups: (number | null)[]): FinalistRow[] =>
  groups.map((group, i) => ({ ...first, rank: i + 1, group }));

describe("optimism", () => {
  it("has the interval that the fresh runs leave, in points of a share", () => {
    const row: FinalistRow = { ...first, optimism: 0.00066, optimism_interval: [0.00032, 0.001] };
    expect(optimismText(ACCURACY, row)).toBe("0.07 pt (0.03 to 0.10)");
    expect(optimismText(LOSS, row)).toBe("0.00066 (0.00032 to 0.001)");
  });
  it("is not known, or has no interval yet", () => {
    expect(optimismText(ACCURACY, { ...first, optimism: null, optimism_interval: null })).toBe("–");
    expect(optimismText(ACCURACY, { ...first, optimism: -0.004, optimism_interval: null })).toBe("-0.40 pt");
    expect(optimismText(ACCURACY, { ...first, optimism: -1e-9, optimism_interval: null })).toBe("0.00 pt");
  });
});

describe("finalists", () => {
  it("that cannot be told apart are named", () => {
    expect(alikeText(grouped(1, 1, 2))).toBe("By their fresh runs #1 and #2 cannot be told apart.");
    expect(alikeText(grouped(2, 1, 1, 1, 2))).toBe(
      "By their fresh runs #1 and #5 cannot be told apart. By their fresh runs #2, #3 and #4 cannot be told apart.",
    );
    expect(alikeText(grouped(1, 2))).toBe("The fresh runs tell all of them apart.");
  });
  it("say nothing of each other before two are known", () => {
    expect(alikeText(grouped(1, null))).toBe("");
  });
  it("count the runs that qualify once there are any", () => {
    const none: FinalistRow = { ...first, ended_runs: 0, qualifying_runs: 0, qualifying_interval: null };
    expect(qualifyingText(none)).toBe("–");
    expect(qualifyingText({ ...first, qualifying_runs: 4, qualifying_interval: [0.38, 0.96] })).toBe(
      "4 (38–96 %)",
    );
  });
});

describe("the test images", () => {
  it("have judged so many, or nobody knows", () => {
    expect(looksText({ ...view, selection_looks: 0, test_looks: 2, confirmations: 1 })).toBe(
      "The test images have judged 2 configurations: 0 in the selection, by its hold-out, the others in this confirmation.",
    );
    expect(looksText({ ...view, selection_looks: 40, test_looks: 46, confirmations: 2 })).toContain(
      "40 in the selection, the others in its confirmations.",
    );
    expect(looksText({ ...view, test_looks: null })).toBe("");
  });
});
