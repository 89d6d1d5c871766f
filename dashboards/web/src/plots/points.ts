// Reads the rows of a PointsView by column name.

import type { Dimension, Measure, PointsView, Value } from "../api";
import { findMeasure } from "../measure";
import { axisStyle } from "./base";
import type { PlotAxis } from "./echarts";
import type { Palette } from "./palette";
import { shorten, valueText } from "../format";

export interface Points {
  view: PointsView;
  measure: Measure; // measure of "best" and "last"
  count: number;
  numbers: (name: string) => (number | null)[];
  values: (name: string) => (Value | null)[];
  parameters: (dimension: Dimension) => (Value | null)[];
}

export function readPoints(view: PointsView): Points {
  const at = (column: number): (Value | null)[] => view.rows.map((row) => row[column] ?? null);
  const values = (name: string): (Value | null)[] => at(view.columns.indexOf(name));
  return {
    view,
    measure: findMeasure(view.measures, view.metric),
    count: view.rows.length,
    values,
    // Parameter columns come last; an earlier column may have the same name.
    parameters: (dimension) => at(view.columns.lastIndexOf(dimension.name)),
    numbers: (name) => values(name).map((value) => (typeof value === "number" ? value : null)),
  };
}

// The row numbers of diverged trials, which have no value.
export function divergedRows(points: Points): number[] {
  return points.values("state").flatMap((state, i) => (state === "diverged" ? [i] : []));
}

// The position of a dimension's value on its axis; a category's position is its place in the list.
export function position(dimension: Dimension, value: Value | null): number | null {
  if (value === null) return null;
  if (dimension.kind !== "category") return typeof value === "number" ? value : null;
  const place = dimension.categories.findIndex((category) => category === value);
  return place < 0 ? null : place;
}

// The axes for points on and between categories: the axis of words, and a hidden one of numbers for
// the series. Numbers need only one axis.
export function pointAxes(
  dimension: Dimension,
  palette: Palette,
  nameGap?: number,
  isUpright = false,
): { axes: PlotAxis[]; index: number } {
  const axis = dimensionAxis(dimension, palette, nameGap, isUpright);
  if (dimension.kind !== "category") return { axes: [axis], index: 0 };
  const numbers = {
    type: "value",
    show: false,
    min: -0.5,
    max: dimension.categories.length - 0.5,
  } as PlotAxis;
  return { axes: [axis, numbers], index: 1 };
}

// The angle in degrees of the words under a small plot, so that they do not overlap.
export function wordsTilt(dimension: Dimension): number {
  if (dimension.kind !== "category") return 0;
  // All words get the same room.
  const letters = dimension.categories.map((value) => Math.min(valueText(value).length, 18) + 2);
  return Math.max(0, ...letters) * letters.length > 36 ? 28 : 0;
}

export function dimensionAxis(
  dimension: Dimension,
  palette: Palette,
  nameGap = 26,
  isUpright = false, // a vertical axis
): PlotAxis {
  const style = axisStyle(palette, shorten(dimension.name, 30));
  if (dimension.kind === "category") {
    return {
      ...style,
      type: "category",
      nameGap: !isUpright && wordsTilt(dimension) > 0 ? nameGap + 34 : nameGap,
      data: dimension.categories.map((value) => shorten(valueText(value), 18)),
      splitLine: { show: false },
      axisTick: { ...style.axisTick, alignWithLabel: true },
      // Names every word, since no word can be guessed from its neighbours.
      axisLabel: {
        ...style.axisLabel,
        interval: 0,
        hideOverlap: false,
        rotate: isUpright ? 0 : wordsTilt(dimension),
      },
    } as PlotAxis;
  }
  const log = dimension.kind === "log" && (dimension.min ?? 0) > 0;
  return {
    ...style,
    type: log ? "log" : "value",
    nameGap,
    min: dimension.min ?? "dataMin",
    max: dimension.max ?? "dataMax",
    splitLine: { show: false },
    ...tickOptions(dimension, style),
  } as PlotAxis;
}

// Round ticks for a parameter's axis. It begins and ends with its search space, seldom at a round
// number, and ECharts would put labels at both ends and at round numbers close beside them.
export function roundTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step =
    [1, 2, 2.5, 5, 10].map((digit) => digit * power).find((candidate) => candidate >= rough) ??
    rough;
  const ticks: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1)
    ticks.push(Number((k * step).toPrecision(12)));
  return ticks;
}

export function logTicks(low: number, high: number): number[] {
  const digits = Math.log10(high / low) > 3 ? [1] : [1, 3];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const digit of digits) {
      const tick = Number(`${digit}e${power}`);
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks.length > 1 ? ticks : [low, high];
}

interface TickStyle {
  axisTick?: object;
  axisLabel?: object;
}

export function tickOptions(dimension: Dimension, style: TickStyle): TickStyle {
  const { min, max } = dimension;
  const label = { ...style.axisLabel, formatter: (value: number) => valueText(value) };
  if (min === null || max === null || !(max > min)) return { axisLabel: label };
  const log = dimension.kind === "log" && min > 0;
  const customValues = log ? logTicks(min, max) : roundTicks(min, max);
  return { axisTick: { ...style.axisTick, customValues }, axisLabel: { ...label, customValues } };
}
