// The search's results, trial by trial, and the best so far.

import type { SweepView } from "../api";
import { sourceText } from "../chosen";
import { axisName, measureText, objectiveOf, targetOf, titleOf } from "../measure";
import { axisStyle, base, divergedMark, GOAL_GRID, goalLines, tooltip, zoom } from "./base";
import type { PlotOption } from "./echarts";
import {
  metricAxis,
  metricGoal,
  metricRange,
  metricScale,
  worstOf,
  type ScaleKind,
} from "./metric_scale";
import type { Palette } from "./palette";
import { divergedRows, type Points } from "./points";
import { MOST_ROWS, type PlotTable } from "./table";

interface HistoryRow {
  trial: number;
  value: number; // best value of the measure
  qualifies: boolean;
  source: string; // how its values were chosen
}

// True when the best so far is known, which only the ranking measure has.
export function hasRecords(points: Points, sweep: SweepView): boolean {
  return points.measure.name === objectiveOf(sweep).name;
}

function historyRows(points: Points): HistoryRow[] {
  const trials = points.numbers("trial");
  const values = points.numbers("best");
  const qualifies = points.values("qualifies");
  const sources = points.values("chosen_source");
  const rows: HistoryRow[] = [];
  for (let i = 0; i < points.count; i += 1) {
    const trial = trials[i];
    const value = values[i];
    if (trial == null || value == null) continue;
    rows.push({ trial, value, qualifies: qualifies[i] === true, source: sourceText(sources[i]) });
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
  const { measure } = points;
  const rows = historyRows(points);
  const target = targetOf(sweep.target, measure);
  const values = [...rows.map((row) => row.value), target];
  const scale = metricScale([measure], kind, values);
  const records = new Set(hasRecords(points, sweep) ? points.view.records : []);
  // Uses the ranking's values, so that the line ends at the best value in the sweep's header.
  const trials = points.numbers("trial");
  const best = points.numbers("value").flatMap((value, i) => {
    const trial = trials[i];
    return trial != null && value !== null && records.has(trial)
      ? [[trial, scale.toAxis(value)]]
      : [];
  });
  const diverged = divergedRows(points).flatMap((i) => trials[i] ?? []);
  const last = Math.max(1, rows[rows.length - 1]?.trial ?? 1, ...diverged);
  const top = best[best.length - 1];
  if (top) best.push([last, top[1] ?? 0]);
  const range = metricRange(scale, values, floor);
  return {
    ...base(palette),
    grid: { ...GOAL_GRID, top: 16 },
    tooltip: {
      ...tooltip(palette, "item"),
      formatter: (params) => {
        const { row, text } = (params as { data?: { row?: HistoryRow; text?: string } }).data ?? {};
        if (text) return text;
        return row
          ? `trial ${row.trial}\n${measureText(measure, row.value)}${row.qualifies && sweep.gates.length > 0 ? "\nmeets the criteria" : ""}${row.source && `\n${row.source}`}`
          : "";
      },
    },
    xAxis: {
      ...axisStyle(palette, "trial"),
      type: "value",
      // Centres a single trial.
      min: last === 1 ? 0 : 1,
      max: last === 1 ? 2 : last,
      minInterval: 1,
      nameGap: 26,
      splitLine: { show: false },
    } as PlotOption["xAxis"],
    yAxis: metricAxis(scale, range, palette, axisName(measure, "best")),
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
        markLine: goalLines(
          {
            y: metricGoal(scale, target),
          },
          palette,
        ),
      },
      {
        id: "diverged",
        type: "scatter",
        ...divergedMark(palette),
        data: diverged.map((trial) => ({
          value: [trial, scale.toAxis(worstOf(measure, range))],
          trial,
          text: `trial ${trial}\ndiverged`,
        })),
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

export function historyTable(points: Points, sweep: SweepView): PlotTable {
  const records = new Set(hasRecords(points, sweep) ? points.view.records : []);
  return {
    columns: ["trial", titleOf(points.measure), "best so far", "meets the criteria"],
    rows: historyRows(points)
      .slice(0, MOST_ROWS)
      .map((row) => [
        String(row.trial),
        measureText(points.measure, row.value),
        records.has(row.trial) ? "yes" : "",
        row.qualifies ? "yes" : "no",
      ]),
  };
}
