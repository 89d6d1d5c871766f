// The share of the difference between trials that each parameter explains.

import type { ImportanceView } from "../api";
import { percent, shorten } from "../format";
import { axisStyle, base } from "./base";
import type { PlotOption } from "./echarts";
import type { Palette } from "./palette";
import type { PlotTable } from "./table";

const BAR = 14;

export function importanceHeight(view: ImportanceView): number {
  return 50 + view.importances.length * 28;
}

export function importancePlot(view: ImportanceView, palette: Palette): PlotOption {
  const bars = [...view.importances].reverse();
  return {
    ...base(palette),
    grid: { left: 130, right: 60, top: 8, bottom: 34 },
    xAxis: {
      ...axisStyle(palette, "share of the importance"),
      type: "value",
      min: 0,
      nameGap: 22,
      splitNumber: 3,
      axisLabel: { color: palette.muted, formatter: (value: number) => percent(value, 0) },
    } as PlotOption["xAxis"],
    yAxis: {
      ...axisStyle(palette, ""),
      type: "category",
      data: bars.map((bar) => shorten(bar.name, 18)),
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: { color: palette.ink },
    } as PlotOption["yAxis"],
    series: [
      {
        id: "bars",
        type: "custom",
        encode: { x: 0, y: 1 },
        silent: true,
        data: bars.map((bar, i) => [bar.importance, i]),
        renderItem: (_params, api) => {
          const value = Number(api.value(0));
          const [right = 0, middle = 0] = api.coord([value, api.value(1)]);
          const [left = 0] = api.coord([0, api.value(1)]);
          return {
            type: "group",
            children: [
              {
                type: "rect",
                shape: { x: left, y: middle - BAR / 2, width: right - left, height: BAR },
                style: { fill: palette.accent },
              },
              {
                type: "text",
                style: {
                  x: right + 6,
                  y: middle,
                  text: percent(value, 1),
                  verticalAlign: "middle",
                  fill: palette.muted,
                  font: "12px sans-serif",
                },
              },
            ],
          };
        },
      },
    ],
  };
}

export function importanceTable(view: ImportanceView): PlotTable {
  return {
    columns: ["parameter", "importance"],
    rows: view.importances.map((row) => [row.name, percent(row.importance, 1)]),
  };
}
