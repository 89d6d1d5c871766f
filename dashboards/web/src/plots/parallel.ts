// Every trial as a line through its parameters and a measure. Dragging along an axis brushes.

import { shorten, valueText } from "../format";
import { measureText, signOf, titleOf } from "../measure";
import { base } from "./base";
import type { PlotOption } from "./echarts";
import {
  metricRange,
  metricScale,
  metricTicks,
  tickText,
  type MetricScale,
  type ScaleKind,
} from "./metric_scale";
import type { Palette } from "./palette";
import { divergedRows, position, tickOptions, type Points } from "./points";
import { MOST_ROWS, type PlotTable } from "./table";

export type Interval = [number, number];
// The brushed intervals of each axis.
export type Brush = Record<number, Interval[]>;

// The layout: the measure's axis as in the other plots; vertical on a narrow screen, where names of
// horizontal neighbours would overlap.
export interface ParallelChoice {
  scale: ScaleKind;
  floor: number;
  isNarrow: boolean;
}

interface ValueAxis {
  scale: MetricScale;
  sign: 1 | -1; // 1 where more is better
  low: number; // on the axis
  high: number;
}

function axes(
  { view: { dimensions }, measure }: Points,
  values: ValueAxis,
  isNarrow: boolean,
  palette: Palette,
): object[] {
  const style = {
    ...(isNarrow
      ? {
          nameLocation: "start",
          nameGap: -4,
          nameTextStyle: {
            color: palette.ink,
            fontSize: 12,
            align: "left",
            verticalAlign: "bottom",
            padding: [2, 3, 2, 3],
            backgroundColor: palette.surface,
          },
        }
      : { nameTextStyle: { color: palette.ink, fontSize: 12 }, nameGap: 12 }),
    axisLine: { lineStyle: { color: palette.muted } },
    axisTick: { lineStyle: { color: palette.muted } },
    axisLabel: { color: palette.ink, backgroundColor: palette.surface, padding: [1, 3] },
    z: 10, // labels over lines
    areaSelectStyle: {
      width: 18,
      borderColor: palette.accent,
      color: palette.accent,
      opacity: 0.25,
    },
  };
  const list: object[] = dimensions.map((dimension, dim) => {
    const name = shorten(dimension.name, 18);
    if (dimension.kind === "category") {
      return {
        ...style,
        id: `axis-${dim}`,
        dim,
        name,
        type: "category",
        data: dimension.categories.map((value) => shorten(valueText(value), 14)),
        axisTick: { ...style.axisTick, alignWithLabel: true },
        axisLabel: { ...style.axisLabel, interval: 0 },
      };
    }
    const log = dimension.kind === "log" && (dimension.min ?? 0) > 0;
    return {
      ...style,
      id: `axis-${dim}`,
      dim,
      name,
      type: log ? "log" : "value",
      min: dimension.min ?? "dataMin",
      max: dimension.max ?? "dataMax",
      ...tickOptions(dimension, style),
    };
  });
  const ticks = metricTicks(values.scale, values.low, values.high);
  list.push({
    ...style,
    id: `axis-${dimensions.length}`,
    dim: dimensions.length,
    name: shorten(titleOf(measure), 18),
    type: "value",
    min: values.low,
    max: values.high,
    axisTick: { ...style.axisTick, customValues: ticks },
    axisLabel: {
      ...style.axisLabel,
      customValues: ticks,
      formatter: (place: number) => tickText(values.scale.unit, values.scale.fromAxis(place)),
    },
  });
  return list;
}

// The logarithm of the error already separates the best. On a linear axis most trials lie close to
// the best, and a few that learned nothing would squeeze them together.
function valueAxis({ measure, numbers }: Points, choice: ParallelChoice): ValueAxis {
  const { floor } = choice;
  const values = numbers("best");
  const scale = metricScale([measure], choice.scale, values);
  const sign = signOf(measure);
  const merits = values
    .filter((value): value is number => value !== null)
    .map((value) => sign * scale.toAxis(value))
    .sort((a, b) => a - b);
  if (merits.length === 0) {
    const { low, high } = metricRange(scale, []);
    return { scale, sign, low: scale.toAxis(low), high: scale.toAxis(high) };
  }
  const at = (share: number): number => merits[Math.floor(share * (merits.length - 1))] ?? 0;
  const top = at(1);
  let worst = at(0);
  if (scale.shape === "linear" && measure.direction !== 0)
    worst = Math.max(worst, top - Math.max((top - at(0.1)) * 1.3, 0.002));
  if (floor > 0 && scale.hasFloor)
    worst = Math.min(Math.max(worst, scale.toAxis(floor)), top - 1e-3);
  const air = Math.max((top - worst) * 0.04, 1e-4);
  const ends = [sign * (worst - air), sign * (top + air)];
  const [least, most] = scale.limits;
  return {
    scale,
    sign,
    low: Math.max(Math.min(...ends), least),
    high: Math.min(Math.max(...ends), most),
  };
}

