// All trials of a sweep over their epochs: bands of quantiles, and single curves of some.

import type { CurvesView, SweepView } from "../api";
import { metricText } from "../format";
import { axisStyle, base, tooltip, zoom } from "./base";
import type { PlotOption, PlotSeries } from "./echarts";
import { metricAxis, metricRange, metricScale, type MetricScale, type ScaleKind } from "./metric_scale";
import type { Palette } from "./palette";
import type { PlotTable } from "./table";

type Band = CurvesView["bands"][number];

export interface CurvesChoice {
  scale: ScaleKind;
  floor: number; // lowest accuracy in sight; 0: all
}

function bandSeries(bands: Band[], scale: MetricScale, low: "p5" | "p25", high: "p75" | "p95", palette: Palette): PlotSeries {
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

function curveSeries(curve: CurvesView["curves"][number], scale: MetricScale, palette: Palette): PlotSeries {
  const colour = curve.reason === "best" ? palette.accent : curve.reason === "running" ? palette.target : palette.muted;
  return {
    id: `trial-${curve.trial}`,
    name: `trial ${curve.trial}`,
    type: "line",
    showSymbol: curve.values.length === 1,
    symbolSize: 4,
    triggerLineEvent: true,
    lineStyle: { width: curve.reason === "best" ? 1.4 : 1, color: colour, opacity: curve.reason === "latest" ? 0.25 : 0.8 },
    itemStyle: { color: colour },
    emphasis: { lineStyle: { width: 3, opacity: 1 } },
    z: curve.reason === "latest" ? 2 : 3,
    data: curve.values.map((value, i) => [i + 1, value === null ? NaN : scale.toAxis(value)]),
  };
}

function targetLines(sweep: SweepView, metric: string, scale: MetricScale): object[] {
  const lines: object[] = [];
  const { accuracy, epoch } = sweep.target;
  if (accuracy !== null && metric === "accuracy") {
    lines.push({
      yAxis: scale.toAxis(accuracy),
      label: { formatter: `target ${Number((accuracy * 100).toFixed(3))} %`, position: "insideStartTop" },
    });
  }
  if (epoch !== null && epoch <= sweep.epochs) lines.push({ xAxis: epoch, label: { formatter: `last epoch ${epoch}`, position: "insideStartTop", rotate: 90 } });
  return lines;
}

function curvesTooltip(curves: CurvesView): (params: unknown) => string {
  const bands = new Map(curves.bands.map((band) => [band.epoch, band]));
  const text = (value: number): string => metricText(curves.metric, value);
  return (params) => {
    const first = (Array.isArray(params) ? params[0] : params) as { axisValue?: number } | undefined;
    const band = bands.get(Math.round(first?.axisValue ?? 0));
    if (!band) return "";
    return [
      `epoch ${band.epoch} · ${band.count} trials`,
      `best ${text(band.best)}`,
      `median ${text(band.p50)}`,
      `middle half ${text(band.p25)} to ${text(band.p75)}`,
      `5 to 95 % of trials ${text(band.p5)} to ${text(band.p95)}`,
    ].join("\n");
  };
}

export function learningCurves(curves: CurvesView, sweep: SweepView, choice: CurvesChoice, palette: Palette): PlotOption {
  const scale = metricScale(curves.metric, choice.scale);
  const seen = curves.bands.flatMap((band) => [band.p5, band.p95, band.best]);
  const goal = curves.metric === "accuracy" && sweep.target.accuracy !== null ? [sweep.target.accuracy] : [];
  const range = metricRange(scale, [...seen, ...curves.curves.flatMap((curve) => curve.values), ...goal],
    curves.metric === "accuracy" ? choice.floor : 0);
  const median: PlotSeries = {
    id: "median", name: "median", type: "line", showSymbol: false, z: 4,
    lineStyle: { width: 2, color: palette.ink, type: [6, 3] }, itemStyle: { color: palette.ink },
    data: curves.bands.map((band) => [band.epoch, scale.toAxis(band.p50)]),
    markLine: {
      silent: true, symbol: "none", animation: false,
      lineStyle: { color: palette.target, type: "dashed", width: 1.2 },
      label: { color: palette.target, fontSize: 11 },
      data: targetLines(sweep, curves.metric, scale) as never[],
    },
  };
  return {
    ...base(palette),
    tooltip: { ...tooltip(palette, "axis"), formatter: curvesTooltip(curves) },
    xAxis: {
      ...axisStyle(palette, "epoch"), type: "value", min: 1,
      max: Math.max(2, curves.epochs), minInterval: 1, nameGap: 26, splitLine: { show: false },
    } as PlotOption["xAxis"],
    yAxis: metricAxis(scale, range, palette, `validation ${curves.metric}`),
    dataZoom: zoom(),
    series: [
      bandSeries(curves.bands, scale, "p5", "p95", palette),
      bandSeries(curves.bands, scale, "p25", "p75", palette),
      ...curves.curves.map((curve) => curveSeries(curve, scale, palette)),
      median,
    ],
  };
}

export function curvesTable(curves: CurvesView): PlotTable {
  const text = (value: number): string => metricText(curves.metric, value);
  return {
    columns: ["epoch", "trials", "best", "95 %", "75 %", "median", "25 %", "5 %"],
    rows: curves.bands.map((band) => [
      String(band.epoch), String(band.count), text(band.best), text(band.p95), text(band.p75), text(band.p50),
      text(band.p25), text(band.p5),
    ]),
  };
}
