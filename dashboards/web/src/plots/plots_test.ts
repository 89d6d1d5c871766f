import { expect, it, vi } from "vitest";
import { answer } from "../../fixtures/answers";
import type {
  CurvesView,
  Dimension,
  EpochRow,
  Measure,
  ModelView,
  PointsView,
  PopulationView,
  RankingView,
  RegionView,
  SweepView,
  TimelineView,
  TrialView,
} from "../api";
import { contourPlot, contourRange, estimate } from "./contour";
import { fromWorst, styleOf } from "./curve_colours";
import { countedRows, epochsPlot, epochsTable } from "./epochs";
import { curvesScale, curvesTable, learningCurves } from "./learning_curves";
import { metricRange, metricScale, metricTicks, tickText } from "./metric_scale";
import { historyPlot } from "./history";
import { modelPlot, modelSummary, modelTable, runsOf } from "./model";
import { brushed, parallelPlot } from "./parallel";
import { byObjective, bySize, paretoPlot } from "./pareto";
import { populationPlot, populationSummary, populationTable, survivors } from "./population";
import { slicePlot } from "./scatter";
import { nearestCurve } from "./nearest_curve";
import type { Palette } from "./palette";
import { logTicks, readPoints, roundTicks, wordsTilt } from "./points";
import { bandSeries, bandsOf, rangeOf, rangeText, regionPlot, regionSummary, regionTable, triedText } from "./region";
import { lanesOf } from "./timeline";

vi.stubGlobal("matchMedia", () => ({ matches: false })); // no touch screen

const measure = (name: string, unit: string, direction: number): Measure => ({
  name, title: name, unit, direction,
});
const ACCURACY = measure("accuracy", "share", 1);
const LOSS = measure("loss", "", -1);
const F1 = measure("val/f1", "", 1);

const CHOICE = { scale: "log", floor: 0, isNarrow: false } as const;
const points = readPoints(answer("/api/sweeps/mnist-994/points") as PointsView);

it("draws 90, 99 and 99.9 % equally far apart, and comes back from there", () => {
  const scale = metricScale([ACCURACY], "log");
  expect(scale.toAxis(0.9)).toBeCloseTo(1);
  expect(scale.toAxis(0.999)).toBeCloseTo(3);
  expect(scale.fromAxis(scale.toAxis(0.9943))).toBeCloseTo(0.9943);
  expect(Number.isFinite(scale.toAxis(1))).toBe(true);
  expect(tickText("share", 0.994)).toBe("99.4 %");
  expect(tickText("share", 0.999005)).toBe("99.9005 %");
});

it("has a range for no values, one value, and values that are not numbers", () => {
  for (const kind of ["log", "linear"] as const) {
    for (const values of [[], [null], [NaN], [0.99], [1], [0]]) {
      const { low, high } = metricRange(metricScale([ACCURACY], kind), values);
      expect(low).toBeLessThan(high);
    }
  }
  expect(metricRange(metricScale([ACCURACY], "log"), [0.5, 0.995], 0.98).low).toBeCloseTo(0.98);
  expect(metricRange(metricScale([ACCURACY], "log"), [0.5], 0.98).high).toBeGreaterThan(0.98);
});

it("puts ticks at round numbers inside the axis", () => {
  expect(roundTicks(0.8, 0.95)).toEqual([0.8, 0.85, 0.9, 0.95]);
  expect(logTicks(0.003, 0.3)).toEqual([0.003, 0.01, 0.03, 0.1, 0.3]);
  expect(logTicks(0.04, 0.06)).toEqual([0.04, 0.06]);
});

