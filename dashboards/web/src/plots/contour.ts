// A measure over two parameters: the trials as points, with a smooth estimate between them.

import { contours } from "d3-contour";
import type { Dimension } from "../api";
import { valueText } from "../format";
import { measureText, signOf, titleOf } from "../measure";
import { base, divergedMark, tooltip } from "./base";
import type { PlotOption } from "./echarts";
import { metricScale } from "./metric_scale";
import type { Palette } from "./palette";
import { divergedRows, pointAxes, position, type Points } from "./points";
import { settingText } from "./scatter";
import { MOST_ROWS, type PlotTable } from "./table";

const GRID = 48;
const BANDWIDTH = 0.12; // of the kernel, as a share of an axis
const LEVELS = 9;

interface Sample {
  trial: number;
  x: number; // axis values
  y: number;
  u: number; // shares of the axes
  v: number;
  merit: number; // more is better, on the logarithmic scale; input of the estimate
  result: number; // the best value of the measure
}

interface Side {
  dimension: Dimension;
  low: number;
  high: number;
  log: boolean;
}

function sideOf(dimension: Dimension, values: number[]): Side {
  if (dimension.kind === "category")
    return { dimension, low: -0.5, high: dimension.categories.length - 0.5, log: false };
  const log = dimension.kind === "log" && (dimension.min ?? 0) > 0;
  const low = dimension.min ?? Math.min(...values);
  const high = dimension.max ?? Math.max(...values);
  return { dimension, low, high: high > low ? high : low + 1, log };
}

function share(side: Side, value: number): number {
  if (side.log) return Math.log(value / side.low) / Math.log(side.high / side.low);
  return (value - side.low) / (side.high - side.low);
}

function valueAt(side: Side, part: number): number {
  if (side.log) return side.low * (side.high / side.low) ** part;
  return side.low + part * (side.high - side.low);
}

function samplesOf(
  points: Points,
  x: Dimension,
  y: Dimension,
): { samples: Sample[]; diverged: Pick<Sample, "trial" | "x" | "y">[]; sides: [Side, Side] } {
  const xs = points.parameters(x).map((value) => position(x, value));
  const ys = points.parameters(y).map((value) => position(y, value));
  const numbers = (list: (number | null)[]): number[] =>
    list.filter((value): value is number => value !== null);
  const sides: [Side, Side] = [sideOf(x, numbers(xs)), sideOf(y, numbers(ys))];
  const results = points.numbers("best");
  const trials = points.numbers("trial");
  const scale = metricScale([points.measure], "log", results);
  const samples = trials.flatMap((trial, i) => {
    const [px, py, result] = [xs[i], ys[i], results[i]];
    if (trial === null || px == null || py == null || result == null) return [];
    return [
      {
        trial,
        x: px,
        y: py,
        u: share(sides[0], px),
        v: share(sides[1], py),
        result,
        merit: signOf(points.measure) * scale.toAxis(result),
      },
    ];
  });
  const diverged = divergedRows(points).flatMap((i) => {
    const [trial, px, py] = [trials[i], xs[i], ys[i]];
    return trial == null || px == null || py == null ? [] : [{ trial, x: px, y: py }];
  });
  return { samples, diverged, sides };
}

// Nadaraya-Watson kernel regression with a Gaussian: the mean of the trials, weighted by nearness.
export function estimate(samples: Pick<Sample, "u" | "v" | "merit">[], grid = GRID): number[] {
  const values: number[] = [];
  for (let j = 0; j < grid; j += 1) {
    for (let i = 0; i < grid; i += 1) {
      let weight = 1e-12;
      let sum = 0;
      for (const sample of samples) {
        const du = sample.u - i / (grid - 1);
        const dv = sample.v - j / (grid - 1);
        const w = Math.exp(-(du * du + dv * dv) / (2 * BANDWIDTH * BANDWIDTH)) + 1e-9;
        weight += w;
        sum += w * sample.merit;
      }
      values.push(sum / weight);
    }
  }
  return values;
}

function colourAt(palette: Palette, level: number): string {
  const steps = palette.sequence;
  return (
    steps[Math.min(steps.length - 1, Math.round((level / (LEVELS - 1)) * (steps.length - 1)))] ??
    palette.accent
  );
}

