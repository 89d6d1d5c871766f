// Measures of one trial over its epochs, one axis per unit, as in write-ups.

import type { EpochRow, Measure, TrialView } from "../api";
import { axisName, headingOf, measureText, targetOf, titleOf } from "../measure";
import { axisStyle, base, GOAL_GRID, goalLines, tooltip, zoom } from "./base";
import { dashOf } from "./curve_colours";
import type { PlotAxis, PlotOption, PlotSeries } from "./echarts";
import {
  metricAxis,
  metricGoal,
  metricRange,
  metricScale,
  type MetricScale,
  type ScaleKind,
} from "./metric_scale";
import type { Palette } from "./palette";
import type { PlotTable } from "./table";

// The counted row of each epoch: the one acknowledged first, from the earliest attempt.
export function countedRows(rows: EpochRow[]): EpochRow[] {
  const first = new Map<number, EpochRow>();
  for (const row of rows) {
    const known = first.get(row.epoch);
    if (!known || row.attempt < known.attempt) first.set(row.epoch, row);
  }
  return [...first.values()].sort((a, b) => a.epoch - b.epoch);
}

export function valuesOf(rows: EpochRow[], { name }: Measure): (number | null)[] {
  return rows.map((row) => row.values[name] ?? null);
}

// Lines continue over epochs without an evaluation, and have a gap where the value is no number.
export function lineOf(rows: EpochRow[], { name }: Measure, scale: MetricScale): [number, number][] {
  return rows.flatMap((row): [number, number][] => {
    const value = row.values[name];
    if (value === undefined) return [];
    return [[row.epoch, value === null ? NaN : scale.toAxis(value)]];
  });
}

export function epochAxis(epochs: number, palette: Palette): PlotAxis {
  return {
    ...axisStyle(palette, "epoch"),
    type: "value",
    min: 1,
    max: Math.max(2, epochs),
    minInterval: 1,
    nameGap: 26,
    splitLine: { show: false },
  } as PlotAxis;
}

// The epoch of an axis tooltip.
export function pointedEpoch(params: unknown): number {
  const first = (Array.isArray(params) ? params[0] : params) as { axisValue?: number } | undefined;
  return Math.round(first?.axisValue ?? 0);
}

export function colourOf(palette: Palette, place: number): string | undefined {
  return palette.series[place % palette.series.length];
}

export function epochsPlot(
  trial: TrialView,
  measures: Measure[],
  kind: ScaleKind,
  floor: number,
  palette: Palette,
): PlotOption {
  const rows = countedRows(trial.epoch_rows);
  const values = measures.flatMap((one) => [...valuesOf(rows, one), targetOf(trial.target, one)]);
  const scale = metricScale(measures, kind, values);
  const { epoch: lastEpoch } = trial.target;
  const curves = measures.map((measure, i): PlotSeries => {
    const colour = colourOf(palette, i);
    return {
      id: measure.name,
      name: titleOf(measure),
      type: "line",
      showSymbol: rows.length <= 30,
      symbolSize: 4,
      symbol: i % 2 === 0 ? "circle" : "emptyCircle",
      lineStyle: { width: i === 0 ? 2 : 1.4, color: colour, type: dashOf(2 * i) },
      itemStyle: { color: colour },
      data: lineOf(rows, measure, scale),
      markLine: goalLines(
        {
          y: metricGoal(scale, targetOf(trial.target, measure)),
          x:
            i === 0 && lastEpoch !== null && lastEpoch <= trial.epochs
              ? { value: lastEpoch, text: `last epoch ${lastEpoch}` }
              : null,
        },
        palette,
      ),
    };
  });
  const [first] = measures;
  return {
    ...base(palette),
    grid: GOAL_GRID,
    tooltip: {
      ...tooltip(palette, "axis"),
      formatter: (params) => {
        const epoch = pointedEpoch(params);
        const row = rows.find((candidate) => candidate.epoch === epoch);
        if (!row) return "";
        const lines = measures.map((one) => `${titleOf(one)} ${measureText(one, row.values[one.name])}`);
        return [`epoch ${epoch}`, ...lines].join("\n");
      },
    },
    xAxis: epochAxis(trial.epochs, palette),
    yAxis: metricAxis(
      scale,
      metricRange(scale, values, floor),
      palette,
      measures.length === 1 && first ? axisName(first) : "",
    ),
    dataZoom: zoom(),
    series: curves,
  };
}

// All reported values, whether drawn or not.
export function epochsTable(trial: TrialView): PlotTable {
  return {
    columns: ["attempt", "epoch", ...trial.reported.map(titleOf)],
    rows: trial.epoch_rows.map((row) => [
      String(row.attempt),
      String(row.epoch),
      ...trial.reported.map((one) => measureText(one, row.values[one.name])),
    ]),
  };
}

// "Loss, train loss"
export function epochsTitle(measures: Measure[]): string {
  return measures.map((one, i) => (i === 0 ? headingOf(one) : titleOf(one))).join(", ");
}
