import { expect, it } from "vitest";
import { answer } from "../../fixtures/answers";
import type { RankingView, SweepView } from "../api";
import { goalColumns, otherMeasures } from "./trial_columns";

it("has no column for a goal that there is not, nor for the size of no network", () => {
  const keys = (measures: Record<string, number>, program: string[]): string[] =>
    goalColumns({ target: { measures }, program } as unknown as SweepView).map(({ key }) => key);
  expect(keys({ "val/f1": 0.97 }, [])).toEqual([".target", ".size"]);
  expect(keys({}, [])).toEqual([".size"]);
  expect(keys({}, ["python3", "train.py"])).toEqual([]);
});

it("has a column for what gates ask for, and others of what was reported when they are asked for", () => {
  const sweep = answer("/api/sweeps/mnist-994") as SweepView;
  const gated = { ...sweep, target: { ...sweep.target, measures: { validation_loss: 0.1 } } };
  const { rows } = answer("/api/sweeps/mnist-994/ranking?limit=3") as RankingView;
  const held = rows.map((row) => ({ ...row, values: { ...row.values, validation_loss: 0.25 } }));
  const found = otherMeasures(gated, held);
  expect(found.gated.map(({ key, title, extra }) => [key, title, extra])).toEqual([
    [":validation_loss", "Loss", undefined],
  ]);
  const [first] = held;
  expect(first && found.gated[0]?.cell(first)).toBe("0.25");
  expect(found.others.map(({ key }) => key)).not.toContain(":validation_accuracy");
  expect(found.others.find(({ key }) => key === ":train_loss")).toMatchObject({
    extra: true,
    name: "Best train loss",
    sort: "low.train_loss",
  });
});
