import { describe, expect, it } from "vitest";
import { answer } from "../../fixtures/answers";
import type { TrialView, Value } from "../api";
import { comparedRows } from "./compared_rows";

const F1 = { name: "val/f1", title: "val/f1", unit: "", direction: 1 };

function trial(parameters: Record<string, Value>, defaults: Record<string, Value>): TrialView {
  const made = answer("/api/sweeps/mnist-994/trials/1") as TrialView;
  const measures = { "val/f1": { last: 0.75, low: 0.25, high: 0.95 } };
  return Object.assign({}, made, { parameters, defaults, measures });
}

describe("a comparison", () => {
  const trials = [
    trial({ lr: 0.1, model: "mine" }, { momentum: 0.9, dropout: 0, batch_size: 64 }),
    trial({ lr: 0.05, momentum: 0.9, dropout: 0.2 }, { batch_size: 64 }),
  ];
  const rows = comparedRows(trials, [F1]);
  const cells = (name: string): string[] | undefined =>
    rows.parameters.find((row) => row.name === name)?.cells;

  it("has the best and the last of the measures, and no others", () => {
    const names = rows.results.map(({ name }) => name);
    expect(names.slice(0, 3)).toEqual(["state", "best val/f1", "last val/f1"]);
    expect(names.join()).not.toMatch(/accuracy|loss/);
    expect(rows.results[1]?.cells).toEqual(["0.95", "0.95"]);
    expect(rows.results[2]?.cells).toEqual(["0.75", "0.75"]);
  });

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
