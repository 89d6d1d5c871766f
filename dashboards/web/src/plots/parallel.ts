// Every trial as a line through its parameters and its accuracy. Dragging along an axis brushes.

import type { Dimension } from "../api";
import { percent, shorten, valueText } from "../format";
import { base } from "./base";
import type { PlotOption } from "./echarts";
import { metricScale, metricTicks, tickText, type MetricScale, type ScaleKind } from "./metric_scale";
import type { Palette } from "./palette";
import { divergedRows, position, tickOptions, type Points } from "./points";
import { MOST_ROWS, type PlotTable } from "./table";

export type Interval = [number, number];
// By axis: what is brushed there.
export type Brush = Record<number, Interval[]>;

const ACCURACY = "accuracy";

// How the lines run: the accuracy axis as the other plots have it, and on a narrow screen from top to
// bottom, where names of axes side by side would lie on each other.
export interface ParallelChoice {
  scale: ScaleKind;
  floor: number;
  isNarrow: boolean;
}

interface AccuracyAxis {
  scale: MetricScale;
  low: number; // on the axis
  high: number;
}

function axes(
  dimensions: Dimension[],
  accuracy: AccuracyAxis,
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
  const ticks = metricTicks(accuracy.scale, accuracy.low, accuracy.high);
  list.push({
    ...style,
    id: `axis-${dimensions.length}`,
    dim: dimensions.length,
    name: ACCURACY,
    type: "value",
    min: accuracy.low,
    max: accuracy.high,
    axisTick: { ...style.axisTick, customValues: ticks },
    axisLabel: {
      ...style.axisLabel,
      customValues: ticks,
      formatter: (place: number) => tickText(ACCURACY, accuracy.scale.fromAxis(place)),
    },
  });
  return list;
}

// By the logarithm of the error the best are told apart anyway. On a linear axis most trials lie close
// to the best, and a few that learned nothing would press them all together.
function accuracyAxis(accuracies: (number | null)[], choice: ParallelChoice): AccuracyAxis {
  const scale = metricScale(ACCURACY, choice.scale, accuracies);
  const places = accuracies
    .filter((value): value is number => value !== null)
    .map(scale.toAxis)
    .sort((a, b) => a - b);
  const at = (share: number): number => places[Math.floor(share * (places.length - 1))] ?? 0;
  const top = at(1);
  let low = at(0);
  if (choice.scale === "linear") low = Math.max(low, top - Math.max((top - at(0.1)) * 1.3, 0.002));
  if (choice.floor > 0) low = Math.min(Math.max(low, scale.toAxis(choice.floor)), top - 1e-3);
  const air = Math.max((top - low) * 0.04, 1e-4);
  const high = choice.scale === "linear" ? Math.min(1, top + air) : top + air;
  return { scale, low: low - air, high };
}

// Accuracies below the range lie at its end, where a brush finds them.
function lines(points: Points, choice: ParallelChoice): { trial: number; values: (number | null)[] }[] {
  const trials = points.numbers("trial");
  const columns = points.view.dimensions.map((dimension) =>
    points.parameters(dimension).map((value) => position(dimension, value)),
  );
  const accuracies = points.numbers(ACCURACY);
  const { scale, low } = accuracyAxis(accuracies, choice);
  // A trial that diverged has no accuracy; its line ends at the worst.
  const diverged = new Set(divergedRows(points));
  columns.push(
    accuracies.map((value, i) => {
      if (value === null) return diverged.has(i) ? low : null;
      return Math.max(scale.toAxis(value), low);
    }),
  );
  return trials.flatMap((trial, i) =>
    trial === null ? [] : [{ trial, values: columns.map((column) => column[i] ?? null) }],
  );
}

export function parallelPlot(
  points: Points,
  choice: ParallelChoice,
  palette: Palette,
): PlotOption {
  const dimensions = points.view.dimensions;
  const accuracy = accuracyAxis(points.numbers(ACCURACY), choice);
  // Where a parameter does not exist for a trial, its line has a gap.
  const data = lines(points, choice).map(({ trial, values }) => ({
    name: String(trial),
    trial,
    value: values.map((value) => value ?? NaN),
  }));
  return {
    ...base(palette),
    grid: undefined,
    visualMap: {
      type: "continuous",
      show: false,
      dimension: dimensions.length,
      min: accuracy.low,
      max: accuracy.high,
      inRange: { color: palette.sequence },
    },
    parallel: choice.isNarrow
      ? { layout: "vertical", left: 14, right: 30, top: 34, bottom: 30 }
      : { layout: "horizontal", left: 40, right: 60, top: 40, bottom: 24 },
    parallelAxis: axes(dimensions, accuracy, choice.isNarrow, palette) as never,
    series: [
      {
        id: "trials",
        type: "parallel",
        smooth: 0.1,
        data: data as never,
        lineStyle: { width: 1.3, opacity: data.length > 300 ? 0.25 : 0.6 },
        inactiveOpacity: 0.04,
        activeOpacity: 0.9,
      },
    ],
  };
}

// The trials within all brushed intervals, best first.
export function brushed(points: Points, choice: ParallelChoice, brush: Brush): number[] {
  const accuracy = points.view.dimensions.length;
  const active = Object.entries(brush).filter(([, intervals]) => intervals.length > 0);
  return lines(points, choice)
    .filter(({ values }) =>
      active.every(([axis, intervals]) => {
        const value = values[Number(axis)];
        return value != null && intervals.some(([low, high]) => value >= low && value <= high);
      }),
    )
    .sort((a, b) => (b.values[accuracy] ?? -Infinity) - (a.values[accuracy] ?? -Infinity))
    .map(({ trial }) => trial);
}

// Of the drawing: on a narrow screen each axis has a line of its own.
export function parallelHeight(points: Points, isNarrow: boolean): number {
  return isNarrow ? 72 + 84 * points.view.dimensions.length : 340;
}

export function parallelTable(points: Points): PlotTable {
  const names = points.view.dimensions.map((dimension) => dimension.name);
  const columns = points.view.dimensions.map((dimension) => points.parameters(dimension));
  const trials = points.numbers("trial");
  const accuracies = points.numbers(ACCURACY);
  return {
    columns: ["trial", ...names, ACCURACY],
    rows: trials
      .slice(0, MOST_ROWS)
      .map((trial, i) => [
        String(trial),
        ...columns.map((column) => valueText(column[i])),
        percent(accuracies[i]),
      ]),
  };
}
