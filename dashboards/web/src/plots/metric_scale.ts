// The vertical axis of accuracies and losses. Between 98 and 99.6 % everything happens in the last
// digits, so accuracy is drawn by the logarithm of the error by default: 90, 99 and 99.9 % are
// equally far apart.

import { number } from "../format";
import { axisStyle } from "./base";
import type { PlotAxis } from "./echarts";
import type { Palette } from "./palette";
import { roundTicks } from "./points";

export type Metric = "accuracy" | "loss";
export type ScaleKind = "log" | "linear";

export interface MetricScale {
  metric: Metric;
  kind: ScaleKind;
  toAxis: (value: number) => number;
  fromAxis: (position: number) => number;
}

const LEAST_ERROR = 1e-5;
const LEAST_LOSS = 1e-6;

// No error has no logarithm. It is drawn as half of the least one there is, so that a single perfect
// trial does not press the others together.
function leastError(accuracies: Iterable<number | null>): number {
  let least = 2 * LEAST_ERROR;
  let found = false;
  for (const accuracy of accuracies) {
    if (accuracy === null || !(accuracy < 1)) continue;
    least = found ? Math.min(least, 1 - accuracy) : 1 - accuracy;
    found = true;
  }
  return Math.max(least / 2, LEAST_ERROR);
}

// `values` are all that will be drawn, goals included: what is beyond them has no place of its own.
export function metricScale(
  metric: Metric,
  kind: ScaleKind,
  values: Iterable<number | null> = [],
): MetricScale {
  if (kind === "linear")
    return { metric, kind, toAxis: (value) => value, fromAxis: (position) => position };
  if (metric === "loss") {
    return {
      metric,
      kind,
      toAxis: (value) => Math.log10(Math.max(value, LEAST_LOSS)),
      fromAxis: (position) => 10 ** position,
    };
  }
  const least = leastError(values);
  const perfect = -Math.log10(least);
  return {
    metric,
    kind,
    toAxis: (value) => -Math.log10(Math.max(1 - value, least)),
    fromAxis: (position) => (position > perfect - 1e-9 ? 1 : 1 - 10 ** -position),
  };
}

// As many decimals as the step between ticks of a zoomed axis needs, and no more.
export function tickText(metric: Metric, value: number): string {
  return metric === "loss" ? number(value, 4) : `${Number((value * 100).toFixed(4))} %`;
}

// A zoomed axis needs other ticks.
export type MetricAxis = PlotAxis & { ticksBetween?: (low: number, high: number) => number[] };

const ERRORS = [
  1, 0.8, 0.6, 0.4, 0.2, 0.1, 0.05, 0.02, 0.01, 0.006, 0.005, 0.004, 0.003, 0.002, 0.001, 5e-4,
  2e-4, 1e-4, 0,
];
const ROUND = [1, 2, 5];

// Ticks at round values of the metric between two places on the axis; where they are far apart only as
// many as can be read, where they are close at finer steps.
export function metricTicks(scale: MetricScale, low: number, high: number): number[] {
  const candidates: number[] = [];
  if (scale.metric === "accuracy") {
    // Errors below the least are all at the same place: that of none.
    for (const error of ERRORS) {
      const tick = scale.toAxis(1 - error);
      if (error === 0 || scale.fromAxis(tick) < 1) candidates.push(tick);
    }
  } else {
    for (let power = -6; power <= 3; power += 1) {
      for (const digit of ROUND) candidates.push(Math.log10(digit * 10 ** power));
    }
  }
  const inside = candidates.filter((tick) => tick >= low - 1e-9 && tick <= high + 1e-9);
  if (inside.length < 3)
    return roundTicks(scale.fromAxis(low), scale.fromAxis(high)).map(scale.toAxis);
  const gap = (high - low) / 12;
  const kept: number[] = [];
  for (const tick of inside) {
    const last = kept[kept.length - 1];
    const isCrowded = last !== undefined && tick - last < gap;
    // What is perfect is worth more than the tick below it.
    if (isCrowded && scale.metric === "accuracy" && scale.fromAxis(tick) === 1) kept.pop();
    else if (isCrowded) continue;
    kept.push(tick);
  }
  return kept;
}

export interface Range {
  low: number; // of the metric
  high: number;
}

// 1 where more is better, -1 where less is.
export function direction(metric: Metric): 1 | -1 {
  return metric === "loss" ? -1 : 1;
}

// Where trials are drawn that have no value because they diverged.
export function worstOf(metric: Metric, range: Range): number {
  return metric === "loss" ? range.high : range.low;
}
export function worstEdge(metric: Metric): "top" | "bottom" {
  return metric === "loss" ? "top" : "bottom";
}

// The range of some values, with air; `floor` cuts the bottom of accuracies off ("from 98 %").
export function metricRange(scale: MetricScale, values: Iterable<number | null>, floor = 0): Range {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    low = Math.min(low, scale.toAxis(value));
    high = Math.max(high, scale.toAxis(value));
  }
  if (low > high)
    return scale.metric === "accuracy" ? { low: 0, high: 0.99 } : { low: 0.01, high: 1 };
  if (floor > 0) low = Math.max(low, scale.toAxis(floor));
  if (floor > 0 && high <= low) high = scale.toAxis(floor + (1 - floor) / 2);
  const air = Math.max((high - low) * 0.05, scale.kind === "log" ? 0.02 : 0.001);
  const least = scale.metric === "accuracy" ? scale.toAxis(0) : -Infinity;
  const bottom = floor > 0 ? low : Math.max(low - air, least);
  const limit = scale.metric === "accuracy" && scale.kind === "linear" ? 1 : Infinity;
  return { low: scale.fromAxis(bottom), high: scale.fromAxis(Math.min(high + air, limit)) };
}

export function metricAxis(
  scale: MetricScale,
  range: Range,
  palette: Palette,
  name: string,
): MetricAxis {
  const low = scale.toAxis(range.low);
  const top = scale.toAxis(range.high);
  // Above perfect accuracy there is no value, but points there need room.
  const high = scale.kind === "log" && range.high >= 1 ? top + (top - low) * 0.04 : top;
  const style = axisStyle(palette, name);
  const ticksBetween = (from: number, to: number): number[] => metricTicks(scale, from, to);
  const isLog = scale.kind === "log";
  // Everything that differs is named either way: ECharts keeps what a new option does not name.
  const customValues = isLog ? ticksBetween(low, high) : null;
  const showEnds = isLog ? null : false;
  return {
    ...style,
    type: "value",
    min: low,
    max: high,
    nameGap: 44,
    ticksBetween: isLog ? ticksBetween : undefined,
    axisTick: { ...style.axisTick, customValues },
    axisLabel: {
      ...style.axisLabel,
      customValues,
      showMinLabel: showEnds,
      showMaxLabel: showEnds,
      formatter: (position: number) => tickText(scale.metric, scale.fromAxis(position)),
    },
  } as MetricAxis;
}

// The part of an axis that says where its ticks are.
export function tickValues(customValues: number[]): Pick<PlotAxis, "axisTick" | "axisLabel"> {
  return { axisTick: { customValues }, axisLabel: { customValues } } as Pick<
    PlotAxis,
    "axisTick" | "axisLabel"
  >;
}
