// Only the parts of ECharts that the plots use. Loaded with the first plot.

import type { EChartsOption } from "echarts"; // only the type: the package has all of ECharts
import { CustomChart, HeatmapChart, LineChart, ParallelChart, ScatterChart } from "echarts/charts";
import {
  DataZoomInsideComponent,
  GridComponent,
  MarkLineComponent,
  ParallelComponent,
  TooltipComponent,
  VisualMapContinuousComponent,
} from "echarts/components";
import { init, use } from "echarts/core";
import type { ECharts } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([
  CustomChart,
  HeatmapChart,
  LineChart,
  ParallelChart,
  ScatterChart,
  DataZoomInsideComponent,
  GridComponent,
  MarkLineComponent,
  ParallelComponent,
  TooltipComponent,
  VisualMapContinuousComponent,
  SVGRenderer,
]);

export type PlotOption = EChartsOption;
type One<T> = Exclude<NonNullable<T>, unknown[]>;
export type PlotAxis = One<EChartsOption["xAxis"]> & One<EChartsOption["yAxis"]>; // fits both sides
export type PlotSeries = Extract<NonNullable<EChartsOption["series"]>, unknown[]>[number];

// SVG, so that a plot can be saved as shown and is sharp on every screen.
let isWarm = false;
export function makeChart(element: HTMLElement): ECharts {
  isWarm = true;
  return init(element, null, { renderer: "svg" });
}

// Draws an invisible plot before the first one is needed: the browser compiles the new code and
// measures fonts while it is idle.
export function warmUp(): void {
  if (isWarm) return; // a plot of the page did so
  const element = document.createElement("div");
  const size = { width: 300, height: 200 };
  const chart = init(element, null, { renderer: "svg", ...size });
  const rows = Array.from({ length: 20 }, (_, i) => [i, i % 7]);
  const line: PlotSeries = {
    type: "line",
    showSymbol: false,
    data: rows,
    markLine: { symbol: "none", data: [{ yAxis: 3 }] },
  };
  const area: PlotSeries = {
    type: "custom",
    data: [0],
    renderItem: (_params, api) => ({
      type: "polygon",
      shape: { points: rows.map((row) => api.coord(row)) },
    }),
  };
  const plot: PlotOption = {
    animation: false,
    xAxis: { type: "value", name: "0123456789 %." },
    yAxis: { type: "value", splitLine: { show: true } },
    tooltip: { trigger: "axis", renderMode: "richText" },
    dataZoom: [{ type: "inside", xAxisIndex: 0 }],
    series: [...new Array<PlotSeries>(20).fill(line), area, { type: "scatter", data: rows }],
  };
  chart.setOption(plot);
  chart.dispose();
}
