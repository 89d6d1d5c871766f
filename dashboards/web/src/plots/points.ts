// Reading the rows of a PointsView by column name.

import type { Dimension, PointsView, Value } from "../api";
import { axisStyle } from "./base";
import type { PlotAxis } from "./echarts";
import type { Palette } from "./palette";
import { shorten, valueText } from "../format";

export interface Points {
  view: PointsView;
  count: number;
  numbers: (name: string) => (number | null)[];
  values: (name: string) => (Value | null)[];
}

export function readPoints(view: PointsView): Points {
  const values = (name: string): (Value | null)[] => {
    const column = view.columns.indexOf(name);
    return view.rows.map((row) => row[column] ?? null);
  };
  return {
    view,
    count: view.rows.length,
    values,
    numbers: (name) => values(name).map((value) => (typeof value === "number" ? value : null)),
  };
}

// Where a value of a dimension lies on its axis; categories by their place in the list.
export function position(dimension: Dimension, value: Value | null): number | null {
  if (value === null) return null;
  if (dimension.kind !== "category") return typeof value === "number" ? value : null;
  const place = dimension.categories.findIndex((category) => category === value);
  return place < 0 ? null : place;
}

export function dimensionAxis(dimension: Dimension, palette: Palette, nameGap = 26): PlotAxis {
  const style = axisStyle(palette, shorten(dimension.name, 40));
  if (dimension.kind === "category") {
    return {
      ...style, type: "category", nameGap, data: dimension.categories.map((value) => shorten(valueText(value), 18)),
      splitLine: { show: false },
    } as PlotAxis;
  }
  const log = dimension.kind === "log" && (dimension.min ?? 0) > 0;
  return {
    ...style, type: log ? "log" : "value", nameGap,
    min: dimension.min ?? "dataMin", max: dimension.max ?? "dataMax", splitLine: { show: false },
    axisLabel: { ...style.axisLabel, formatter: (value: number) => valueText(value) },
  } as PlotAxis;
}
