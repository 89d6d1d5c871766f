// What the sweep ranks by against a parameter (slice), and accuracy against the number of the network's
// parameters with its Pareto front.

import type { Dimension, SweepView, Value } from "../api";
import { integer, metricText, percent, shorten, valueText } from "../format";
import { axisStyle, base, divergedMark, GOAL_GRID, goalLines, goalText, tooltip } from "./base";
import type { PlotOption, PlotSeries } from "./echarts";
import {
  metricAxis,
  metricRange,
  metricScale,
  worstOf,
  type Metric,
  type ScaleKind,
} from "./metric_scale";
import type { Palette } from "./palette";
import { divergedRows, pointAxes, position, wordsTilt, type Points } from "./points";
import { MOST_ROWS, type PlotTable } from "./table";

interface Choice {
  scale: ScaleKind;
  floor: number;
}

// A fixed sidestep within a category, so that equal values do not hide each other.
function jitter(trial: number): number {
  return (((trial * 0.6180339887) % 1) - 0.5) * 0.5;
}

function symbolSize(count: number): number {
  return count > 400 ? 4 : 6;
}

export function slicePlot(
  points: Points,
  dimension: Dimension,
  choice: Choice & { metric: Metric },
  palette: Palette,
): PlotOption {
  const { metric } = choice;
  const trials = points.numbers("trial");
  const results = points.numbers(metric);
  const scale = metricScale(metric, choice.scale, results);
  const qualifies = points.values("qualifies");
  const values = points.parameters(dimension);
  const category = dimension.kind === "category";
  const data = trials.flatMap((trial, i) => {
    const place = position(dimension, values[i] ?? null);
    const result = results[i];
    if (trial === null || place === null || result == null) return [];
    return [
      {
        value: [category ? place + jitter(trial) : place, scale.toAxis(result)],
        trial,
        text: `trial ${trial}\n${settingText(dimension, values[i])}\n${metricText(metric, result)}`,
        itemStyle: { color: qualifies[i] === true ? palette.accent : palette.muted, opacity: 0.7 },
      },
    ];
  });
  const x = pointAxes(dimension, palette);
  const range = metricRange(scale, results, metric === "accuracy" ? choice.floor : 0);
  const diverged = divergedRows(points).flatMap((i) => {
    const place = position(dimension, values[i] ?? null);
    const trial = trials[i];
    if (trial == null || place === null) return [];
    return [
      {
        value: [category ? place + jitter(trial) : place, scale.toAxis(worstOf(metric, range))],
        trial,
        text: `trial ${trial}\n${settingText(dimension, values[i])}\ndiverged`,
      },
    ];
  });
  return {
    ...base(palette),
    grid: { left: 56, right: 20, top: 16, bottom: wordsTilt(dimension) > 0 ? 74 : 40 },
    tooltip: { ...tooltip(palette, "item"), formatter: pointText },
    xAxis: x.axes,
    yAxis: metricAxis(scale, range, palette, metric),
    series: [
      {
        id: "points",
        type: "scatter",
        xAxisIndex: x.index,
        symbolSize: symbolSize(data.length),
        data,
        clip: true,
      },
      {
        id: "diverged",
        type: "scatter",
        xAxisIndex: x.index,
        ...divergedMark(palette),
        data: diverged,
      },
    ],
  };
}

// "lr = 0.1", of any length.
export function settingText(dimension: Dimension, value: Value | null | undefined): string {
  return `${shorten(dimension.name, 40)} = ${shorten(valueText(value), 40)}`;
}

function pointText(params: unknown): string {
  return (params as { data?: { text?: string } }).data?.text ?? "";
}

export function sliceTable(points: Points, dimension: Dimension, metric: Metric): PlotTable {
  const trials = points.numbers("trial");
  const values = points.parameters(dimension);
  const results = points.numbers(metric);
  return {
    columns: ["trial", dimension.name, metric],
    rows: trials
      .slice(0, MOST_ROWS)
      .map((trial, i) => [String(trial), valueText(values[i]), metricText(metric, results[i])]),
  };
}

