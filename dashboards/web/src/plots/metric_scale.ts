// The vertical axis of measures. Between 98 and 99.6 % all differences are in the last digits, so a
// share of which more is better is drawn by the logarithm of the error by default: 90, 99 and 99.9
// % are equally far apart. For measures that should be small, such as a loss, the logarithm
// separates the best ones.

import type { Measure } from "../api";
import { number } from "../format";
import { SHARE } from "../measure";
import { axisStyle, type Goal } from "./base";
import type { PlotAxis } from "./echarts";
import type { Palette } from "./palette";
import { roundTicks } from "./points";

export type ScaleKind = "log" | "linear"; // the reader's choice
type Shape = "error" | "log" | "linear"; // the shape in use

export interface MetricScale {
  unit: string;
  shape: Shape;
  limits: [number, number]; // positions on the axis that bound all values
  hasFloor: boolean; // a reader may cut off its bottom
  toAxis: (value: number) => number;
  fromAxis: (position: number) => number;
}

const LEAST_ERROR = 1e-5;
const DECADES = 10; // decades between least and most from which a logarithm helps

// 0 has no logarithm. It is drawn as half of the smallest positive cost, so that a single perfect
// trial does not squeeze the others together.
function leastOf(costs: number[], least: number): number {
  const some = costs.filter((cost) => cost > 0);
  return Math.max(some.length > 0 ? Math.min(...some) / 2 : LEAST_ERROR, least);
}

// True for measures that can be drawn by the logarithm of the error.
export function isByError(measures: Measure[]): boolean {
  return measures.every(({ unit, direction }) => unit === SHARE && direction > 0);
}

// True when the reader's choice affects the measure's axis.
export function canBeLog(measure: Measure): boolean {
  return isByError([measure]) || measure.direction <= 0;
}

function shapeOf(measures: Measure[], kind: ScaleKind, values: number[]): Shape {
  if (kind === "linear") return "linear";
  if (isByError(measures) && values.every((value) => value >= 0 && value <= 1)) return "error";
  // When more is better, a logarithm would squeeze the best ones together.
  if (measures.some(({ direction }) => direction > 0)) return "linear";
  const some = values.filter((value) => value > 0);
  const spans = some.length > 0 && Math.max(...some) >= DECADES * Math.min(...some);
  return spans && values.every((value) => value >= 0) ? "log" : "linear";
}

// An axis for measures of one unit. `values` must have all drawn values, including goals: the axis
// has no place for values beyond them.
export function metricScale(
  measures: Measure[],
  kind: ScaleKind,
  values: Iterable<number | null> = [],
): MetricScale {
  const known = [...values].filter((value): value is number => Number.isFinite(value));
  const isShare = measures.every(({ unit }) => unit === SHARE) && known.every((value) => value <= 1);
  const base = {
    unit: measures[0]?.unit ?? "",
    shape: shapeOf(measures, kind, known),
    hasFloor: isByError(measures),
  };
  if (base.shape === "linear") {
    const low = known.every((value) => value >= 0) ? 0 : -Infinity;
    const same = (value: number): number => value;
    return { ...base, limits: [low, isShare ? 1 : Infinity], toAxis: same, fromAxis: same };
  }
  if (base.shape === "log") {
    const least = Math.log10(leastOf(known, 0));
    return {
      ...base,
      limits: [-Infinity, isShare ? 0 : Infinity],
      toAxis: (value) => Math.max(Math.log10(Math.max(value, 0)), least),
      fromAxis: (position) => (position < least + 1e-9 ? 0 : 10 ** position),
    };
  }
  const least = leastOf(known.map((value) => 1 - value), LEAST_ERROR);
  const perfect = -Math.log10(least);
  return {
    ...base,
    limits: [0, Infinity],
    toAxis: (value) => -Math.log10(Math.max(1 - value, least)),
    fromAxis: (position) => (position > perfect - 1e-9 ? 1 : 1 - 10 ** -position),
  };
}

// As many decimals as the tick step of a zoomed axis needs, and no more.
export function tickText(unit: string, value: number): string {
  return unit === SHARE ? `${Number((value * 100).toFixed(4))} %` : number(value);
}

// Computes the ticks of a zoomed axis.
export type MetricAxis = PlotAxis & { ticksBetween?: (low: number, high: number) => number[] };

const ERRORS = [
  1, 0.8, 0.6, 0.4, 0.2, 0.1, 0.05, 0.02, 0.01, 0.006, 0.005, 0.004, 0.003, 0.002, 0.001, 5e-4,
  2e-4, 1e-4, 0,
];
const ROUND = [1, 2, 5];

