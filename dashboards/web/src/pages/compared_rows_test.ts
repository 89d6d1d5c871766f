import { describe, expect, it } from "vitest";
import { answer } from "../../fixtures/answers";
import type { TrialView, Value } from "../api";
import { comparedRows } from "./compared_rows";

function trial(parameters: Record<string, Value>, defaults: Record<string, Value>): TrialView {
  const made = answer("/api/sweeps/mnist-994/trials/1") as TrialView;
  return Object.assign({}, made, { parameters, defaults });
}

describe("a comparison", () => {
  const rows = comparedRows([
    trial({ lr: 0.1, model: "mine" }, { momentum: 0.9, dropout: 0, batch_size: 64 }),
    trial({ lr: 0.05, momentum: 0.9, dropout: 0.2 }, { batch_size: 64 }),
  ]);
  const cells = (name: string): string[] | undefined =>
    rows.parameters.find((row) => row.name === name)?.cells;

  it("shows defaults as what was in force, and finds differences by that", () => {
    expect(cells("momentum")).toEqual(["0.9", "0.9"]);
    expect(cells("dropout")).toEqual(["0", "0.2"]);
    expect(cells("lr")).toEqual(["0.1", "0.05"]);
  });

  it("says once what no one chose", () => {
    expect(cells("batch_size")).toBeUndefined();
    expect(rows.same).toEqual({ batch_size: 64 });
  });

  it("names the model once", () => {
    expect(rows.parameters.filter((row) => row.name === "model")).toHaveLength(1);
  });
});