interface Candidate {
  trial: number;
  parameters: number;
  accuracy: number;
  qualifies: boolean;
  front: boolean;
}

function candidates(points: Points): Candidate[] {
  const trials = points.numbers("trial");
  const parameters = points.numbers("network_parameters");
  const accuracies = points.numbers("accuracy");
  const qualifies = points.values("qualifies");
  const front = new Set(points.view.front);
  return trials.flatMap((trial, i) => {
    const size = parameters[i];
    const accuracy = accuracies[i];
    if (trial === null || size == null || accuracy == null) return [];
    return [
      {
        trial,
        parameters: size,
        accuracy,
        qualifies: qualifies[i] === true,
        front: front.has(trial),
      },
    ];
  });
}

export function paretoPlot(
  points: Points,
  sweep: SweepView,
  choice: Choice,
  palette: Palette,
): PlotOption {
  const all = candidates(points);
  const { accuracy, parameters } = sweep.target;
  const results = [...all.map((row) => row.accuracy), accuracy];
  const scale = metricScale("accuracy", choice.scale, results);
  const front = all.filter((row) => row.front).sort((a, b) => a.parameters - b.parameters);
  const sizes = [...all.map((row) => row.parameters), ...(parameters === null ? [] : [parameters])];
  const low = Math.min(...sizes);
  const high = Math.max(...sizes);
  const air = Math.max((high - low) * 0.08, 10);
  const dots: PlotSeries = {
    id: "trials",
    type: "scatter",
    symbolSize: symbolSize(all.length),
    clip: true,
    data: all.map((row) => ({
      value: [row.parameters, scale.toAxis(row.accuracy)],
      trial: row.trial,
      text: `trial ${row.trial}\n${integer(row.parameters)} parameters\n${percent(row.accuracy)}${row.front ? "\non the Pareto front" : ""}`,
      itemStyle: {
        color: row.front ? palette.target : row.qualifies ? palette.accent : palette.muted,
        opacity: row.front ? 1 : 0.6,
      },
    })),
  };
  return {
    ...base(palette),
    grid: GOAL_GRID,
    tooltip: { ...tooltip(palette, "item"), formatter: pointText },
    xAxis: {
      ...axisStyle(palette, "network parameters"),
      type: "value",
      min: Math.max(0, Math.floor(low - air)),
      max: Math.ceil(high + air),
      nameGap: 26,
      axisLabel: {
        color: palette.muted,
        hideOverlap: true,
        showMinLabel: false,
        showMaxLabel: false,
        formatter: (value: number) => integer(value),
      },
    } as PlotOption["xAxis"],
    yAxis: metricAxis(scale, metricRange(scale, results, choice.floor), palette, "best accuracy"),
    series: [
      {
        id: "front",
        type: "line",
        step: "end",
        showSymbol: false,
        silent: true,
        data: front.map((row) => [row.parameters, scale.toAxis(row.accuracy)]),
        lineStyle: { color: palette.target, width: 1.5 },
        markLine: goalLines(
          {
            y:
              accuracy === null
                ? null
                : { value: scale.toAxis(accuracy), name: "target", text: goalText(accuracy) },
            x:
              parameters === null
                ? null
                : { value: parameters, text: `at most ${integer(parameters)}` },
          },
          palette,
        ),
      },
      dots,
    ],
  };
}

export function paretoTable(points: Points): PlotTable {
  return {
    columns: ["trial", "network parameters", "accuracy", "Pareto front", "meets the criteria"],
    rows: candidates(points)
      .sort((a, b) => Number(b.front) - Number(a.front) || a.parameters - b.parameters)
      .slice(0, MOST_ROWS)
      .map((row) => [
        String(row.trial),
        integer(row.parameters),
        percent(row.accuracy),
        row.front ? "yes" : "",
        row.qualifies ? "yes" : "no",
      ]),
  };
}
