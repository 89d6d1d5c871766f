// What a model expects along one parameter, with the observations; below, where it would try next.

import type { Dimension, ModelView, Value } from "../api";
import { number, percent, shorten, valueText } from "../format";
import { axisName, bestIn, measureText, titleOf } from "../measure";
import { base, tooltip } from "./base";
import type { PlotAxis, PlotOption, PlotSeries } from "./echarts";
import { metricAxis, metricRange, metricScale, type MetricScale } from "./metric_scale";
import type { Palette } from "./palette";
import { pointAxes, position, wordsTilt, type Points } from "./points";
import { jitter, pointText, settingText, symbolSize, type AxisChoice } from "./scatter";
import type { PlotTable } from "./table";

export type ModelSlice = ModelView["slices"][number];

export const MODEL_HEIGHT = 310;
const STRIP = 46; // the height of the lower part
const BETWEEN = 12;
// Both parts are equally wide, whatever the labels on their axes are.
const SIDES = { left: 78, right: 20, outerBoundsMode: "none" } as const;
export const BAR = 0.34; // half a bar, in categories
const LEAST_BAR = 2; // pixels

interface Place {
  x: number;
  i: number; // of the slice's lists
}

// The slice's values on the axis, from left to right.
export function placesOf(slice: { values: Value[] }, dimension: Dimension): Place[] {
  return slice.values
    .flatMap((value, i) => {
      const x = position(dimension, value);
      return x === null ? [] : [{ x, i }];
    })
    .sort((a, b) => a.x - b.x);
}

// Neighbours of which the list has a number: a line does not go through excluded values.
export function runsOf(places: Place[], list: (number | null)[]): Place[][] {
  const runs: Place[][] = [];
  let isOpen = false;
  for (const place of places) {
    const isKnown = Number.isFinite(list[place.i] ?? NaN);
    if (isKnown && !isOpen) runs.push([]);
    if (isKnown) runs.at(-1)?.push(place);
    isOpen = isKnown;
  }
  return runs;
}

export type Axes = { xAxisIndex: number; yAxisIndex: number };

export function lineOf(
  id: string,
  places: Place[],
  list: (number | null)[],
  toAxis: (value: number) => number,
  axes: Axes,
  style: { color: string; width: number; type?: "dashed" },
): PlotSeries {
  return {
    id,
    type: "line",
    ...axes,
    silent: true,
    symbolSize: 5,
    showSymbol: places.length === 1,
    lineStyle: style,
    itemStyle: { color: style.color },
    z: 4,
    data: places.map(({ x, i }) => [x, toAxis(list[i] ?? NaN)]),
  };
}

// One polygon for each run: forward along the upper edge, back along the lower.
export function areaOf(
  id: string,
  runs: Place[][],
  edge: (i: number) => [number, number],
  axes: Axes,
  fill: string,
  opacity: number,
): PlotSeries {
  return {
    id,
    type: "custom",
    ...axes,
    silent: true,
    clip: true,
    z: 1,
    data: runs.map((_, i) => i),
    renderItem: (params, api) => {
      const run = runs[params.dataIndex] ?? [];
      const upper = run.map(({ x, i }) => api.coord([x, edge(i)[1]]));
      const lower = run.map(({ x, i }) => api.coord([x, edge(i)[0]])).reverse();
      return { type: "polygon", shape: { points: [...upper, ...lower] }, style: { fill, opacity } };
    },
  };
}

// Of categories: bars from edge to edge, `from` and `to` in categories beside the middle.
export function barsOf(
  id: string,
  places: Place[],
  edge: (i: number) => [number, number],
  [from, to]: [number, number],
  axes: Axes,
  fill: string,
  opacity: number,
): PlotSeries {
  return {
    id,
    type: "custom",
    ...axes,
    silent: true,
    clip: true,
    z: 1,
    data: places.map(({ x, i }) => [x, ...edge(i)]),
    renderItem: (_params, api) => {
      const [x, low, high] = [0, 1, 2].map((column) => Number(api.value(column))) as [number, number, number];
      const [left = 0, top = 0] = api.coord([x + from, high]);
      const [right = 0, bottom = 0] = api.coord([x + to, low]);
      return {
        type: "rect",
        shape: { x: left, y: top, width: right - left, height: Math.max(bottom - top, LEAST_BAR) },
        style: { fill, opacity },
      };
    },
  };
}

