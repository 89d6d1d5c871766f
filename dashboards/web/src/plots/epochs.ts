// Loss or accuracy of one trial over its epochs, training and validation, as write-ups plot them.

import type { EpochRow, TrialView } from "../api";
import { integer, metricText, number, percent, seconds } from "../format";
import { axisStyle, base, GOAL_GRID, goalLines, goalText, tooltip, zoom } from "./base";
import type { PlotOption, PlotSeries } from "./echarts";
import { metricAxis, metricRange, metricScale, type Metric, type ScaleKind } from "./metric_scale";
import type { Palette } from "./palette";
import type { PlotTable } from "./table";

// The row of each epoch that counts: the first that was acknowledged, which is the earliest attempt's.
export function countedRows(rows: EpochRow[]): EpochRow[] {
  const first = new Map<number, EpochRow>();
  for (const row of rows) {
    const known = first.get(row.epoch);
    if (!known || row.attempt < known.attempt) first.set(row.epoch, row);
  }
  return [...first.values()].sort((a, b) => a.epoch - b.epoch);
}

export function metricOf(
  row: EpochRow,
  part: "train" | "validation",
  metric: Metric,
): number | null {
  return row[`${part}_${metric}`];
}

export function epochsPlot(
  trial: TrialView,
  metric: Metric,
  kind: ScaleKind,
  floor: number,
  palette: Palette,
): PlotOption {
  const rows = countedRows(trial.epoch_rows);
  const values = rows.flatMap((row) => [
    metricOf(row, "train", metric),
    metricOf(row, "validation", metric),
  ]);
  const target = metric === "accuracy" ? trial.target.accuracy : null;
  const scale = metricScale(metric, kind, [...values, target]);
  const lastEpoch = trial.target.epoch;
  const curve = (
    part: "train" | "validation",
    colour: string | undefined,
    width: number,
  ): PlotSeries => ({
    id: part,
    name: part,
    type: "line",
    showSymbol: rows.length <= 30,
    symbolSize: 4,
    symbol: part === "train" ? "emptyCircle" : "circle",
    lineStyle: { width, color: colour, type: part === "train" ? "dashed" : "solid" },
    itemStyle: { color: colour },
    data: rows.map((row) => {
      const value = metricOf(row, part, metric);
      return [row.epoch, value === null ? NaN : scale.toAxis(value)];
    }),
  });
  return {
    ...base(palette),
    grid: GOAL_GRID,
    tooltip: {
      ...tooltip(palette, "axis"),
      formatter: (params) => {
        const first = (Array.isArray(params) ? params[0] : params) as
          | { axisValue?: number }
          | undefined;
        const row = rows.find((candidate) => candidate.epoch === Math.round(first?.axisValue ?? 0));
        if (!row) return "";
        return `epoch ${row.epoch}\nvalidation ${metricText(metric, metricOf(row, "validation", metric))}\ntrain ${metricText(metric, metricOf(row, "train", metric))}`;
      },
    },
    xAxis: {
      ...axisStyle(palette, "epoch"),
      type: "value",
      min: 1,
      max: Math.max(2, trial.epochs),
      minInterval: 1,
      nameGap: 26,
      splitLine: { show: false },
    } as PlotOption["xAxis"],
    yAxis: metricAxis(
      scale,
      metricRange(scale, [...values, target], metric === "accuracy" ? floor : 0),
      palette,
      metric,
    ),
    dataZoom: zoom(),
    series: [
      curve("train", palette.series[1], 1.4),
      {
        ...curve("validation", palette.series[0], 2),
        markLine: goalLines(
          {
            y:
              target === null
                ? null
                : { value: scale.toAxis(target), name: "target", text: goalText(target) },
            x:
              lastEpoch !== null && lastEpoch <= trial.epochs
                ? { value: lastEpoch, text: `last epoch ${lastEpoch}` }
                : null,
          },
          palette,
        ),
      } as PlotSeries,
    ],
  };
}

export function epochsTable(trial: TrialView): PlotTable {
  return {
    columns: [
      "attempt",
      "epoch",
      "lr",
      "train loss",
      "train accuracy",
      "validation loss",
      "validation accuracy",
      "train",
      "evaluate",
      "images/s",
    ],
    rows: trial.epoch_rows.map((row) => [
      String(row.attempt),
      String(row.epoch),
      number(row.lr),
      number(row.train_loss),
      percent(row.train_accuracy),
      number(row.validation_loss),
      percent(row.validation_accuracy),
      // A time or a speed of 0 is none that was measured.
      seconds(row.train_seconds || null),
      seconds(row.evaluate_seconds || null),
      integer(row.images_per_second || null),
    ]),
  };
}
