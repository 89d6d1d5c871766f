// The parts of ECharts that the plots use, and no others. Loaded when the first plot is.

import type { EChartsOption } from "echarts"; // the type only: the package would be all of it
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

// SVG, so that a plot can be saved as it stands and stays sharp on every screen.
export function makeChart(element: HTMLElement): ECharts {
  return init(element, null, { renderer: "svg" });
}
