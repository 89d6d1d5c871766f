// What the search found, trial by trial, and the best so far.

import type { SweepView } from "../api";
import { metricText } from "../format";
import { axisStyle, base, tooltip, zoom } from "./base";
import type { PlotOption } from "./echarts";
import { metricAxis, metricRange, metricScale, type Metric, type ScaleKind } from "./metric_scale";
import type { Palette } from "./palette";
import type { Points } from "./points";
import { MOST_ROWS, type PlotTable } from "./table";

interface HistoryRow {
  trial: number;
  value: number; // best of the sweep's metric
  qualifies: boolean;
}

function historyRows(points: Points, metric: Metric): HistoryRow[] {
  const trials = points.numbers("trial");
  const values = points.numbers(metric);
  const qualifies = points.values("qualifies");
  const rows: HistoryRow[] = [];
  for (let i = 0; i < points.count; i += 1) {
    const trial = trials[i];
    const value = values[i];
    if (trial == null || value == null) continue;
    rows.push({ trial, value, qualifies: qualifies[i] === true });
  }
  return rows.sort((a, b) => a.trial - b.trial);
}

export function historyPlot(
  points: Points,
  sweep: SweepView,
  kind: ScaleKind,
  floor: number,
  palette: Palette,
): PlotOption {
  const { metric } = sweep;
  const scale = metricScale(metric, kind);
  const rows = historyRows(points, metric);
  const records = new Set(points.view.records);
  // What the ranking has of them, so that the line ends at the best that the sweep's header names.
  const trials = points.numbers("trial");
  const best = points.numbers("value").flatMap((value, i) => {
    const trial = trials[i];
    return trial != null && value !== null && records.has(trial)
      ? [[trial, scale.toAxis(value)]]
      : [];
  });
  const last = rows[rows.length - 1];
  const top = best[best.length - 1];
  if (last && top) best.push([last.trial, top[1] ?? 0]);
  const target = metric === "accuracy" ? sweep.target.accuracy : null;
  const range = metricRange(
    scale,
    [...rows.map((row) => row.value), target],
    metric === "accuracy" ? floor : 0,
  );
  return {
    ...base(palette),
    tooltip: {
      ...tooltip(palette, "item"),
      formatter: (params) => {
        const row = (params as { data?: { row?: HistoryRow } }).data?.row;
        return row
          ? `trial ${row.trial}\n${metricText(metric, row.value)}${row.qualifies ? "\nmeets every gate" : ""}`
          : "";
      },
    },
    xAxis: {
      ...axisStyle(palette, "trial"),
      type: "value",
      min: 1,
      max: Math.max(2, last?.trial ?? 2),
      minInterval: 1,
      nameGap: 26,
      splitLine: { show: false },
    } as PlotOption["xAxis"],
    yAxis: metricAxis(scale, range, palette, `best validation ${metric}`),
    dataZoom: zoom(),
    series: [
      {
        id: "best",
        type: "line",
        step: "end",
        showSymbol: false,
        silent: true,
        data: best,
        lineStyle: { color: palette.accent, width: 1.6 },
        markLine:
          target === null
            ? undefined
            : {
                silent: true,
                symbol: "none",
                animation: false,
                lineStyle: { color: palette.target, type: "dashed" },
                label: {
                  color: palette.target,
                  position: "insideStartTop",
                  formatter: `target ${Number((target * 100).toFixed(3))} %`,
                },
                data: [{ yAxis: scale.toAxis(target) }],
              },
      },
      {
        id: "trials",
        type: "scatter",
        symbolSize: rows.length > 400 ? 4 : 7,
        clip: true,
        data: rows.map((row) => ({
          value: [row.trial, scale.toAxis(row.value)],
          trial: row.trial,
          row,
          itemStyle: {
            color: row.qualifies ? palette.accent : palette.muted,
            opacity: row.qualifies ? 0.95 : 0.6,
          },
        })),
      },
    ],
  };
}

export function historyTable(points: Points, metric: Metric): PlotTable {
  const records = new Set(points.view.records);
  return {
    columns: ["trial", metric, "best so far", "meets every gate"],
    rows: historyRows(points, metric)
      .slice(0, MOST_ROWS)
      .map((row) => [
        String(row.trial),
        metricText(metric, row.value),
        records.has(row.trial) ? "yes" : "",
        row.qualifies ? "yes" : "no",
      ]),
  };
}
