// The same metric of several trials, over epochs.

import type { TrialView } from "../api";
import { metricText, shorten } from "../format";
import { axisStyle, base, tooltip, zoom } from "./base";
import type { PlotOption } from "./echarts";
import { countedRows, metricOf } from "./epochs";
import { metricAxis, metricRange, metricScale, type Metric, type ScaleKind } from "./metric_scale";
import type { Palette } from "./palette";
import type { PlotTable } from "./table";

const DASHES = ["solid", "dashed", "dotted"] as const;

// Of the trial at this place: beside its colour, for those who cannot tell colours apart.
export function dashOf(place: number): (typeof DASHES)[number] {
  return DASHES[Math.floor(place / 2) % DASHES.length] ?? "solid";
}

// One of a kind; trialName is for readers, and short.
export function trialId(trial: Pick<TrialView, "sweep" | "trial">): string {
  return `${trial.sweep}/${trial.trial}`;
}

export function trialName(trial: TrialView): string {
  return `${shorten(trial.sweep, 30)}/${trial.trial}`;
}

export function comparisonPlot(
  trials: TrialView[],
  metric: Metric,
  kind: ScaleKind,
  floor: number,
  palette: Palette,
): PlotOption {
  const rows = trials.map((trial) => countedRows(trial.epoch_rows));
  const values = rows.flat().map((row) => metricOf(row, "validation", metric));
  const scale = metricScale(metric, kind, values);
  return {
    ...base(palette),
    tooltip: {
      ...tooltip(palette, "axis"),
      formatter: (params) => {
        const list = (Array.isArray(params) ? params : [params]) as { axisValue?: number }[];
        const epoch = Math.round(list[0]?.axisValue ?? 0);
        const lines = trials.map((trial, i) => {
          const row = rows[i]?.find((candidate) => candidate.epoch === epoch);
          return `${trialName(trial)}  ${metricText(metric, row ? metricOf(row, "validation", metric) : null)}`;
        });
        return [`epoch ${epoch}`, ...lines].join("\n");
      },
    },
    xAxis: {
      ...axisStyle(palette, "epoch"),
      type: "value",
      min: 1,
      max: Math.max(2, ...trials.map((trial) => trial.epochs)),
      minInterval: 1,
      nameGap: 26,
      splitLine: { show: false },
    } as PlotOption["xAxis"],
    yAxis: metricAxis(
      scale,
      metricRange(scale, values, metric === "accuracy" ? floor : 0),
      palette,
      `validation ${metric}`,
    ),
    dataZoom: zoom(),
    series: trials.map((trial, i) => ({
      id: trialId(trial),
      name: trialName(trial),
      type: "line",
      showSymbol: (rows[i]?.length ?? 0) < 2,
      symbolSize: 5,
      lineStyle: {
        width: 1.8,
        color: palette.series[i % palette.series.length],
        type: dashOf(i),
      },
      itemStyle: { color: palette.series[i % palette.series.length] },
      data: (rows[i] ?? []).map((row) => {
        const value = metricOf(row, "validation", metric);
        return [row.epoch, value === null ? NaN : scale.toAxis(value)];
      }),
    })),
  };
}

export function comparisonTable(trials: TrialView[], metric: Metric): PlotTable {
  const rows = trials.map(
    (trial) => new Map(countedRows(trial.epoch_rows).map((row) => [row.epoch, row])),
  );
  const epochs = Math.max(0, ...rows.flatMap((map) => [...map.keys()]));
  return {
    columns: ["epoch", ...trials.map(trialName)],
    rows: Array.from({ length: epochs }, (_, i) => [
      String(i + 1),
      ...rows.map((map) => {
        const row = map.get(i + 1);
        return metricText(metric, row ? metricOf(row, "validation", metric) : null);
      }),
    ]),
  };
}
