import { expect, it } from "vitest";
import { answer } from "../../fixtures/answers";
import type { CurvesView, Dimension, EpochRow, PointsView, TimelineView } from "../api";
import { estimate } from "./contour";
import { fromWorst, styleOf } from "./curve_colours";
import { countedRows } from "./epochs";
import { metricRange, metricScale, metricTicks, tickText } from "./metric_scale";
import { brushed } from "./parallel";
import { nearestCurve } from "./nearest_curve";
import type { Palette } from "./palette";
import { logTicks, readPoints, roundTicks, wordsTilt } from "./points";
import { lanesOf } from "./timeline";

const CHOICE = { scale: "log", floor: 0, isNarrow: false } as const;
const points = readPoints(answer("/api/sweeps/mnist-994/points") as PointsView);

it("draws 90, 99 and 99.9 % equally far apart, and comes back from there", () => {
  const scale = metricScale("accuracy", "log");
  expect(scale.toAxis(0.9)).toBeCloseTo(1);
  expect(scale.toAxis(0.999)).toBeCloseTo(3);
  expect(scale.fromAxis(scale.toAxis(0.9943))).toBeCloseTo(0.9943);
  expect(Number.isFinite(scale.toAxis(1))).toBe(true);
  expect(tickText("accuracy", 0.994)).toBe("99.4 %");
  expect(tickText("accuracy", 0.999005)).toBe("99.9005 %");
});

it("has a range for no values, one value, and values that are not numbers", () => {
  for (const kind of ["log", "linear"] as const) {
    for (const values of [[], [null], [NaN], [0.99], [1], [0]]) {
      const { low, high } = metricRange(metricScale("accuracy", kind), values);
      expect(low).toBeLessThan(high);
    }
  }
  expect(metricRange(metricScale("accuracy", "log"), [0.5, 0.995], 0.98).low).toBeCloseTo(0.98);
  expect(metricRange(metricScale("accuracy", "log"), [0.5], 0.98).high).toBeGreaterThan(0.98);
});

it("puts ticks at round numbers inside the axis", () => {
  expect(roundTicks(0.8, 0.95)).toEqual([0.8, 0.85, 0.9, 0.95]);
  expect(logTicks(0.003, 0.3)).toEqual([0.003, 0.01, 0.03, 0.1, 0.3]);
  expect(logTicks(0.04, 0.06)).toEqual([0.04, 0.06]);
});

it("has ticks wherever an axis is zoomed to, all of them inside", () => {
  for (const metric of ["accuracy", "loss"] as const) {
    const scale = metricScale(metric, "log");
    for (let low = -2; low < 3; low += 0.37) {
      for (const span of [3, 0.5, 0.05, 0.002]) {
        const ticks = metricTicks(scale, low, low + span);
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks.length).toBeLessThan(16);
        for (const tick of ticks) {
          expect(tick).toBeGreaterThan(low - 1e-6);
          expect(tick).toBeLessThan(low + span + 1e-6);
        }
      }
    }
  }
});

it("keeps the trials within every brushed interval, best first", () => {
  const accuracy = points.view.dimensions.length;
  const all = brushed(points, CHOICE, {});
  expect(all).toHaveLength(points.count);
  const some = brushed(points, CHOICE, { 0: [[0.01, 0.1]], [accuracy]: [[-Math.log10(0.006), 9]] });
  expect(some.length).toBeGreaterThan(0);
  expect(some.length).toBeLessThan(all.length);
  expect(some).toEqual(all.filter((trial) => some.includes(trial)));
  expect(brushed(points, CHOICE, { 0: [] })).toHaveLength(all.length);
});

it("keeps a perfect trial from pressing the others together, and calls it 100 %", () => {
  const values = [0.98, 0.99, 0.998, 1, null];
  const scale = metricScale("accuracy", "log", values);
  const perfect = scale.toAxis(1);
  expect(perfect - scale.toAxis(0.998)).toBeCloseTo(Math.log10(2));
  expect(scale.fromAxis(perfect)).toBe(1);
  const { low, high } = metricRange(scale, values);
  const ticks = metricTicks(scale, scale.toAxis(low), scale.toAxis(high));
  const names = ticks.map((tick) => tickText("accuracy", scale.fromAxis(tick)));
  expect(names.at(-1)).toBe("100 %");
  expect(names).not.toContain("99.999 %");
  expect(new Set(names).size).toBe(names.length);
});

