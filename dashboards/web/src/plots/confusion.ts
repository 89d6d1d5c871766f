// The confusion matrix. Nearly all counts are on the diagonal, so colours show only the mistakes.

import type { PredictionsView } from "../api";
import { axisStyle, base, tooltip } from "./base";
import type { PlotOption } from "./echarts";
import type { Palette } from "./palette";
import type { PlotTable } from "./table";

export function confusionPlot(view: PredictionsView, palette: Palette): PlotOption {
  const names = Array.from({ length: view.classes }, (_, i) => String(i));
  const cells = view.confusion.flatMap((row, label) =>
    row.map((count, predicted) => ({ label, predicted, count })),
  );
  const most = Math.max(
    1,
    ...cells.filter((cell) => cell.label !== cell.predicted).map((cell) => cell.count),
  );
  const colour = (share: number): string =>
    palette.sequence[
      Math.min(palette.sequence.length - 1, Math.floor(share * palette.sequence.length))
    ] ?? palette.accent;
  const axis = {
    type: "category",
    data: names,
    axisTick: { show: false },
    splitLine: { show: false },
  };
  return {
    ...base(palette),
    grid: { left: 48, right: 8, top: 8, bottom: 40 },
    tooltip: {
      ...tooltip(palette, "item"),
      formatter: (params) => {
        const [predicted, label, count] = (params as { value: number[] }).value;
        return label === predicted
          ? `${count} times ${label}, rightly`
          : `${count} times ${label}, taken for ${predicted}`;
      },
    },
    xAxis: { ...axisStyle(palette, "predicted"), ...axis, nameGap: 24 } as PlotOption["xAxis"],
    yAxis: {
      ...axisStyle(palette, "label"),
      ...axis,
      nameGap: 26,
      inverse: true,
    } as PlotOption["yAxis"],
    series: [
      {
        id: "cells",
        type: "heatmap",
        data: cells.map(({ label, predicted, count }) => {
          const mistake = label !== predicted;
          const share = count / most;
          return {
            value: [predicted, label, count],
            itemStyle: {
              color: mistake && count > 0 ? colour(share) : palette.surface,
              borderColor: palette.line,
              borderWidth: 0.5,
            },
            label: {
              show: count > 0,
              color: mistake && share > 0.55 ? palette.surface : palette.ink,
              fontSize: 11,
              opacity: mistake ? 1 : 0.55,
            },
          };
        }),
        label: { formatter: (params) => String((params.value as number[])[2]) },
        emphasis: { itemStyle: { borderColor: palette.ink, borderWidth: 1 } },
      },
    ],
  };
}

export function confusionTable(view: PredictionsView): PlotTable {
  return {
    columns: ["label", ...view.confusion.map((_, predicted) => `as ${predicted}`)],
    rows: view.confusion.map((row, label) => [String(label), ...row.map(String)]),
  };
}
