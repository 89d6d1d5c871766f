// Two goals at once: the first objective against the size of the network, or against another
// objective, with the front of those that no other dominates.

import type { Measure, RankingRow, SweepView } from "../api";
import { integer } from "../format";
import { axisName, measureText, objectiveOf, signOf, targetOf, titleOf } from "../measure";
import { axisStyle, base, GOAL_GRID, goalLines, tooltip } from "./base";
import type { PlotAxis, PlotOption, PlotSeries } from "./echarts";
import { metricAxis, metricGoal, metricRange, metricScale } from "./metric_scale";
import type { Palette } from "./palette";
import type { Points } from "./points";
import { pointText, symbolSize, type AxisChoice } from "./scatter";
import { MOST_ROWS, type PlotTable } from "./table";

interface Candidate {
  trial: number;
  x: number;
  y: number; // the first objective
  qualifies: boolean;
  front: boolean;
}

export interface Candidates {
  rows: Candidate[];
  against: Measure | null; // null: the number of the network's parameters
  y: Measure;
}

export function bySize(points: Points): Candidates {
  const trials = points.numbers("trial");
  const sizes = points.numbers("network_parameters");
  const best = points.numbers("best");
  const qualifies = points.values("qualifies");
  const front = new Set(points.view.front);
  const rows = trials.flatMap((trial, i) => {
    const [x, y] = [sizes[i], best[i]];
    if (trial === null || x == null || y == null) return [];
    return [{ trial, x, y, qualifies: qualifies[i] === true, front: front.has(trial) }];
  });
  return { rows, against: null, y: points.measure };
}

// From a ranking, where the front among the qualifying ones comes first.
export function byObjective(ranking: RankingRow[], sweep: SweepView, against: Measure): Candidates {
  const y = objectiveOf(sweep);
  const rows = ranking.flatMap((row) => {
    const [across, up] = [row.values[against.name], row.values[y.name]];
    if (across == null || up == null) return [];
    const front = row.front === 1 && row.qualifies === ranking[0]?.qualifies;
    return [{ trial: row.trial, x: across, y: up, qualifies: row.qualifies, front }];
  });
  return { rows, against, y };
}

export function againstTitle(against: Measure | null): string {
  return against ? titleOf(against) : "network parameters";
}

function againstText(against: Measure | null, x: number): string {
  return against ? measureText(against, x) : `${integer(x)} parameters`;
}

interface Across {
  axis: PlotAxis;
  toAxis: (x: number) => number;
  goal: { value: number; text: string } | null;
}

function sizeAxis(rows: Candidate[], most: number | null, palette: Palette): Across {
  const sizes = [...rows.map((row) => row.x), ...(most === null ? [] : [most])];
  const [low, high] = [Math.min(...sizes), Math.max(...sizes)];
  const air = Math.max((high - low) * 0.08, 10);
  const axis = {
    ...axisStyle(palette, againstTitle(null)),
    type: "value",
    min: Math.max(0, Math.floor(low - air)),
    max: Math.ceil(high + air),
    nameGap: 26,
    axisLabel: {
      color: palette.muted,
      hideOverlap: true,
      showMinLabel: false,
      showMaxLabel: false,
      formatter: (value: number) => integer(value),
    },
  } as PlotAxis;
  const goal = most === null ? null : { value: most, text: `at most ${integer(most)}` };
  return { axis, toAxis: (x) => x, goal };
}

function measureAxis(
  rows: Candidate[],
  measure: Measure,
  target: number | null,
  choice: AxisChoice,
  palette: Palette,
): Across {
  const values = [...rows.map((row) => row.x), target];
  const scale = metricScale([measure], choice.scale, values);
  const axis = metricAxis(scale, metricRange(scale, values), palette, axisName(measure));
  return { axis: { ...axis, nameGap: 26 }, toAxis: scale.toAxis, goal: metricGoal(scale, target) };
}

export function paretoPlot(
  { rows, against, y }: Candidates,
  sweep: SweepView,
  choice: AxisChoice,
  palette: Palette,
): PlotOption {
  const target = targetOf(sweep.target, y);
  const results = [...rows.map((row) => row.y), target];
  const scale = metricScale([y], choice.scale, results);
  const across = against
    ? measureAxis(rows, against, targetOf(sweep.target, against), choice, palette)
    : sizeAxis(rows, sweep.target.parameters, palette);
  const place = (row: Candidate): [number, number] => [across.toAxis(row.x), scale.toAxis(row.y)];
  // From the best on the horizontal axis, so that each step shows the best reached up to there.
  const sign = against ? signOf(against) : -1;
  const front = rows.filter((row) => row.front).sort((a, b) => sign * (b.x - a.x));
  const dots: PlotSeries = {
    id: "trials",
    type: "scatter",
    symbolSize: symbolSize(rows.length),
    clip: true,
    data: rows.map((row) => ({
      value: place(row),
      trial: row.trial,
      text: `trial ${row.trial}\n${againstText(against, row.x)}\n${measureText(y, row.y)}${row.front ? "\non the Pareto front" : ""}`,
      itemStyle: {
        color: row.front ? palette.target : row.qualifies ? palette.accent : palette.muted,
        opacity: row.front ? 1 : 0.6,
      },
    })),
  };
  return {
    ...base(palette),
    grid: GOAL_GRID,
    tooltip: { ...tooltip(palette, "item"), formatter: pointText },
    xAxis: across.axis,
    yAxis: metricAxis(scale, metricRange(scale, results, choice.floor), palette, axisName(y, "best")),
    series: [
      {
        id: "front",
        type: "line",
        step: "end",
        showSymbol: false,
        silent: true,
        data: front.map(place),
        lineStyle: { color: palette.target, width: 1.5 },
        markLine: goalLines({ y: metricGoal(scale, target), x: across.goal }, palette),
      },
      dots,
    ],
  };
}

export function paretoTable({ rows, against, y }: Candidates): PlotTable {
  return {
    columns: ["trial", againstTitle(against), titleOf(y), "Pareto front", "meets the criteria"],
    rows: [...rows]
      .sort((a, b) => Number(b.front) - Number(a.front) || a.x - b.x)
      .slice(0, MOST_ROWS)
      .map((row) => [
        String(row.trial),
        against ? measureText(against, row.x) : integer(row.x),
        measureText(y, row.y),
        row.front ? "yes" : "",
        row.qualifies ? "yes" : "no",
      ]),
  };
}
