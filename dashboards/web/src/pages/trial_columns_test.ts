import { expect, it } from "vitest";
import type { SweepView } from "../api";
import { goalColumns } from "./trial_columns";

it("has no column for a goal that there is not, nor for the size of no network", () => {
  const keys = (accuracy: number | null, program: string[]): string[] =>
    goalColumns({ target: { accuracy }, program } as SweepView).map(({ key }) => key);
  expect(keys(0.97, [])).toEqual([".target", ".size"]);
  expect(keys(null, [])).toEqual([".size"]);
  expect(keys(null, ["python3", "train.py"])).toEqual([]);
});