it("has ticks wherever an axis is zoomed to, all of them inside", () => {
  for (const one of [ACCURACY, LOSS]) {
    const scale = metricScale([one], "log", [1e-4, 0.5, 0.99998]);
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
  const scale = metricScale([ACCURACY], "log", values);
  const perfect = scale.toAxis(1);
  expect(perfect - scale.toAxis(0.998)).toBeCloseTo(Math.log10(2));
  expect(scale.fromAxis(perfect)).toBe(1);
  const { low, high } = metricRange(scale, values);
  const ticks = metricTicks(scale, scale.toAxis(low), scale.toAxis(high));
  const names = ticks.map((tick) => tickText("share", scale.fromAxis(tick)));
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
    curves: [curve(1, 0.9, 0.99), curve(2, null), curve(3, 0.95, 0.94)],
  } as CurvesView;
  expect(fromWorst(curves, ACCURACY).map(({ trial }) => trial)).toEqual([2, 3, 1]);
  expect(fromWorst(curves, LOSS).map(({ trial }) => trial)).toEqual([2, 3, 1]);
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
  expect(wordsTilt(words(["adamw", "sgd", "a very long optimizer"]))).toBeGreaterThan(0);
  expect(wordsTilt(words(["none", "shift", "rotation", "shift_rotation"]))).toBeGreaterThan(0);
});

