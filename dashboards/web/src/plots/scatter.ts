// Accuracy against one thing: a parameter (slice), or the number of parameters with its Pareto front.

import type { Dimension, SweepView } from "../api";
import { integer, percent, valueText } from "../format";
import { axisStyle, base, divergedMark, GOAL_GRID, goalLines, goalText, tooltip } from "./base";
import type { PlotOption, PlotSeries } from "./echarts";
import { metricAxis, metricRange, metricScale, type ScaleKind } from "./metric_scale";
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
  choice: Choice,
  palette: Palette,
): PlotOption {
  const trials = points.numbers("trial");
  const accuracies = points.numbers("accuracy");
  const scale = metricScale("accuracy", choice.scale, accuracies);
  const qualifies = points.values("qualifies");
  const values = points.parameters(dimension);
  const category = dimension.kind === "category";
  const data = trials.flatMap((trial, i) => {
    const place = position(dimension, values[i] ?? null);
    const accuracy = accuracies[i];
    if (trial === null || place === null || accuracy == null) return [];
    return [
      {
        value: [category ? place + jitter(trial) : place, scale.toAxis(accuracy)],
        trial,
        text: `trial ${trial}\n${dimension.name} = ${valueText(values[i])}\n${percent(accuracy)}`,
        itemStyle: { color: qualifies[i] === true ? palette.accent : palette.muted, opacity: 0.7 },
      },
    ];
  });
  const x = pointAxes(dimension, palette);
  const range = metricRange(scale, accuracies, choice.floor);
  const diverged = divergedRows(points).flatMap((i) => {
    const place = position(dimension, values[i] ?? null);
    const trial = trials[i];
    if (trial == null || place === null) return [];
    return [
      {
        value: [category ? place + jitter(trial) : place, scale.toAxis(range.low)],
        trial,
        text: `trial ${trial}\n${dimension.name} = ${valueText(values[i])}\ndiverged`,
      },
    ];
  });
  return {
    ...base(palette),
    grid: { left: 56, right: 20, top: 16, bottom: wordsTilt(dimension) > 0 ? 74 : 40 },
    tooltip: { ...tooltip(palette, "item"), formatter: pointText },
    xAxis: x.axes,
    yAxis: metricAxis(scale, range, palette, "accuracy"),
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

function pointText(params: unknown): string {
  return (params as { data?: { text?: string } }).data?.text ?? "";
}

export function sliceTable(points: Points, dimension: Dimension): PlotTable {
  const trials = points.numbers("trial");
  const values = points.parameters(dimension);
  const accuracies = points.numbers("accuracy");
  return {
    columns: ["trial", dimension.name, "accuracy"],
    rows: trials
      .slice(0, MOST_ROWS)
      .map((trial, i) => [String(trial), valueText(values[i]), percent(accuracies[i])]),
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
  const scale = metricScale(
    "accuracy",
    choice.scale,
    all.map((row) => row.accuracy),
  );
  const front = all.filter((row) => row.front).sort((a, b) => a.parameters - b.parameters);
  const { accuracy, parameters } = sweep.target;
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
    yAxis: metricAxis(
      scale,
      metricRange(scale, [...all.map((row) => row.accuracy), accuracy], choice.floor),
      palette,
      "best accuracy",
    ),
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
    columns: ["trial", "network parameters", "accuracy", "Pareto front", "meets every gate"],
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
