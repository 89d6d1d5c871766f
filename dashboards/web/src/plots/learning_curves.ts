// All trials of a sweep over their epochs: bands of quantiles, and curves of single trials.

import type { CurvesView, Measure, SweepView } from "../api";
import { plural } from "../format";
import { axisName, bestIn, findMeasure, measureText, targetOf } from "../measure";
import { base, GOAL_GRID, goalLines, zoom } from "./base";
import { fromWorst, styleOf, type Colouring, type CurveStyle } from "./curve_colours";
import type { PlotOption, PlotSeries } from "./echarts";
import { epochAxis } from "./epochs";
import {
  metricAxis,
  metricGoal,
  metricRange,
  metricScale,
  type MetricScale,
  type ScaleKind,
} from "./metric_scale";
import type { Palette } from "./palette";
import type { PlotTable } from "./table";

type Band = CurvesView["bands"][number];

export interface CurvesChoice {
  scale: ScaleKind;
  floor: number; // lowest share shown; 0: all
}

function bandSeries(
  bands: Band[],
  scale: MetricScale,
  low: "p5" | "p25",
  high: "p75" | "p95",
  palette: Palette,
): PlotSeries {
  return {
    id: `band-${low}`,
    type: "custom",
    silent: true,
    clip: true,
    z: 1,
    data: bands.length > 0 ? [0] : [],
    // One polygon: forward along the upper edge, back along the lower.
    renderItem: (_params, api) => {
      const upper = bands.map((band) => api.coord([band.epoch, scale.toAxis(band[high])]));
      const lower = bands.map((band) => api.coord([band.epoch, scale.toAxis(band[low])])).reverse();
      return {
        type: "polygon",
        shape: { points: [...upper, ...lower] },
        style: { fill: palette.accent, opacity: low === "p5" ? 0.12 : 0.2 },
      };
    },
  };
}

function curveSeries(
  curve: CurvesView["curves"][number],
  style: CurveStyle,
  scale: MetricScale,
): PlotSeries {
  const { colour } = style;
  // Lines continue over epochs without an evaluation.
  const known = curve.values.flatMap((value, i) =>
    value === null ? [] : [[i + 1, scale.toAxis(value)]],
  );
  return {
    id: curveId(curve.trial),
    name: `trial ${curve.trial}`,
    type: "line",
    silent: true, // the page finds the nearest curve itself
    showSymbol: known.length === 1,
    symbolSize: 4,
    lineStyle: { width: 1.3, color: colour, opacity: 0.85, type: style.dash },
    itemStyle: { color: colour },
    emphasis: { lineStyle: { width: 4, opacity: 1 } },
    z: 3,
    data: known,
  };
}

// The measure of the curves.
export function measureOf(curves: CurvesView): Measure {
  return findMeasure(curves.measures, curves.metric);
}

export function curveId(trial: number): string {
  return `trial-${trial}`;
}

// The text about all trials at an epoch.
export function bandLines(curves: CurvesView, epoch: number): string[] {
  const band = curves.bands.find((candidate) => candidate.epoch === epoch);
  if (!band) return [];
  const text = (value: number): string => measureText(measureOf(curves), value);
  return [
    `all ${plural(band.count, "trial")} at epoch ${epoch}: best ${text(band.best)}, median ${text(band.p50)}`,
    `middle half ${text(band.p25)} to ${text(band.p75)}`,
  ];
}

// All drawn values, including the goal.
function drawnValues(curves: CurvesView, target: number | null): (number | null)[] {
  return [
    ...curves.bands.flatMap((band) => [band.p5, band.p95, band.best]),
    ...curves.curves.flatMap((curve) => curve.values),
    target,
  ];
}

export function curvesScale(
  curves: CurvesView,
  kind: ScaleKind,
  target: number | null,
): MetricScale {
  return metricScale([measureOf(curves)], kind, drawnValues(curves, target));
}

export function learningCurves(
  curves: CurvesView,
  sweep: SweepView,
  choice: CurvesChoice,
  colouring: Colouring,
  palette: Palette,
): PlotOption {
  const measure = measureOf(curves);
  const { epoch } = sweep.target;
  const target = targetOf(sweep.target, measure);
  const scale = curvesScale(curves, choice.scale, target);
  const range = metricRange(scale, drawnValues(curves, target), choice.floor);
  const median: PlotSeries = {
    id: "median",
    name: "median",
    type: "line",
    showSymbol: false,
    z: 4,
    silent: true,
    lineStyle: { width: 2, color: palette.ink, type: [6, 3] },
    itemStyle: { color: palette.ink },
    data: curves.bands.map((band) => [band.epoch, scale.toAxis(band.p50)]),
    markLine: goalLines(
      {
        y: metricGoal(scale, target),
        x:
          epoch !== null && epoch <= sweep.epochs
            ? { value: epoch, text: `last epoch ${epoch}` }
            : null,
      },
      palette,
    ),
  };
  return {
    ...base(palette),
    grid: GOAL_GRID,
    xAxis: {
      ...epochAxis(curves.epochs, palette),
      axisPointer: {
        show: true,
        type: "line",
        triggerEmphasis: false, // it would highlight every curve at once
        label: { show: false },
        lineStyle: { color: palette.muted, type: "dashed" },
      },
    } as PlotOption["xAxis"],
    yAxis: metricAxis(scale, range, palette, axisName(measure)),
    dataZoom: zoom(),
    series: [
      bandSeries(curves.bands, scale, "p5", "p95", palette),
      bandSeries(curves.bands, scale, "p25", "p75", palette),
      ...fromWorst(curves, measure).map((curve, i, all) =>
        curveSeries(curve, styleOf(curve.trial, i, all.length, colouring, palette), scale),
      ),
      median,
    ],
  };
}

export function curvesTable(curves: CurvesView): PlotTable {
  const measure = measureOf(curves);
  const text = (value: number | null): string => measureText(measure, value);
  if (curves.bands.length === 0) {
    return {
      columns: ["trial", "epochs", "best"],
      rows: curves.curves.map(({ trial, values }) => [
        String(trial),
        String(values.length),
        text(bestIn(values, measure)),
      ]),
    };
  }
  return {
    columns: ["epoch", "trials", "best", "95 %", "75 %", "median", "25 %", "5 %"],
    rows: curves.bands.map((band) => [
      String(band.epoch),
      String(band.count),
      text(band.best),
      text(band.p95),
      text(band.p75),
      text(band.p50),
      text(band.p25),
      text(band.p5),
    ]),
  };
}
