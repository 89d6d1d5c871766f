// Shared by all plots: font, axes, tooltips.

import type { Palette } from "./palette";
import type { PlotAxis, PlotOption, PlotSeries } from "./echarts";

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

export function base(palette: Palette): PlotOption {
  return {
    animation: false, // values that change every two seconds must not move
    backgroundColor: "transparent",
    color: palette.series,
    textStyle: { fontFamily: FONT, fontSize: 12, color: palette.ink },
    grid: { left: 56, right: 20, top: 16, bottom: 40 },
  };
}

// Draws tooltips in the SVG: as HTML they would need inline styles, and names would become markup.
export function tooltip(
  palette: Palette,
  trigger: "item" | "axis",
): NonNullable<PlotOption["tooltip"]> {
  return {
    trigger,
    renderMode: "richText",
    confine: true,
    backgroundColor: palette.surface,
    borderColor: palette.line,
    padding: [6, 9],
    textStyle: { color: palette.ink, fontSize: 12, fontFamily: FONT },
    axisPointer: { lineStyle: { color: palette.muted, type: "dashed" } },
  };
}

// The mark of a diverged trial, which has no value: a cross at the worst edge.
export function divergedMark(palette: Palette): Pick<ScatterSeries, "symbol" | "symbolSize" | "itemStyle"> {
  return {
    symbol: "path://M-5,-4 L-4,-5 L0,-1 L4,-5 L5,-4 L1,0 L5,4 L4,5 L0,1 L-4,5 L-5,4 L-1,0 Z",
    symbolSize: 9,
    itemStyle: { color: palette.bad, opacity: 0.9 },
  };
}

// Leaves room beside the plot for the goals' labels, which would cover points inside.
export const GOAL_GRID = { left: 56, right: 78, top: 30, bottom: 40 };

type LineSeries = Extract<PlotSeries, { type?: "line" }>;
type ScatterSeries = Extract<PlotSeries, { type?: "scatter" }>;

export interface Goal {
  value: number;
  text: string;
}

// Dashed lines at the goals.
export function goalLines(
  goals: { y?: Goal | null; x?: Goal | null },
  palette: Palette,
): LineSeries["markLine"] {
  const data: object[] = [];
  if (goals.y)
    data.push({
      yAxis: goals.y.value,
      label: { formatter: goals.y.text, position: "end", align: "left" },
    });
  if (goals.x) data.push({ xAxis: goals.x.value, label: { formatter: goals.x.text, position: "end" } });
  return {
    silent: true,
    symbol: "none",
    animation: false,
    lineStyle: { color: palette.target, type: "dashed", width: 1.2 },
    label: { color: palette.target, fontSize: 11, lineHeight: 14 },
    data: data as never[],
  };
}

export function axisStyle(palette: Palette, name: string): Partial<PlotAxis> {
  return {
    name,
    nameLocation: "middle",
    nameTextStyle: { color: palette.muted, fontSize: 12 },
    axisLine: { show: true, onZero: false, lineStyle: { color: palette.line } },
    axisTick: { show: true, lineStyle: { color: palette.line } },
    axisLabel: { color: palette.muted, hideOverlap: true },
    splitLine: { show: true, lineStyle: { color: palette.line, opacity: 0.6 } },
  } as Partial<PlotAxis>;
}

// Shift and wheel zoom, dragging moves; the plain wheel scrolls the page. On touch screens plots do
// not move, since a finger scrolls the page.
export function zoom(): Extract<NonNullable<PlotOption["dataZoom"]>, unknown[]> {
  const touch = matchMedia("(pointer: coarse)").matches;
  const common = {
    type: "inside",
    zoomOnMouseWheel: "shift",
    moveOnMouseMove: true,
    filterMode: "none",
    disabled: touch,
    preventDefaultMouseMove: false,
  } as const;
  return [
    { ...common, id: "zoom-x", xAxisIndex: 0 },
    { ...common, id: "zoom-y", yAxisIndex: 0, minSpan: 1 },
  ];
}