it("estimates near a trial what that trial had", () => {
  const values = estimate(
    [
      { u: 0, v: 0, merit: 1 },
      { u: 1, v: 1, merit: 3 },
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
    outcome: "running",
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

const LR: Dimension = {
  name: "lr", kind: "log", integer: false, min: 0.01, max: 100, categories: [],
};
const WIDTH: Dimension = {
  name: "width", kind: "linear", integer: true, min: 1, max: 9, categories: [],
};
// Rows of trial, best, state, lr and width.
function pointsOf(
  of: Measure,
  ...rows: (number | string | null)[][]
): ReturnType<typeof readPoints> {
  return readPoints({
    metric: of.name,
    measures: [ACCURACY, LOSS],
    dimensions: [LR, WIDTH],
    columns: ["trial", "best", "state", "value", "chosen_source", "lr", "width"],
    rows: rows.map(([trial, best, state, lr, width]) => [
      trial,
      best,
      state,
      best,
      trial === 1 ? "start_up" : null,
      lr,
      width,
    ]),
    records: [1],
    front: [],
    total: rows.length,
    sampled: false,
  } as unknown as PointsView);
}
const LOSSES = pointsOf(
  LOSS,
  [1, 0.05, "completed", 0.1, 2],
  [2, 0.8, "completed", 1, 4],
  [3, null, "diverged", 90, 8],
);
const FULL = { ...PALETTE, bad: "#bb0000", ink: "#333333", surface: "#ffffff", line: "#dddddd", target: "#444444" };

interface Drawn {
  yAxis: { min: number; max: number; name: string };
  parallelAxis: { name: string; min: number; max: number }[];
  visualMap: { inRange: { color: string[] } };
  series: { id: string; data: { value: number[]; lineStyle?: { color: string } }[] }[];
}
function drawn(option: unknown): Drawn {
  return option as Drawn;
}
function dataOf(plot: Drawn, id: string): Drawn["series"][number]["data"] {
  return plot.series.find((series) => series.id === id)?.data ?? [];
}

it("draws a sweep that ranks by its loss over its loss, the least as the best", () => {
  const slice = drawn(slicePlot(LOSSES, LR, CHOICE, FULL));
  expect(slice.yAxis.name).toBe("loss");
  expect(dataOf(slice, "points").map(({ value }) => value[1])).toEqual([
    Math.log10(0.05),
    Math.log10(0.8),
  ]);
  expect(brushed(LOSSES, CHOICE, { 0: [[0.01, 100]] })).toEqual([1, 2, 3]);
  const parallel = drawn(parallelPlot(LOSSES, CHOICE, FULL));
  expect(parallel.parallelAxis[2]?.name).toBe("loss");
  expect(parallel.visualMap.inRange.color[0]).toBe("#c0c0c0");
  const range = contourRange(LOSSES, LR, WIDTH);
  expect(range?.[0]).toBeGreaterThan(range?.[1] ?? NaN);
});

it("says of each trial how it was chosen, where that is known", () => {
  const sweep = {
    objective_measures: [LOSS],
    gates: [] as string[],
    target: { measures: {}, epoch: null, parameters: null },
  } as unknown as SweepView;
  const option = historyPlot(LOSSES, sweep, "linear", 0, FULL);
  const { formatter } = option.tooltip as { formatter: (params: unknown) => string };
  const told = dataOf(drawn(option), "trials").map((data) => formatter({ data }));
  expect(told[0]).toMatch(/start-up point$/);
  expect(told[1]).not.toContain("point");
});

it("marks what diverged at the worst edge, and in every plot", () => {
  const sweep = {
    objective_measures: [LOSS],
    gates: [] as string[],
    target: { measures: {}, epoch: null, parameters: null },
  } as unknown as SweepView;
  const history = drawn(historyPlot(LOSSES, sweep, "log", 0, FULL));
  expect(dataOf(history, "diverged")[0]?.value[1]).toBeCloseTo(history.yAxis.max);
  const slice = drawn(slicePlot(LOSSES, LR, CHOICE, FULL));
  expect(dataOf(slice, "diverged")[0]?.value[1]).toBeCloseTo(slice.yAxis.max);
  const accuracies = pointsOf(ACCURACY, [1, 0.5, "completed", 1, 2], [2, null, "diverged", 90, 8]);
  const low = drawn(slicePlot(accuracies, LR, CHOICE, FULL));
  expect(dataOf(low, "diverged")[0]?.value[1]).toBeCloseTo(low.yAxis.min);
  const contour = drawn(contourPlot(LOSSES, LR, WIDTH, FULL));
  expect(dataOf(contour, "diverged").map(({ value }) => value)).toEqual([[90, 8]]);
  const parallel = drawn(parallelPlot(LOSSES, CHOICE, FULL));
  const lines = dataOf(parallel, "trials");
  expect(lines.map(({ lineStyle }) => lineStyle?.color)).toEqual([undefined, undefined, "#bb0000"]);
  expect(lines[2]?.value[2]).toBe(parallel.parallelAxis[2]?.max);
  const best = history.series.find(({ id }) => id === "best")?.data as unknown as number[][];
  expect(best[best.length - 1]?.[0], "the line goes on to the last trial").toBe(3);
});

it("has no accuracy below 0 or above 1 on an axis, also where all trials diverged", () => {
  const none = pointsOf(ACCURACY, [1, null, "diverged", 50, 2]);
  const nothing = pointsOf(ACCURACY, [1, 0, "completed", 50, 2]);
  for (const scale of ["log", "linear"] as const) {
    for (const points of [none, nothing]) {
      const axis = drawn(parallelPlot(points, { ...CHOICE, scale }, FULL)).parallelAxis[2];
      expect(axis?.min).toBeGreaterThanOrEqual(0);
      expect(axis?.max).toBeGreaterThan(axis?.min ?? NaN);
    }
    const { low, high } = metricRange(metricScale([ACCURACY], scale), [0]);
    const between = metricScale([ACCURACY], scale);
    for (const tick of metricTicks(between, between.toAxis(low), between.toAxis(high))) {
      expect(between.fromAxis(tick)).toBeGreaterThanOrEqual(0);
    }
  }
});

it("keeps a goal apart from perfect accuracy, and from what is far below it", () => {
  const sweep = {
    objective_measures: [ACCURACY],
    gates: ["accuracy >= 0.995"],
    target: { measures: { accuracy: 0.995 }, epoch: null, parameters: null },
  } as unknown as SweepView;
  const goalOf = (accuracy: number): [number, number] => {
    const points = pointsOf(ACCURACY, [1, accuracy, "completed", 0.1, 2]);
    const plot = drawn(historyPlot(points, sweep, "log", 0, FULL));
    const best = plot.series[0] as unknown as { markLine: { data: { yAxis: number }[] } };
    return [best.markLine.data[0]?.yAxis ?? NaN, dataOf(plot, "trials")[0]?.value[1] ?? NaN];
  };
  const [goal, perfect] = goalOf(1);
  expect(perfect).toBeGreaterThan(goal + 0.1);
  expect(goal).toBeCloseTo(-Math.log10(0.005));
  expect(goalOf(0.78)[0]).toBeCloseTo(-Math.log10(0.005));
});

it("keeps the goal of learning curves in its place, and what only the bands have", () => {
  const curves = (best: number): CurvesView =>
    ({
      metric: "accuracy",
      measures: [ACCURACY],
      curves: [{ trial: 1, values: [0.7] }],
      bands: [{ epoch: 1, count: 2, p5: 0.7, p25: 0.7, p50: 0.7, p75: 0.7, p95: 0.7, best }],
    }) as unknown as CurvesView;
  expect(curvesScale(curves(0.7), "log", 0.97).toAxis(0.97)).toBeCloseTo(-Math.log10(0.03));
  expect(curvesScale(curves(0.98), "log", null).toAxis(0.98)).toBeCloseTo(-Math.log10(0.02));
});

it("uses the logarithm only where it tells the best apart", () => {
  const shape = (measures: Measure[], values: number[]): string =>
    metricScale(measures, "log", values).shape;
  expect(shape([LOSS], [0.02, 2])).toBe("log");
  expect(shape([LOSS], [0.4, 0.8])).toBe("linear");
  expect(shape([LOSS], [-0.02, 2])).toBe("linear");
  expect(shape([F1], [0.01, 0.9])).toBe("linear");
  expect(shape([ACCURACY], [0.4, 0.8])).toBe("error");
  expect(shape([ACCURACY], [0.4, 1.8])).toBe("linear");
  expect(shape([measure("error", "share", -1)], [0.001, 0.1])).toBe("log");
  expect(shape([LOSS, F1], [0.01, 0.9])).toBe("linear");
  const scale = metricScale([LOSS], "log", [0, 0.01, 1]);
  expect(scale.toAxis(0)).toBeCloseTo(Math.log10(0.005));
  expect(scale.fromAxis(scale.toAxis(0))).toBe(0);
  expect(metricRange(metricScale([LOSS], "log", [300, 301]), [300, 301]).low).toBeGreaterThan(299);
  expect(metricRange(metricScale([F1], "log", [0, 0.5]), [0, 0.5]).low).toBe(0);
  expect(tickText("", 0.25)).toBe("0.25");
});

const PROGRAM = answer("/api/sweeps/program") as SweepView;

it("draws measures of any name, over epochs that are not all evaluated", () => {
  const [f1, latency] = PROGRAM.objective_measures as [Measure, Measure];
  const curves = answer("/api/sweeps/program/curves?metric=val/f1") as CurvesView;
  const colouring = { dimension: null, values: new Map() };
  const plot = drawn(learningCurves(curves, PROGRAM, CHOICE, colouring, FULL));
  expect(plot.yAxis.name).toBe("val/f1");
  const line = dataOf(plot, "trial-1") as unknown as number[][];
  expect(line.map(([epoch]) => epoch)).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18]);
  expect(line.flat().every(Number.isFinite)).toBe(true);
  const bare = answer("/api/sweeps/program/curves?metric=epsilon") as CurvesView;
  expect(bare.bands).toEqual([]);
  expect(curvesTable(bare).rows[0]?.[2]).toMatch(/^0\.\d+$/);

  const trial = answer("/api/sweeps/program/trials/1") as TrialView;
  const epochs = drawn(epochsPlot(trial, [latency], "linear", 0, FULL));
  expect(epochs.yAxis.name).toBe("latency, ms");
  expect(dataOf(epochs, "latency")).toHaveLength(9);
  const both = drawn(epochsPlot(trial, [f1, { ...latency, unit: "" }], "linear", 0, FULL));
  expect(both.series.map(({ id }) => id)).toEqual(["val/f1", "latency"]);
  expect(both.yAxis.max).toBeGreaterThan(1);
  expect(epochsTable(trial).columns).toEqual(["attempt", "epoch", "val/f1", "latency", "epsilon"]);
  expect(JSON.stringify([plot, epochs, epochsTable(trial)])).not.toMatch(/accuracy|loss/);
});

it("has a gap where an epoch reported no number, and a line of each gate", () => {
  const trial = answer("/api/sweeps/mnist-994/trials/1") as TrialView;
  const rows = trial.epoch_rows.map((row) =>
    row.epoch === 3 ? { ...row, values: { ...row.values, validation_accuracy: null } } : row,
  );
  const [accuracy] = trial.reported as [Measure];
  const plot = drawn(epochsPlot({ ...trial, epoch_rows: rows }, [accuracy], "log", 0, FULL));
  const line = dataOf(plot, "validation_accuracy") as unknown as number[][];
  expect(line[2]).toEqual([3, NaN]);
  const { markLine } = plot.series[0] as unknown as { markLine: { data: { yAxis?: number }[] } };
  expect(markLine.data[0]?.yAxis).toBeCloseTo(-Math.log10(0.006));
});

it("has the best so far only of what the sweep ranks by", () => {
  const sweep = answer("/api/sweeps/mnist-994") as SweepView;
  const best = (metric: string): unknown[] => {
    const view = answer(`/api/sweeps/mnist-994/points?metric=${metric}`) as PointsView;
    return dataOf(drawn(historyPlot(readPoints(view), sweep, "log", 0, FULL)), "best");
  };
  expect(best("validation_accuracy").length).toBeGreaterThan(1);
  expect(best("validation_loss")).toEqual([]);
});

it("draws the front of two objectives, each on its axis, from the best across", () => {
  const { rows } = answer("/api/sweeps/program/ranking?limit=200") as RankingView;
  const [, latency] = PROGRAM.objective_measures as [Measure, Measure];
  const candidates = byObjective(rows, PROGRAM, latency);
  const front = candidates.rows.filter((row) => row.front);
  expect(front.length).toBeGreaterThan(1);
  expect(front.length).toBeLessThan(candidates.rows.length);
  const judged = candidates.rows.filter((row) => row.qualifies);
  for (const row of judged) {
    const isBeaten = judged.some((other) => other.x < row.x && other.y > row.y);
    expect(row.front).toBe(!isBeaten);
  }
  const option = paretoPlot(candidates, PROGRAM, CHOICE, FULL);
  const across = option.xAxis as { name: string };
  expect([across.name, drawn(option).yAxis.name]).toEqual(["latency, ms", "best val/f1"]);
  const steps = (dataOf(drawn(option), "front") as unknown as number[][]).map(([x = 0]) => x);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
});

it("draws the front of one objective against sizes", () => {
  const sweep = answer("/api/sweeps/mnist-994") as SweepView;
  const candidates = bySize(points);
  expect(candidates.rows.some((row) => row.front)).toBe(true);
  const option = paretoPlot(candidates, sweep, CHOICE, FULL);
  expect((option.xAxis as { name: string }).name).toBe("network parameters");
  expect(drawn(option).yAxis.name).toBe("best accuracy");
});

const MODEL = answer("/api/sweeps/mnist-994/model") as ModelView;
const SWEEP = answer("/api/sweeps/mnist-994") as SweepView;

// The plot of one parameter of a model.
function modelOf(model: ModelView, sweep: SweepView, of: typeof points, name: string): Drawn {
  const slice = model.slices.find((one) => one.name === name);
  const dimension = sweep.dimensions.find((one) => one.name === name);
  if (!slice || !dimension) throw new Error(name);
  return drawn(modelPlot(of, dimension, slice, CHOICE, FULL));
}

it("draws what a model expects along a parameter, with a gap where values are excluded", () => {
  const lr = modelOf(MODEL, SWEEP, points, "lr");
  const line = dataOf(lr, "mean-0") as unknown as [number, number][];
  expect(line).toHaveLength(46); // of 51 values the last five are excluded
  expect(line[0]?.[0]).toBeCloseTo(0.003);
  expect(line[0]?.[1]).toBeCloseTo(-Math.log10(1 - (MODEL.slices[0]?.mean[0] ?? NaN)));
  expect(dataOf(lr, "interval")).toHaveLength(1); // one polygon
  expect(dataOf(lr, "improvement-0")).toHaveLength(46);
  expect(dataOf(lr, "density-0")).toHaveLength(0);
  // All trials that have a value, and the one whose other parameters the line has.
  const seen = points.numbers("best").filter((value) => value !== null).length;
  expect(dataOf(lr, "points")).toHaveLength(seen);
  expect(dataOf(lr, "held")).toHaveLength(1);
  const places = [0, 1, 2, 3].map((i) => ({ x: i, i }));
  expect(runsOf(places, [1, null, 2, 3]).map((run) => run.map(({ i }) => i))).toEqual([[0], [2, 3]]);
  expect(runsOf(places, [null, null, null, null])).toEqual([]);
});

it("draws a model of words as bars, and of densities without a mean", () => {
  const words = modelOf(MODEL, SWEEP, points, "schedule");
  expect(dataOf(words, "mean-0").map((one) => (one as unknown as number[])[0])).toEqual([0, 1, 2]);
  expect(dataOf(words, "improvement")).toHaveLength(3);
  const program = answer("/api/sweeps/program/model") as ModelView;
  const observed = readPoints(answer("/api/sweeps/program/points?metric=val/f1") as PointsView);
  const plot = modelOf(program, PROGRAM, observed, "lr");
  expect(plot.series.map(({ id }) => id)).toEqual([
    "density", "density-0", "other-density-0", "points", "held",
  ]);
  const strip = (modelOf(program, PROGRAM, observed, "schedule").yAxis as unknown as { max: number }[])[1];
  const densest = Math.max(...(program.slices[4]?.density ?? []).map(Number));
  expect(densest).toBeGreaterThan(1);
  expect(strip?.max).toBeCloseTo(1.05 * densest);
});

it("says what a model expects as a table and in words", () => {
  const [slice] = MODEL.slices;
  const [lr] = SWEEP.dimensions;
  if (!slice || !lr) throw new Error("lr");
  const table = modelTable(points, lr, slice);
  expect(table.columns).toEqual(["lr", "expected accuracy", "2.5 %", "97.5 %", "gain"]);
  expect(table.rows).toHaveLength(51);
  expect(table.rows[50]).toEqual(["0.3", "–", "–", "–", "–"]);
  expect(modelSummary(points, lr, slice)).toMatch(
    /^accuracy of \d+ trials over lr; 99\.40 % is expected at lr = 0\.0\d+$/,
  );
});

const REGION = answer("/api/sweeps/mnist-994/region") as RegionView;

function dimensionOf(name: string): Dimension {
  const dimension = SWEEP.dimensions.find((one) => one.name === name);
  if (!dimension) throw new Error(name);
  return dimension;
}

function regionOf(name: string): Drawn {
  const slice = REGION.slices.find((one) => one.name === name);
  if (!slice) throw new Error(name);
  return drawn(regionPlot(REGION, dimensionOf(name), slice, FULL));
}

it("draws the chance to qualify along a parameter, and the region as a band", () => {
  const lr = regionOf("lr");
  expect(lr.series.map(({ id }) => id)).toEqual(["region", "interval", "chance-0", "share"]);
  const range = rangeOf(REGION, dimensionOf("lr"));
  expect(dataOf(lr, "region")).toEqual([[range?.low, range?.high]]);
  const line = dataOf(lr, "chance-0") as unknown as [number, number][];
  expect(line).toHaveLength(22); // of 25 values the last three are excluded
  expect(line[0]?.[1]).toBeCloseTo(REGION.slices[0]?.chance[0] ?? NaN);
  const words = regionOf("schedule");
  expect(dataOf(words, "region")).toEqual([[-0.5, 0.5], [0.5, 1.5]]);
  expect(dataOf(words, "chance-0").map((one) => (one as unknown as number[])[0])).toEqual([0, 1, 2]);
});

it("draws the region behind a model's plot, or nothing without one", () => {
  const [slice] = MODEL.slices;
  const lr = dimensionOf("lr");
  if (!slice) throw new Error("lr");
  const of = (range: typeof REGION.ranges[number] | undefined): (string | number | undefined)[] =>
    drawn(modelPlot(points, lr, slice, CHOICE, FULL, (axes) => bandSeries(range, lr, axes, FULL))).series.map(({ id }) => id);
  expect(of(rangeOf(REGION, lr))[0]).toBe("region");
  expect(of(undefined)).not.toContain("region");
  expect(bandsOf({ ...REGION.ranges[0]!, low: null }, lr)).toEqual([]);
});

it("says the region as a table and in words", () => {
  const lr = dimensionOf("lr");
  const [range, slice] = [rangeOf(REGION, lr), REGION.slices[0]];
  if (!range || !slice) throw new Error("lr");
  expect(rangeText(range)).toMatch(/^0\.0\d+ to 0\.\d+$/);
  const schedule = rangeOf(REGION, dimensionOf("schedule"));
  expect(schedule && rangeText(schedule)).toBe("step, cosine");
  expect(triedText({ ...range, tried_low: 3, tried_high: 3 })).toBe("3");
  const table = regionTable(lr, slice);
  expect(table.columns).toEqual(["lr", "chance", "2.5 %", "97.5 %"]);
  expect(table.rows).toHaveLength(25);
  expect(table.rows.at(-1)?.slice(1)).toEqual(["–", "–", "–"]);
  expect(regionSummary(REGION, lr)).toMatch(/^the chance that a run meets the criteria over lr; the region has 0/);
});

// Two members of two segments; the second one copies the first.
const POPULATION: PopulationView = {
  metric: "accuracy",
  measures: [ACCURACY, LOSS],
  dimensions: [LR, WIDTH],
  epochs: 4,
  population: 2,
  total: 4,
  segments: [
    [1, 1, null, 0.9, "start_up", 0.1],
    [2, 2, null, 0.5, "start_up", 1],
    [3, 1, 1, 0.95, "went_on", 0.1],
    [4, 2, 1, 0.96, "copied", 0.08],
  ].map(([trial, member, parent, last, chosen_source, lr]) => ({
    trial,
    member,
    parent,
    start_epoch: parent === null ? 0 : 2,
    epoch: parent === null ? 2 : 4,
    last,
    state: "completed",
    chosen_source,
    parameters: { lr, width: 3 },
  })) as PopulationView["segments"],
};

it("draws a line from each segment to those that went on from it", () => {
  const choice = { scale: "linear", floor: 0 } as const;
  const plot = drawn(populationPlot(POPULATION, null, choice, FULL));
  expect(dataOf(plot, "went_on")).toEqual([[2, 0.9], [4, 0.95], [null, null]]);
  expect(dataOf(plot, "copied")).toEqual([[2, 0.9], [4, 0.96], [null, null]]);
  expect(dataOf(plot, "segments").map(({ value }) => value)).toEqual([
    [2, 0.9],
    [2, 0.5],
    [4, 0.95],
    [4, 0.96],
  ]);
  const values = drawn(populationPlot(POPULATION, LR, choice, FULL));
  expect(dataOf(values, "copied")).toEqual([[2, 0.1], [4, 0.08], [null, null]]);
  expect(values.yAxis.name).toBe("lr");
});

it("tells what the last epochs have come from", () => {
  expect([...survivors(POPULATION)].sort()).toEqual([1, 3, 4]);
  expect(populationSummary(POPULATION)).toBe("4 segments of 2 members, 1 of them copies of a better member");
  expect(populationTable(POPULATION).rows[3]).toEqual([
    "4",
    "2",
    "1",
    "3 to 4",
    "96.00 %",
    "copy of a better member with changed values",
    "0.08",
    "3",
  ]);
});

it("leaves out a segment without an epoch, and one whose parent is not there", () => {
  const [first, ...others] = POPULATION.segments;
  if (!first) throw new Error("no segment");
  const view = { ...POPULATION, segments: [{ ...first, epoch: 0, last: null }, ...others] };
  const plot = drawn(populationPlot(view, null, { scale: "linear", floor: 0 }, FULL));
  expect(dataOf(plot, "segments").length).toBe(3);
  expect(dataOf(plot, "went_on")).toEqual([]);
});
