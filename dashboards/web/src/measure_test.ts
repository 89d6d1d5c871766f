import { expect, it } from "vitest";
import { answer } from "../fixtures/answers";
import type { Measure, SweepView, TrialView } from "./api";
import {
  axisName,
  bestIn,
  bestValue,
  byUnit,
  chosenMeasures,
  columnText,
  findMeasure,
  gatedMeasures,
  headingOf,
  judgedMeasures,
  measureText,
  namedText,
  defaultMeasures,
} from "./measure";

const measure = (name: string, title: string, unit: string, direction: number): Measure => ({
  name, title, unit, direction,
});
const ACCURACY = measure("validation_accuracy", "accuracy", "share", 1);
const LOSS = measure("validation_loss", "loss", "", -1);
const F1 = measure("val/f1", "val/f1", "", 1);
const LATENCY = measure("latency", "latency", "ms", -1);
const TIME = measure("train_seconds", "train time", "s", -1);

it("writes values in their units", () => {
  expect(measureText(ACCURACY, 0.9948)).toBe("99.48 %");
  expect(measureText(LOSS, 0.25)).toBe("0.25");
  expect(measureText(LATENCY, 12.5)).toBe("12.5 ms");
  expect(measureText(TIME, 4.25)).toBe("4.3 s");
  expect(measureText({ unit: "/s" }, 5312.4)).toBe("5,312");
  for (const one of [ACCURACY, LOSS, LATENCY, TIME]) {
    for (const value of [null, undefined, NaN]) expect(measureText(one, value)).toBe("–");
  }
  expect([0.5, 0.0625].map((value) => columnText(LOSS, [0.5, 0.0625])(value))).toEqual([
    "0.5000", "0.0625",
  ]);
  expect(namedText(LOSS, 0.25)).toBe("loss 0.25");
  expect(namedText(ACCURACY, 0.9948)).toBe("accuracy 99.48 %");
  expect(namedText(LOSS, null)).toBe("–");
});

it("calls a program's measures as the program does, and those of the trainer by their words", () => {
  expect([ACCURACY, F1].map(headingOf)).toEqual(["Accuracy", "val/f1"]);
  expect(axisName(ACCURACY, "best")).toBe("best accuracy");
  expect(axisName(LATENCY)).toBe("latency, ms");
  expect(headingOf(measure("x".repeat(64), "x".repeat(64), "", 0)).length).toBeLessThan(50);
});

it("finds a measure by either name, and knows nothing of others", () => {
  expect(findMeasure([ACCURACY, LOSS], "loss")).toBe(LOSS);
  expect(findMeasure([ACCURACY, LOSS], "validation_loss")).toBe(LOSS);
  expect(findMeasure([ACCURACY], "val/f1")).toEqual({ ...F1, direction: 0 });
});

it("takes the best by the direction, and the last where there is none", () => {
  const summary = { last: 2, low: 1, high: 3 };
  const three = [F1, LOSS, findMeasure([], "x")];
  expect(three.map((one) => bestValue(summary, one))).toEqual([3, 1, 2]);
  expect(bestValue(undefined, LOSS)).toBeNull();
  expect(three.map((one) => bestIn([3, 1, null, 2, null], one))).toEqual([3, 1, 2]);
  expect(bestIn([null], F1)).toBeNull();
});

it("shows what a sweep judges and what can be good or bad, and no times, until told otherwise", () => {
  const names = (measures: Measure[]): string[] => measures.map(({ name }) => name);
  const trial = answer("/api/sweeps/mnist-994/trials/1") as TrialView;
  const told = defaultMeasures(trial);
  expect(byUnit(told).map(names)).toEqual([
    ["validation_accuracy", "train_accuracy"],
    ["train_loss", "validation_loss"],
  ]);
  expect(names(chosenMeasures(trial.reported, "lr,nothing,train_loss", told))).toEqual([
    "lr", "train_loss",
  ]);
  for (const named of [undefined, "", "nothing"])
    expect(chosenMeasures(trial.reported, named, told)).toBe(told);
  const sweep = answer("/api/sweeps/mnist-994") as SweepView;
  expect(gatedMeasures(sweep)).toEqual([]);
  const target = { ...sweep.target, measures: { validation_loss: 0.1, validation_accuracy: 0.9 } };
  expect(names(gatedMeasures({ ...sweep, target }))).toEqual(["validation_loss"]);
  const own = answer("/api/sweeps/program/trials/1") as TrialView;
  expect(names(defaultMeasures(own))).toEqual(["val/f1", "latency"]);
  const gated = { ...own, judged: ["val/f1", "epsilon"] };
  expect(names(judgedMeasures(gated))).toEqual(gated.judged);
  expect(names(defaultMeasures(gated))).toEqual(["val/f1", "latency", "epsilon"]);
});