// The worst and the best value of the colour scale; null without samples.
export function contourRange(
  points: Points,
  x: Dimension,
  y: Dimension,
): [number, number] | null {
  const { samples } = samplesOf(points, x, y);
  if (samples.length === 0) return null;
  const values = estimate(samples);
  const { fromAxis } = metricScale([points.measure], "log", points.numbers("best"));
  const sign = signOf(points.measure);
  return [fromAxis(sign * Math.min(...values)), fromAxis(sign * Math.max(...values))];
}

export function contourPlot(
  points: Points,
  x: Dimension,
  y: Dimension,
  palette: Palette,
): PlotOption {
  const { samples, diverged, sides } = samplesOf(points, x, y);
  const settings = (at: { x: number; y: number }): string =>
    `${settingText(x, x.categories[at.x] ?? at.x)}\n${settingText(y, y.categories[at.y] ?? at.y)}`;
  const values = samples.length > 0 ? estimate(samples) : [];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const levels = Array.from({ length: LEVELS }, (_, i) => low + ((high - low) * i) / LEVELS);
  const areas = samples.length > 0 ? contours().size([GRID, GRID]).thresholds(levels)(values) : [];
  const across = pointAxes(x, palette);
  const up = pointAxes(y, palette, 50, true);
  const axes = { xAxisIndex: across.index, yAxisIndex: up.index };
  return {
    ...base(palette),
    grid: { left: 66, right: 20, top: 16, bottom: 40 },
    tooltip: {
      ...tooltip(palette, "item"),
      formatter: (params) => (params as { data?: { text?: string } }).data?.text ?? "",
    },
    xAxis: across.axes,
    yAxis: up.axes,
    series: [
      {
        id: "areas",
        ...axes,
        type: "custom",
        silent: true,
        clip: true,
        data: areas.map((_, i) => i),
        renderItem: (params, api) => {
          const area = areas[params.dataIndex];
          // The values of d3-contour's grid lie in the middle of cells.
          const point = ([gx = 0, gy = 0]: number[]): string =>
            api
              .coord([
                valueAt(sides[0], (gx - 0.5) / (GRID - 1)),
                valueAt(sides[1], (gy - 0.5) / (GRID - 1)),
              ])
              .map((n) => n.toFixed(1))
              .join(",");
          const path = (area?.coordinates ?? [])
            .flat()
            .map((ring) => `M${ring.map(point).join("L")}Z`)
            .join("");
          return {
            type: "path",
            shape: { pathData: path },
            style: {
              fill: colourAt(palette, params.dataIndex),
              opacity: 0.55,
              stroke: palette.surface,
              lineWidth: 0.6,
            },
          };
        },
      },
      {
        id: "points",
        ...axes,
        type: "scatter",
        symbolSize: samples.length > 300 ? 3 : 6,
        data: samples.map((sample) => ({
          value: [sample.x, sample.y],
          trial: sample.trial,
          text: `trial ${sample.trial}\n${settings(sample)}\n${measureText(points.measure, sample.result)}`,
          itemStyle: { color: palette.ink, borderColor: palette.surface, borderWidth: 1 },
        })),
      },
      {
        id: "diverged",
        ...axes,
        type: "scatter",
        ...divergedMark(palette),
        data: diverged.map((at) => ({
          value: [at.x, at.y],
          trial: at.trial,
          text: `trial ${at.trial}\n${settings(at)}\ndiverged`,
        })),
      },
    ],
  };
}

export function contourTable(
  points: Points,
  x: Dimension,
  y: Dimension,
): PlotTable {
  const [trials, xs, ys, results] = [
    points.numbers("trial"),
    points.parameters(x),
    points.parameters(y),
    points.numbers("best"),
  ];
  return {
    columns: ["trial", x.name, y.name, titleOf(points.measure)],
    rows: trials
      .slice(0, MOST_ROWS)
      .map((trial, i) => [
        String(trial),
        valueText(xs[i]),
        valueText(ys[i]),
        measureText(points.measure, results[i]),
      ]),
  };
}