interface Line {
  trial: number;
  hasDiverged: boolean;
  values: (number | null)[];
}

// Values worse than the range are drawn at its end, where a brush finds them.
function lines(points: Points, choice: ParallelChoice): Line[] {
  const trials = points.numbers("trial");
  const columns = points.view.dimensions.map((dimension) =>
    points.parameters(dimension).map((value) => position(dimension, value)),
  );
  const values = points.numbers("best");
  const { scale, sign, low, high } = valueAxis(points, choice);
  const worst = sign > 0 ? low : high;
  // A diverged trial has no value; its line ends at the worst.
  const diverged = new Set(divergedRows(points));
  columns.push(
    values.map((value, i) => {
      if (value === null) return diverged.has(i) ? worst : null;
      return Math.min(Math.max(scale.toAxis(value), low), high);
    }),
  );
  return trials.flatMap((trial, i) =>
    trial === null
      ? []
      : [
          {
            trial,
            hasDiverged: diverged.has(i),
            values: columns.map((column) => column[i] ?? null),
          },
        ],
  );
}

export function parallelPlot(
  points: Points,
  choice: ParallelChoice,
  palette: Palette,
): PlotOption {
  const dimensions = points.view.dimensions;
  const axis = valueAxis(points, choice);
  const all = lines(points, choice);
  const opacity = all.length > 300 ? 0.25 : 0.6;
  // Where a parameter does not exist for a trial, its line has a gap.
  const data = all.map(({ trial, hasDiverged, values }) => ({
    name: String(trial),
    trial,
    value: values.map((value) => value ?? NaN),
    ...(hasDiverged
      ? { lineStyle: { color: palette.bad, type: "dashed", width: 1.3, opacity } }
      : {}),
  }));
  return {
    ...base(palette),
    grid: undefined,
    visualMap: {
      type: "continuous",
      show: false,
      dimension: dimensions.length,
      min: axis.low,
      max: axis.high,
      inRange: { color: axis.sign > 0 ? palette.sequence : [...palette.sequence].reverse() },
    },
    parallel: choice.isNarrow
      ? { layout: "vertical", left: 14, right: 30, top: 34, bottom: 30 }
      : { layout: "horizontal", left: 40, right: 60, top: 40, bottom: 24 },
    parallelAxis: axes(points, axis, choice.isNarrow, palette) as never,
    series: [
      {
        id: "trials",
        type: "parallel",
        smooth: 0.1,
        data: data as never,
        lineStyle: { width: 1.3, opacity },
        inactiveOpacity: 0.04,
        activeOpacity: 0.9,
      },
    ],
  };
}

// The trials within all brushed intervals, best first.
export function brushed(points: Points, choice: ParallelChoice, brush: Brush): number[] {
  const last = points.view.dimensions.length;
  const sign = signOf(points.measure);
  const merit = ({ values }: Line): number => {
    const value = values[last];
    return value == null ? -Infinity : sign * value;
  };
  const active = Object.entries(brush).filter(([, intervals]) => intervals.length > 0);
  return lines(points, choice)
    .filter(({ values }) =>
      active.every(([axis, intervals]) => {
        const value = values[Number(axis)];
        return value != null && intervals.some(([low, high]) => value >= low && value <= high);
      }),
    )
    .sort((a, b) => merit(b) - merit(a))
    .map(({ trial }) => trial);
}

// The drawing's height: on a narrow screen each axis has its own row.
export function parallelHeight(points: Points, isNarrow: boolean): number {
  return isNarrow ? 72 + 84 * points.view.dimensions.length : 340;
}

export function parallelTable(points: Points): PlotTable {
  const names = points.view.dimensions.map((dimension) => dimension.name);
  const columns = points.view.dimensions.map((dimension) => points.parameters(dimension));
  const trials = points.numbers("trial");
  const values = points.numbers("best");
  return {
    columns: ["trial", ...names, titleOf(points.measure)],
    rows: trials
      .slice(0, MOST_ROWS)
      .map((trial, i) => [
        String(trial),
        ...columns.map((column) => valueText(column[i])),
        measureText(points.measure, values[i]),
      ]),
  };
}
