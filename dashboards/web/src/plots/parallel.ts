// Every trial as a line through its parameters and its accuracy. Dragging along an axis brushes.

import type { Dimension } from "../api";
import { percent, shorten, valueText } from "../format";
import { base } from "./base";
import type { PlotOption } from "./echarts";
import type { Palette } from "./palette";
import { position, tickOptions, type Points } from "./points";
import { MOST_ROWS, type PlotTable } from "./table";

export type Interval = [number, number];
// By axis: what is brushed there.
export type Brush = Record<number, Interval[]>;

const ACCURACY = "accuracy";

function axes(dimensions: Dimension[], range: [number, number], palette: Palette): object[] {
  const style = {
    nameTextStyle: { color: palette.ink, fontSize: 12 },
    nameGap: 12,
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
  list.push({
    ...style,
    id: `axis-${dimensions.length}`,
    dim: dimensions.length,
    name: ACCURACY,
    type: "value",
    min: range[0],
    max: range[1],
    axisLabel: {
      ...style.axisLabel,
      formatter: (value: number) => `${Number((value * 100).toFixed(2))} %`,
      showMinLabel: false,
      showMaxLabel: false,
    },
  });
  return list;
}

// Most trials lie close to the best; a few that learned nothing would press them all together.
function accuracyRange(accuracies: (number | null)[]): [number, number] {
  const sorted = accuracies
    .filter((value): value is number => value !== null)
    .sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const top = at(1);
  const low = Math.max(at(0), top - Math.max((top - at(0.1)) * 1.3, 0.002));
  const air = (top - low) * 0.04;
  return [low - air, Math.min(1, top + air)];
}

// Accuracies below the range lie at its end, where a brush finds them.
function lines(points: Points): { trial: number; values: (number | null)[] }[] {
  const trials = points.numbers("trial");
  const columns = points.view.dimensions.map((dimension) =>
    points.parameters(dimension).map((value) => position(dimension, value)),
  );
  const accuracies = points.numbers(ACCURACY);
  const [low] = accuracyRange(accuracies);
  columns.push(accuracies.map((value) => (value === null ? null : Math.max(value, low))));
  return trials.flatMap((trial, i) =>
    trial === null ? [] : [{ trial, values: columns.map((column) => column[i] ?? null) }],
  );
}

export function parallelPlot(points: Points, palette: Palette): PlotOption {
  const dimensions = points.view.dimensions;
  const range = accuracyRange(points.numbers(ACCURACY));
  // Where a parameter does not exist for a trial, its line has a gap.
  const data = lines(points).map(({ trial, values }) => ({
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
      min: range[0],
      max: range[1],
      inRange: { color: palette.sequence },
    },
    parallel: {
      left: 40,
      right: 60,
      top: 40,
      bottom: 24,
    },
    parallelAxis: axes(dimensions, range, palette) as never,
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
export function brushed(points: Points, brush: Brush): number[] {
  const accuracy = points.view.dimensions.length;
  const active = Object.entries(brush).filter(([, intervals]) => intervals.length > 0);
  return lines(points)
    .filter(({ values }) =>
      active.every(([axis, intervals]) => {
        const value = values[Number(axis)];
        return value != null && intervals.some(([low, high]) => value >= low && value <= high);
      }),
    )
    .sort((a, b) => (b.values[accuracy] ?? -1) - (a.values[accuracy] ?? -1))
    .map(({ trial }) => trial);
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