it("finds the curve that passes nearest, also between its points", () => {
  const curves = [
    { trial: 1, points: [[0, 0], [10, 0]] as [number, number][] },
    { trial: 2, points: [[0, 10], [10, 20]] as [number, number][] },
    { trial: 3, points: [[50, 50]] as [number, number][] },
    { trial: 4, points: [] },
  ];
  expect(nearestCurve(curves, 5, 1)).toEqual({ trial: 1, distance: 1 });
  expect(nearestCurve(curves, 5, 15)).toEqual({ trial: 2, distance: 0 });
  expect(nearestCurve(curves, 53, 54)).toEqual({ trial: 3, distance: 5 });
  expect(nearestCurve([], 0, 0)).toBeNull();
});

const PALETTE = {
  accent: "#111111",
  muted: "#222222",
  series: ["#000001", "#000002"],
  sequence: ["#ffffff", "#000000", "#404040", "#808080", "#c0c0c0"],
} as Palette;

it("colours curves by rank, by a number and by a word", () => {
  const curve = (trial: number, ...values: (number | null)[]): CurvesView["curves"][number] => ({
    trial,
    state: "completed",
    qualifies: false,
    reason: "best",
    values,
  });
  const curves = {
    metric: "accuracy",
    curves: [curve(1, 0.9, 0.99), curve(2, null), curve(3, 0.95, 0.94)],
  } as CurvesView;
  expect(fromWorst(curves).map(({ trial }) => trial)).toEqual([2, 3, 1]);
  expect(fromWorst({ ...curves, metric: "loss" }).map(({ trial }) => trial)).toEqual([2, 3, 1]);
  const byRank = { dimension: null, values: new Map() };
  expect(styleOf(1, 0, 3, byRank, PALETTE).colour).toBe("#000000");
  expect(styleOf(1, 2, 3, byRank, PALETTE).colour).toBe("#c0c0c0");
  expect(styleOf(1, 0, 1, byRank, PALETTE).colour).toBe("#c0c0c0");
  const lr: Dimension = { name: "lr", kind: "log", integer: false, min: 0.01, max: 1, categories: [] };
  const byNumber = { dimension: lr, values: new Map([[1, 0.1], [2, 0.01]]) };
  expect(styleOf(1, 0, 3, byNumber, PALETTE).colour).toBe("#606060");
  expect(styleOf(2, 0, 3, byNumber, PALETTE).colour).toBe("#000000");
  expect(styleOf(9, 0, 3, byNumber, PALETTE)).toEqual({ colour: PALETTE.muted, dash: "dotted" });
  const words: Dimension = { ...lr, kind: "category", categories: ["a", "b", "c"] };
  const byWord = { dimension: words, values: new Map([[1, "b"], [2, "c"]]) };
  expect(styleOf(1, 0, 3, byWord, PALETTE)).toEqual({ colour: "#000002", dash: "solid" });
  expect(styleOf(2, 0, 3, byWord, PALETTE)).toEqual({ colour: "#000001", dash: "dashed" });
});

it("turns words that would not fit beside each other", () => {
  const words = (categories: string[]): Dimension => ({
    name: "augmentation", kind: "category", integer: false, min: null, max: null, categories,
  });
  expect(wordsTilt(words(["none", "shift"]))).toBe(0);
  expect(wordsTilt(words(["none", "shift", "rotation", "shift_rotation"]))).toBeGreaterThan(0);
});

it("estimates near a trial what that trial had", () => {
  const values = estimate(
    [
      { u: 0, v: 0, error: 1 },
      { u: 1, v: 1, error: 3 },
    ],
    11,
  );
  expect(values[0]).toBeCloseTo(1, 3);
  expect(values[120]).toBeCloseTo(3, 3);
});

it("counts the first attempt that trained an epoch", () => {
  const row = (attempt: number, epoch: number): EpochRow => ({ attempt, epoch }) as EpochRow;
  const counted = countedRows([row(2, 2), row(1, 1), row(1, 2), row(2, 3)]);
  expect(counted.map(({ attempt, epoch }) => [attempt, epoch])).toEqual([
    [1, 1],
    [1, 2],
    [2, 3],
  ]);
});

it("gives attempts that overlap on a worker lanes of their own", () => {
  const span = (
    worker: string,
    start: string,
    end: string | null,
  ): TimelineView["spans"][number] => ({
    worker,
    trial: "s/1",
    attempt: 1,
    start: `2026-01-01T${start}Z`,
    end: end && `2026-01-01T${end}Z`,
    outcome: "",
  });
  const lanes = lanesOf({
    from: "",
    to: "",
    left_out: 0,
    spans: [
      span("w10", "10:00:00", null),
      span("w2", "10:00:00", "10:05:00"),
      span("w2", "10:01:00", "10:02:00"),
      span("w2", "10:05:00", null),
    ],
  });
  expect(lanes.map((lane) => [lane.worker, lane.first, lane.spans.length])).toEqual([
    ["w2", true, 2],
    ["w2", false, 1],
    ["w10", true, 1],
  ]);
});