// Mean and interval.
function predictionSeries(
  slice: ModelSlice,
  dimension: Dimension,
  scale: MetricScale,
  axes: Axes,
  palette: Palette,
): PlotSeries[] {
  if (slice.mean.length === 0) return [];
  const runs = runsOf(placesOf(slice, dimension), slice.mean);
  const edge = (i: number): [number, number] => [
    scale.toAxis(slice.low[i] ?? NaN),
    scale.toAxis(slice.high[i] ?? NaN),
  ];
  if (dimension.kind === "category") {
    const known = runs.flat();
    const mean = (i: number): [number, number] => {
      const at = scale.toAxis(slice.mean[i] ?? NaN);
      return [at, at];
    };
    return [
      barsOf("interval", known, edge, [-BAR, BAR], axes, palette.accent, 0.18),
      barsOf("mean-0", known, mean, [-BAR, BAR], axes, palette.accent, 1),
    ];
  }
  return [
    areaOf("interval", runs, edge, axes, palette.accent, 0.18),
    ...runs.map((run, i) =>
      lineOf(`mean-${i}`, run, slice.mean, scale.toAxis, axes, { color: palette.accent, width: 2 }),
    ),
  ];
}

// The lower part: expected improvement, or the densities of suggestions and of other points.
function stripSeries(
  slice: ModelSlice,
  dimension: Dimension,
  axes: Axes,
  palette: Palette,
): PlotSeries[] {
  const places = placesOf(slice, dimension);
  const lists: { id: string; list: (number | null)[]; colour: string; dashed: boolean }[] = [
    { id: "improvement", list: slice.improvement, colour: palette.series[1] ?? palette.accent, dashed: false },
    { id: "density", list: slice.density, colour: palette.accent, dashed: false },
    { id: "other-density", list: slice.other_density, colour: palette.muted, dashed: true },
  ].filter(({ list }) => list.length > 0);
  return lists.flatMap(({ id, list, colour, dashed }, at) => {
    const edge = (i: number): [number, number] => [0, list[i] ?? 0];
    const runs = runsOf(places, list);
    if (dimension.kind === "category") {
      const width = (2 * BAR) / lists.length;
      const from = -BAR + at * width;
      return [barsOf(id, runs.flat(), edge, [from, from + width * 0.92], axes, colour, dashed ? 0.45 : 0.75)];
    }
    const style = { color: colour, width: 1.4, ...(dashed ? { type: "dashed" as const } : {}) };
    const lines = runs.map((run, i) => lineOf(`${id}-${i}`, run, list, (value) => value, axes, style));
    return dashed ? lines : [areaOf(id, runs, edge, axes, colour, 0.22), ...lines];
  });
}

function observations(
  points: Points,
  slice: ModelSlice,
  dimension: Dimension,
  scale: MetricScale,
  axes: Axes,
  palette: Palette,
): PlotSeries[] {
  const trials = points.numbers("trial");
  const results = points.numbers("best");
  const values = points.parameters(dimension);
  const isCategory = dimension.kind === "category";
  const data = trials.flatMap((trial, i) => {
    const place = position(dimension, values[i] ?? null);
    const result = results[i];
    if (trial === null || place === null || result == null) return [];
    const x = isCategory ? place + jitter(trial) : place;
    const text = `trial ${trial}\n${settingText(dimension, values[i])}\n${measureText(points.measure, result)}`;
    return [{ value: [x, scale.toAxis(result)], trial, text }];
  });
  return [
    {
      id: "points",
      type: "scatter",
      ...axes,
      symbolSize: symbolSize(data.length),
      itemStyle: { color: palette.muted, opacity: 0.7 },
      z: 3,
      clip: true,
      data,
    },
    {
      id: "held",
      type: "scatter",
      ...axes,
      silent: true,
      symbolSize: 11,
      itemStyle: { color: "transparent", borderColor: palette.ink, borderWidth: 1.6 },
      z: 5,
      clip: true,
      data: data.filter(({ trial }) => trial === slice.trial),
    },
  ];
}

