// The same measure of several trials, over epochs.

import type { Measure, TrialView } from "../api";
import { shorten } from "../format";
import { axisName, measureText } from "../measure";
import { base, tooltip, zoom } from "./base";
import { dashOf } from "./curve_colours";
import type { PlotOption } from "./echarts";
import { colourOf, countedRows, epochAxis, lineOf, pointedEpoch, valuesOf } from "./epochs";
import { metricAxis, metricRange, metricScale, type ScaleKind } from "./metric_scale";
import type { Palette } from "./palette";
import type { PlotTable } from "./table";

// A unique id; trialName is short and for readers.
export function trialId(trial: Pick<TrialView, "sweep" | "trial">): string {
  return `${trial.sweep}/${trial.trial}`;
}

export function trialName(trial: TrialView): string {
  return `${shorten(trial.sweep, 30)}/${trial.trial}`;
}

export function comparisonPlot(
  trials: TrialView[],
  measure: Measure,
  kind: ScaleKind,
  floor: number,
  palette: Palette,
): PlotOption {
  const rows = trials.map((trial) => countedRows(trial.epoch_rows));
  const values = rows.flatMap((of) => valuesOf(of, measure));
  const scale = metricScale([measure], kind, values);
  return {
    ...base(palette),
    tooltip: {
      ...tooltip(palette, "axis"),
      formatter: (params) => {
        const epoch = pointedEpoch(params);
        const lines = trials.map((trial, i) => {
          const row = rows[i]?.find((candidate) => candidate.epoch === epoch);
          return `${trialName(trial)}  ${measureText(measure, row?.values[measure.name])}`;
        });
        return [`epoch ${epoch}`, ...lines].join("\n");
      },
    },
    xAxis: epochAxis(Math.max(...trials.map((trial) => trial.epochs)), palette),
    yAxis: metricAxis(scale, metricRange(scale, values, floor), palette, axisName(measure)),
    dataZoom: zoom(),
    series: trials.map((trial, i) => {
      const data = lineOf(rows[i] ?? [], measure, scale);
      return {
        id: trialId(trial),
        name: trialName(trial),
        type: "line",
        showSymbol: data.length < 2,
        symbolSize: 5,
        lineStyle: { width: 1.8, color: colourOf(palette, i), type: dashOf(i) },
        itemStyle: { color: colourOf(palette, i) },
        data,
      };
    }),
  };
}

export function comparisonTable(trials: TrialView[], measure: Measure): PlotTable {
  const rows = trials.map(
    (trial) => new Map(countedRows(trial.epoch_rows).map((row) => [row.epoch, row])),
  );
  const epochs = Math.max(0, ...rows.flatMap((map) => [...map.keys()]));
  return {
    columns: ["epoch", ...trials.map(trialName)],
    rows: Array.from({ length: epochs }, (_, i) => [
      String(i + 1),
      ...rows.map((map) => measureText(measure, map.get(i + 1)?.values[measure.name])),
    ]),
  };
}