// Round values between two positions on the axis, in its order.
function roundValues(scale: MetricScale, low: number, high: number): number[] {
  if (scale.shape === "error") return ERRORS.map((error) => 1 - error);
  const values = [0];
  for (let power = Math.floor(low); power <= Math.ceil(high); power += 1)
    values.push(...ROUND.map((digit) => Number(`${digit}e${power}`)));
  return values;
}

// Ticks at round values between two positions on the axis: over a wide range only as many as are
// readable, over a narrow one at finer steps.
export function metricTicks(scale: MetricScale, low: number, high: number): number[] {
  if (scale.shape === "linear") return roundTicks(low, high);
  // Values beyond the smallest cost all share the position of 0, or of no error.
  const end = scale.shape === "error" ? 1 : 0;
  const inside = roundValues(scale, low, high)
    .filter((value) => value === end || scale.fromAxis(scale.toAxis(value)) !== end)
    .map(scale.toAxis)
    .filter((tick) => tick >= low - 1e-9 && tick <= high + 1e-9);
  if (inside.length < 3)
    return roundTicks(scale.fromAxis(low), scale.fromAxis(high)).map(scale.toAxis);
  const gap = (high - low) / 12;
  const kept: number[] = [];
  for (const tick of inside) {
    const last = kept[kept.length - 1];
    const isCrowded = last !== undefined && tick - last < gap;
    // The tick of a perfect value replaces the one below it.
    if (isCrowded && scale.shape === "error" && scale.fromAxis(tick) === 1) kept.pop();
    else if (isCrowded) continue;
    kept.push(tick);
  }
  return kept;
}

export interface Range {
  low: number; // of the measure
  high: number;
}

// The position of diverged trials, which have no value.
export function worstOf(measure: Measure, range: Range): number {
  return measure.direction < 0 ? range.high : range.low;
}
export function worstEdge(measure: Measure): "top" | "bottom" {
  return measure.direction < 0 ? "top" : "bottom";
}

// The smallest margin above and below, so that a single value has an axis.
function leastAir(scale: MetricScale, low: number, high: number): number {
  if (scale.shape !== "linear") return 0.02;
  if (scale.unit === SHARE) return 0.001;
  return Math.max(Math.abs(low), Math.abs(high)) * 0.001 || 0.001;
}

// The range of some values with margins; `floor` cuts off the bottom ("from 98 %") where possible.
export function metricRange(scale: MetricScale, values: Iterable<number | null>, floor = 0): Range {
  const cut = scale.hasFloor ? floor : 0;
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    low = Math.min(low, scale.toAxis(value));
    high = Math.max(high, scale.toAxis(value));
  }
  if (low > high) return { low: 0, high: scale.unit === SHARE ? 0.99 : 1 };
  if (cut > 0) low = Math.max(low, scale.toAxis(cut));
  if (cut > 0 && high <= low) high = scale.toAxis(cut + (1 - cut) / 2);
  const air = Math.max((high - low) * 0.05, leastAir(scale, low, high));
  const [least, most] = scale.limits;
  return {
    low: scale.fromAxis(cut > 0 ? low : Math.max(low - air, least)),
    high: scale.fromAxis(Math.min(high + air, most)),
  };
}

// The line of a gate on the measure.
export function metricGoal(scale: MetricScale, target: number | null): Goal | null {
  if (target === null) return null;
  return { value: scale.toAxis(target), text: `target\n${tickText(scale.unit, target)}` };
}

export function metricAxis(
  scale: MetricScale,
  range: Range,
  palette: Palette,
  name: string,
): MetricAxis {
  const low = scale.toAxis(range.low);
  const top = scale.toAxis(range.high);
  const isLog = scale.shape !== "linear";
  // Nothing exceeds a perfect value, but points at it need room.
  const high = scale.shape === "error" && range.high >= 1 ? top + (top - low) * 0.04 : top;
  const style = axisStyle(palette, name);
  const ticksBetween = (from: number, to: number): number[] => metricTicks(scale, from, to);
  // Names every option that differs: ECharts keeps options that a new one does not name.
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
      formatter: (position: number) => tickText(scale.unit, scale.fromAxis(position)),
    },
  } as MetricAxis;
}

// The part of an axis that sets its ticks.
export function tickValues(customValues: number[]): Pick<PlotAxis, "axisTick" | "axisLabel"> {
  return { axisTick: { customValues }, axisLabel: { customValues } } as Pick<
    PlotAxis,
    "axisTick" | "axisLabel"
  >;
}