// The same axis twice: without words above, and with them below.
function twice(dimension: Dimension, palette: Palette): { axes: PlotAxis[]; index: number } {
  const { axes, index } = pointAxes(dimension, palette);
  const above = axes.map((axis) => ({
    ...axis,
    name: "",
    axisLabel: { show: false },
    axisTick: { show: false },
    gridIndex: 0,
  })) as PlotAxis[];
  return { axes: [...above, ...axes.map((axis) => ({ ...axis, gridIndex: 1 }) as PlotAxis)], index };
}

export function modelPlot(
  points: Points,
  dimension: Dimension,
  slice: ModelSlice,
  choice: AxisChoice,
  palette: Palette,
  region: (axes: Axes) => PlotSeries[] = () => [], // drawn behind the upper part
): PlotOption {
  const { measure } = points;
  const shown = [...points.numbers("best"), ...slice.mean];
  const scale = metricScale([measure], choice.scale, shown);
  const range = metricRange(scale, shown, choice.floor);
  const { axes, index } = twice(dimension, palette);
  const above = { xAxisIndex: index, yAxisIndex: 0 };
  const below = { xAxisIndex: axes.length / 2 + index, yAxisIndex: 1 };
  const bottom = wordsTilt(dimension) > 0 ? 74 : 40;
  const isImprovement = slice.improvement.length > 0;
  const densities = [...slice.density, ...slice.other_density].map((value) => value ?? 0);
  const strip = {
    type: "value",
    gridIndex: 1,
    min: 0,
    // The largest improvement of all plots is 1, and the density of random points too.
    max: 1.05 * Math.max(1, ...densities),
    name: isImprovement ? "gain" : "density",
    nameLocation: "middle",
    nameGap: 44,
    nameTextStyle: { color: palette.muted, fontSize: 11 },
    axisLabel: { show: false },
    axisTick: { show: false },
    axisLine: { show: true, onZero: false, lineStyle: { color: palette.line } },
    splitLine: { show: false },
  } as PlotAxis;
  return {
    ...base(palette),
    grid: [
      { ...SIDES, top: 16, bottom: bottom + STRIP + BETWEEN },
      { ...SIDES, height: STRIP, bottom },
    ],
    tooltip: { ...tooltip(palette, "item"), formatter: pointText },
    xAxis: axes,
    yAxis: [metricAxis(scale, range, palette, axisName(measure)), strip],
    series: [
      ...region(above),
      ...predictionSeries(slice, dimension, scale, above, palette),
      ...stripSeries(slice, dimension, below, palette),
      ...observations(points, slice, dimension, scale, above, palette),
    ],
  };
}

// For readers who cannot see the plot: "accuracy of 42 trials over lr; 99.1 % is expected at lr = 0.1".
export function modelSummary(points: Points, dimension: Dimension, slice: ModelSlice): string {
  const { measure } = points;
  const all = `${titleOf(measure)} of ${points.count} trials over ${shorten(dimension.name, 40)}`;
  const list = slice.mean.length > 0 ? slice.mean : slice.density;
  const best = slice.mean.length > 0 ? bestIn(list, measure) : Math.max(...list.map((value) => value ?? 0));
  if (best === null || !Number.isFinite(best)) return all;
  const where = settingText(dimension, slice.values[list.indexOf(best)]);
  return slice.mean.length > 0
    ? `${all}; ${measureText(measure, best)} is expected at ${where}`
    : `${all}; suggestions are densest at ${where}`;
}

export function modelTable(points: Points, dimension: Dimension, slice: ModelSlice): PlotTable {
  const { measure } = points;
  const value = (one: number | null | undefined): string => measureText(measure, one);
  const columns: [string, (i: number) => string][] = [[dimension.name, (i) => valueText(slice.values[i])]];
  if (slice.mean.length > 0)
    columns.push(
      [`expected ${titleOf(measure)}`, (i) => value(slice.mean[i])],
      ["2.5 %", (i) => value(slice.low[i])],
      ["97.5 %", (i) => value(slice.high[i])],
      ["gain", (i) => percent(slice.improvement[i], 1)],
    );
  if (slice.density.length > 0) columns.push(["density", (i) => number(slice.density[i])]);
  if (slice.other_density.length > 0)
    columns.push(["density of the others", (i) => number(slice.other_density[i])]);
  return {
    columns: columns.map(([name]) => name),
    rows: slice.values.map((_, i) => columns.map(([, text]) => text(i))),
  };
}
