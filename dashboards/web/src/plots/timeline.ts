// The workers' trials over time: a row of bars per worker, with as many lanes as slots were in use
// at once.

import type { TimelineView } from "../api";
import { outcomeKind, outcomeText } from "../attempts";
import { elapsed, shorten, time } from "../format";
import { axisStyle, base, tooltip, zoom } from "./base";
import type { PlotOption } from "./echarts";
import type { Palette } from "./palette";
import { MOST_ROWS, type PlotTable } from "./table";

type Span = TimelineView["spans"][number];
interface Lane {
  worker: string;
  first: boolean; // of its worker
  spans: Span[];
}

const LANE = 16;

// Puts each span into the first free lane of its worker.
export function lanesOf(view: TimelineView): Lane[] {
  const workers = new Map<string, Lane[]>();
  const ends = new Map<Lane, number>();
  for (const span of [...view.spans].sort((a, b) => a.start.localeCompare(b.start))) {
    const lanes = workers.get(span.worker) ?? [];
    workers.set(span.worker, lanes);
    const start = Date.parse(span.start);
    let lane = lanes.find((candidate) => (ends.get(candidate) ?? 0) <= start);
    if (!lane) {
      lane = { worker: span.worker, first: lanes.length === 0, spans: [] };
      lanes.push(lane);
    }
    lane.spans.push(span);
    ends.set(lane, span.end === null ? Infinity : Date.parse(span.end));
  }
  return [...workers.entries()]
    .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .flatMap(([, lanes]) => lanes);
}

export function timelineHeight(view: TimelineView): number {
  return 60 + Math.max(1, lanesOf(view).length) * (LANE + 6);
}

// The page has the legend.
function colourOf(outcome: string, palette: Palette): string {
  const colours = {
    live: palette.live,
    good: palette.good,
    bad: palette.bad,
    held: palette.held,
    idle: palette.muted,
  };
  return colours[outcomeKind(outcome)];
}

export function timelinePlot(view: TimelineView, palette: Palette): PlotOption {
  const lanes = lanesOf(view);
  const to = Date.parse(view.to);
  const bars = lanes.flatMap((lane, i) =>
    lane.spans.map((span) => ({
      value: [Date.parse(span.start), i, span.end === null ? to : Date.parse(span.end)],
      trialName: span.trial,
      text: `${shorten(span.trial, 40)}, attempt ${span.attempt}\non ${shorten(span.worker, 40)}\n${time(span.start)}, ${elapsed(span.start, span.end, to)}\n${outcomeText(span.outcome)}`,
      fill: colourOf(span.outcome, palette),
    })),
  );
  return {
    ...base(palette),
    grid: { left: 130, right: 20, top: 8, bottom: 30 },
    tooltip: {
      ...tooltip(palette, "item"),
      formatter: (params) => (params as { data?: { text?: string } }).data?.text ?? "",
    },
    xAxis: {
      ...axisStyle(palette, ""),
      type: "time",
      min: Date.parse(view.from),
      max: to,
    } as PlotOption["xAxis"],
    yAxis: {
      ...axisStyle(palette, ""),
      type: "category",
      inverse: true,
      data: lanes.map((lane) => (lane.first ? shorten(lane.worker, 18) : "")),
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: { color: palette.ink, interval: 0 },
    } as PlotOption["yAxis"],
    dataZoom: zoom().slice(0, 1),
    series: [
      {
        id: "spans",
        type: "custom",
        clip: true,
        encode: { x: [0, 2], y: 1 },
        data: bars,
        renderItem: (params, api) => {
          const [left = 0, middle = 0] = api.coord([api.value(0), api.value(1)]);
          const [right = 0] = api.coord([api.value(2), api.value(1)]);
          return {
            type: "rect",
            shape: {
              x: left,
              y: middle - LANE / 2,
              width: Math.max(1.5, right - left - 1),
              height: LANE,
              r: 2,
            },
            style: { fill: bars[params.dataIndex]?.fill },
          };
        },
      },
    ],
  };
}

export function timelineTable(view: TimelineView): PlotTable {
  return {
    columns: ["worker", "trial", "attempt", "start", "duration", "outcome"],
    rows: view.spans
      .slice(0, MOST_ROWS)
      .map((span) => [
        span.worker,
        span.trial,
        String(span.attempt),
        time(span.start),
        elapsed(span.start, span.end, Date.parse(view.to)),
        outcomeText(span.outcome),
      ]),
  };
}
