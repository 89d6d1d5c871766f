// The segments in which a population is trained, over the epochs: who went on from whom.

import type { Dimension, Measure, PopulationView, Value } from "../api";
import { sourceText } from "../chosen";
import { shorten, valueText } from "../format";
import { axisName, findMeasure, measureText, titleOf } from "../measure";
import { axisStyle, base, tooltip, zoom } from "./base";
import type { PlotAxis, PlotOption } from "./echarts";
import { metricAxis, metricRange, metricScale, type MetricScale } from "./metric_scale";
import type { Palette } from "./palette";
import { dimensionAxis, position } from "./points";
import { jitter, pointText, type AxisChoice } from "./scatter";
import { MOST_ROWS, type PlotTable } from "./table";

export type Segment = PopulationView["segments"][number];

// What is drawn upwards: the measure, or a parameter.
export type Upwards = Dimension | null;

interface Place {
  segment: Segment;
  y: number;
}

const COPIED = "copied";

function settingOf(segment: Segment, dimension: Dimension): Value | null {
  return segment.parameters[dimension.name] ?? null;
}

// Segments that have a place, by trial.
function placesOf(view: PopulationView, upwards: Upwards, scale: MetricScale): Map<number, Place> {
  const places = new Map<number, Place>();
  for (const segment of view.segments) {
    let y: number | null;
    if (upwards === null) {
      y = segment.last === null ? null : scale.toAxis(segment.last);
    } else {
      y = position(upwards, settingOf(segment, upwards));
      if (y !== null && upwards.kind === "category") y += jitter(segment.member);
    }
    if (y !== null && segment.epoch > segment.start_epoch) places.set(segment.trial, { segment, y });
  }
  return places;
}

// Lines from each parent to its children, with a gap after each.
function linesOf(places: Map<number, Place>, wanted: (segment: Segment) => boolean): (number | null)[][] {
  const lines: (number | null)[][] = [];
  for (const { segment, y } of places.values()) {
    const parent = segment.parent === null ? undefined : places.get(segment.parent);
    if (!parent || !wanted(segment)) continue;
    lines.push([segment.start_epoch, parent.y], [segment.epoch, y], [null, null]);
  }
  return lines;
}

// True for a segment that others, or the end of the training, have come from.
export function survivors(view: PopulationView): Set<number> {
  const parents = new Map(view.segments.map(({ trial, parent }) => [trial, parent]));
  const alive = new Set<number>();
  for (const segment of view.segments) {
    if (segment.epoch < view.epochs) continue;
    for (let trial: number | null = segment.trial; trial !== null; trial = parents.get(trial) ?? null) {
      if (alive.has(trial)) break;
      alive.add(trial);
    }
  }
  return alive;
}

function textOf(segment: Segment, measure: Measure): string {
  const source = sourceText(segment.chosen_source);
  const from = segment.parent === null ? "" : ` from trial ${segment.parent}`;
  const settings = Object.entries(segment.parameters)
    .slice(0, 8)
    .map(([name, value]) => `${shorten(name, 30)} = ${shorten(valueText(value), 30)}`);
  return [
    `trial ${segment.trial}, member ${segment.member}`,
    `epochs ${segment.start_epoch + 1} to ${segment.epoch}${from}`,
    ...(segment.last === null ? [] : [measureText(measure, segment.last)]),
    ...(source === "" ? [] : [source]),
    ...settings,
  ].join("\n");
}

// A category is drawn on an axis of numbers, whose labels are its words.
function upwardsAxis(upwards: Dimension, palette: Palette): PlotAxis {
  const axis = dimensionAxis(upwards, palette, 44, true);
  if (upwards.kind !== "category") return axis;
  return {
    ...axisStyle(palette, shorten(upwards.name, 30)),
    type: "value",
    nameGap: 44,
    min: -0.5,
    max: upwards.categories.length - 0.5,
    interval: 1,
    splitLine: { show: false },
    axisLabel: {
      color: palette.muted,
      customValues: upwards.categories.map((_, i) => i),
      formatter: (place: number) => shorten(valueText(upwards.categories[Math.round(place)]), 10),
    },
  } as PlotAxis;
}

export function populationPlot(
  view: PopulationView,
  upwards: Upwards,
  choice: AxisChoice,
  palette: Palette,
): PlotOption {
  const measure = findMeasure(view.measures, view.metric);
  const values = view.segments.map(({ last }) => last);
  const scale = metricScale([measure], choice.scale, values);
  const range = metricRange(scale, values, choice.floor);
  const places = placesOf(view, upwards, scale);
  const alive = survivors(view);
  return {
    ...base(palette),
    grid: { left: 64, right: 20, top: 16, bottom: 40 },
    tooltip: { ...tooltip(palette, "item"), formatter: pointText },
    xAxis: {
      ...axisStyle(palette, "epoch"),
      type: "value",
      min: 0,
      max: view.epochs,
      minInterval: 1,
      nameGap: 26,
      splitLine: { show: false },
    } as PlotOption["xAxis"],
    yAxis:
      upwards === null
        ? metricAxis(scale, range, palette, axisName(measure, "last"))
        : upwardsAxis(upwards, palette),
    dataZoom: zoom(),
    series: [
      {
        id: "went_on",
        type: "line",
        showSymbol: false,
        silent: true,
        connectNulls: false,
        data: linesOf(places, ({ chosen_source }) => chosen_source !== COPIED),
        lineStyle: { color: palette.muted, width: 1.2, opacity: 0.7 },
      },
      {
        id: "copied",
        type: "line",
        showSymbol: false,
        silent: true,
        connectNulls: false,
        data: linesOf(places, ({ chosen_source }) => chosen_source === COPIED),
        lineStyle: { color: palette.accent, width: 1.6, type: "dashed" },
      },
      {
        id: "segments",
        type: "scatter",
        symbolSize: places.size > 400 ? 4 : 7,
        clip: true,
        data: [...places.values()].map(({ segment, y }) => ({
          value: [segment.epoch, y],
          trial: segment.trial,
          text: textOf(segment, measure),
          itemStyle: {
            color: alive.has(segment.trial) ? palette.accent : palette.muted,
            opacity: alive.has(segment.trial) ? 0.95 : 0.6,
          },
        })),
      },
    ],
  };
}

export function populationTable(view: PopulationView): PlotTable {
  const measure = findMeasure(view.measures, view.metric);
  const names = view.dimensions.map(({ name }) => name);
  return {
    columns: ["trial", "member", "from trial", "epochs", titleOf(measure), "chosen", ...names],
    rows: view.segments
      .slice(0, MOST_ROWS)
      .map((segment) => [
        String(segment.trial),
        String(segment.member),
        segment.parent === null ? "" : String(segment.parent),
        `${segment.start_epoch + 1} to ${segment.epoch}`,
        measureText(measure, segment.last),
        sourceText(segment.chosen_source),
        ...names.map((name) => valueText(segment.parameters[name])),
      ]),
  };
}

// "24 segments of 8 members, 5 of them copies"
export function populationSummary(view: PopulationView): string {
  const copies = view.segments.filter(({ chosen_source }) => chosen_source === COPIED).length;
  return `${view.total} segments of ${view.population} members, ${copies} of them copies of a better member`;
}
