// The chance that a run meets the criteria along one parameter, with the region in which runs do.

import type { Dimension, RegionView, Value } from "../api";
import { percent, shorten, valueText } from "../format";
import { axisStyle, base, goalLines } from "./base";
import type { PlotAxis, PlotOption, PlotSeries } from "./echarts";
import { areaOf, BAR, barsOf, lineOf, placesOf, runsOf, type Axes } from "./model";
import type { Palette } from "./palette";
import { pointAxes, position, wordsTilt } from "./points";
import type { PlotTable } from "./table";

export type RegionRange = RegionView["ranges"][number];
export type RegionSlice = RegionView["slices"][number];

export const REGION_HEIGHT = 230;
const HALF = 0.5; // of a category's place

// Where the region is on the axis: from, to. One band for a range, one for each category.
export function bandsOf(range: RegionRange, dimension: Dimension): [number, number][] {
  if (dimension.kind === "category")
    return range.values.flatMap((value): [number, number][] => {
      const at = position(dimension, value);
      return at === null ? [] : [[at - HALF, at + HALF]];
    });
  const [low, high] = [position(dimension, range.low), position(dimension, range.high)];
  return low === null || high === null ? [] : [[low, high]];
}

// Behind everything else, from the bottom of the plot to the top.
export function bandSeries(
  range: RegionRange | undefined,
  dimension: Dimension,
  axes: Axes,
  palette: Palette,
): PlotSeries[] {
  const bands = range ? bandsOf(range, dimension) : [];
  if (bands.length === 0) return [];
  return [
    {
      id: "region",
      type: "custom",
      ...axes,
      silent: true,
      clip: true,
      z: 0,
      data: bands,
      // The bands do not stretch the axis of values, which they have none of.
      encode: { x: [0, 1], y: [] },
      renderItem: (params, api) => {
        const area = params.coordSys as unknown as { y: number; height: number };
        const y = Number(api.value(0));
        const [left = 0] = api.coord([y, 0]);
        const [right = 0] = api.coord([Number(api.value(1)), 0]);
        return {
          type: "rect",
          shape: { x: left, y: area.y, width: Math.max(right - left, 1), height: area.height },
          style: { fill: palette.good, opacity: 0.14 },
        };
      },
    },
  ];
}

export function regionPlot(
  view: RegionView,
  dimension: Dimension,
  slice: RegionSlice,
  palette: Palette,
): PlotOption {
  const { axes, index } = pointAxes(dimension, palette);
  const at = { xAxisIndex: index, yAxisIndex: 0 };
  const runs = runsOf(placesOf(slice, dimension), slice.chance);
  const edge = (i: number): [number, number] => [slice.low[i] ?? NaN, slice.high[i] ?? NaN];
  const mean = (i: number): [number, number] => [slice.chance[i] ?? NaN, slice.chance[i] ?? NaN];
  const isCategory = dimension.kind === "category";
  const drawn: PlotSeries[] = isCategory
    ? [
        barsOf("interval", runs.flat(), edge, [-BAR, BAR], at, palette.accent, 0.18),
        barsOf("chance-0", runs.flat(), mean, [-BAR, BAR], at, palette.accent, 1),
      ]
    : [
        areaOf("interval", runs, edge, at, palette.accent, 0.18),
        ...runs.map((run, i) =>
          lineOf(`chance-${i}`, run, slice.chance, (value) => value, at, { color: palette.accent, width: 2 }),
        ),
      ];
  const share = { value: view.share, text: percent(view.share, 0) };
  return {
    ...base(palette),
    grid: { left: 78, right: 44, top: 14, bottom: wordsTilt(dimension) > 0 ? 74 : 40, outerBoundsMode: "none" },
    xAxis: axes,
    yAxis: {
      ...axisStyle(palette, "chance"),
      type: "value",
      min: 0,
      max: 1,
      nameGap: 44,
      axisLabel: { color: palette.muted, formatter: (value: number) => percent(value, 0) },
    } as PlotAxis,
    series: [
      ...bandSeries(rangeOf(view, dimension), dimension, at, palette),
      ...drawn,
      { id: "share", type: "line", ...at, silent: true, data: [], markLine: goalLines({ y: share }, palette) ?? {} },
    ],
  };
}

export function rangeOf(view: RegionView | undefined, { name }: Dimension): RegionRange | undefined {
  return view?.ranges.find((range) => range.name === name);
}

function text(low: Value | null, high: Value | null, values: Value[]): string {
  if (values.length > 0) return values.map(valueText).join(", ");
  return low === high ? valueText(low) : `${valueText(low)} to ${valueText(high)}`;
}

// "0.01 to 0.2", or "constant, cosine"
export function rangeText({ low, high, values }: RegionRange): string {
  return text(low, high, values);
}

export function triedText({ tried_low, tried_high, tried }: RegionRange): string {
  return text(tried_low, tried_high, tried);
}

// For readers who cannot see the plot.
export function regionSummary(view: RegionView, dimension: Dimension): string {
  const range = rangeOf(view, dimension);
  const where = `the chance that a run meets the criteria over ${shorten(dimension.name, 40)}`;
  return range ? `${where}; the region has ${shorten(rangeText(range), 80)}` : where;
}

export function regionTable(dimension: Dimension, slice: RegionSlice): PlotTable {
  return {
    columns: [dimension.name, "chance", "2.5 %", "97.5 %"],
    rows: slice.values.map((value, i) => [
      valueText(value),
      ...[slice.chance, slice.low, slice.high].map((list) => percent(list[i], 1)),
    ]),
  };
}
