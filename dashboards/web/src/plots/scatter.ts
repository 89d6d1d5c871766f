// A measure against a parameter.

import type { Dimension, Value } from "../api";
import { shorten, valueText } from "../format";
import { axisName, measureText, titleOf } from "../measure";
import { base, divergedMark, tooltip } from "./base";
import type { PlotOption } from "./echarts";
import { metricAxis, metricRange, metricScale, worstOf, type ScaleKind } from "./metric_scale";
import type { Palette } from "./palette";
import { divergedRows, pointAxes, position, wordsTilt, type Points } from "./points";
import { MOST_ROWS, type PlotTable } from "./table";

export interface AxisChoice {
  scale: ScaleKind;
  floor: number;
}

// A fixed offset within a category, so that equal values do not hide each other.
export function jitter(trial: number): number {
  return (((trial * 0.6180339887) % 1) - 0.5) * 0.5;
}

export function symbolSize(count: number): number {
  return count > 400 ? 4 : 6;
}

export function slicePlot(
  points: Points,
  dimension: Dimension,
  choice: AxisChoice,
  palette: Palette,
): PlotOption {
  const { measure } = points;
  const trials = points.numbers("trial");
  const results = points.numbers("best");
  const scale = metricScale([measure], choice.scale, results);
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
        text: `trial ${trial}\n${settingText(dimension, values[i])}\n${measureText(measure, result)}`,
        itemStyle: { color: qualifies[i] === true ? palette.accent : palette.muted, opacity: 0.7 },
      },
    ];
  });
  const x = pointAxes(dimension, palette);
  const range = metricRange(scale, results, choice.floor);
  const diverged = divergedRows(points).flatMap((i) => {
    const place = position(dimension, values[i] ?? null);
    const trial = trials[i];
    if (trial == null || place === null) return [];
    return [
      {
        value: [category ? place + jitter(trial) : place, scale.toAxis(worstOf(measure, range))],
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
    yAxis: metricAxis(scale, range, palette, axisName(measure)),
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

// "lr = 0.1", shortened.
export function settingText(dimension: Dimension, value: Value | null | undefined): string {
  return `${shorten(dimension.name, 40)} = ${shorten(valueText(value), 40)}`;
}

export function pointText(params: unknown): string {
  return (params as { data?: { text?: string } }).data?.text ?? "";
}

export function sliceTable(points: Points, dimension: Dimension): PlotTable {
  const trials = points.numbers("trial");
  const values = points.parameters(dimension);
  const results = points.numbers("best");
  return {
    columns: ["trial", dimension.name, titleOf(points.measure)],
    rows: trials
      .slice(0, MOST_ROWS)
      .map((trial, i) => [String(trial), valueText(values[i]), measureText(points.measure, results[i])]),
  };
}
