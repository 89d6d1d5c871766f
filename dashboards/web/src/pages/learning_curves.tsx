// The learning curves of a sweep, interactive: the nearest curve is highlighted and described, a
// click opens its trial.

import type { ECharts } from "echarts/core";
import type { JSX } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import type { CurvesView, Dimension, PointsView, SweepView } from "../api";
import { Await, Select } from "../components/basics";
import { Plot } from "../components/plot";
import { CategoryKeys, Ramp } from "../components/ramp";
import { useScale } from "../components/scale_controls";
import { plural, shorten, valueText } from "../format";
import { useLive } from "../live";
import { bestIn, measureText, targetOf } from "../measure";
import { BY_RANK, type Colouring } from "../plots/curve_colours";
import {
  bandLines,
  curveId,
  curvesScale,
  curvesTable,
  learningCurves,
  measureOf,
} from "../plots/learning_curves";
import type { MetricScale, ScaleKind } from "../plots/metric_scale";
import { nearestCurve, type PixelCurve } from "../plots/nearest_curve";
import { readPoints } from "../plots/points";
import { trialHref } from "../router";
import { apiPath } from "../source";
import { noEpoch } from "./no_epoch";
import { recall, remember } from "../storage";

const CURVES = 60;
const REACH = 40; // greatest distance of the pointer from a curve, in pixels
const NAMED = 8; // number of hyperparameters shown

interface Hover {
  x: number;
  y: number;
  lines: string[];
}

// The curves in pixels. Both axes are linear in pixels, so two positions determine all others.
function inPixels(chart: ECharts, curves: CurvesView, scale: MetricScale): PixelCurve[] {
  const place = (x: number, y: number): number[] =>
    chart.convertToPixel({ gridIndex: 0 }, [x, y]) as number[];
  const [x0 = 0, y0 = 0] = place(0, 0);
  const [x1 = 0, y1 = 0] = place(1, 1);
  return curves.curves.map((curve) => ({
    trial: curve.trial,
    points: curve.values.flatMap((value, i): [number, number][] =>
      value === null ? [] : [[x0 + (x1 - x0) * (i + 1), y0 + (y1 - y0) * scale.toAxis(value)]],
    ),
  }));
}

function trialLines(
  curves: CurvesView,
  trial: number,
  epoch: number,
  parameters: string,
): string[] {
  const curve = curves.curves.find((candidate) => candidate.trial === trial);
  if (!curve) return [];
  const measure = measureOf(curves);
  const text = (value: number | null | undefined): string => measureText(measure, value);
  const at = curve.values[epoch - 1];
  return [
    `trial ${trial}${curve.state === "running" ? ", running" : ""}`,
    `${at == null ? `no value at epoch ${epoch}` : `${text(at)} at epoch ${epoch}`}, best ${text(bestIn(curve.values, measure))}`,
    ...(parameters ? [parameters] : []),
  ];
}

// By trial: the varying hyperparameters as text.
function parameterWords(view: PointsView | undefined): Map<number, string> {
  if (!view) return new Map();
  const points = readPoints(view);
  const columns = view.dimensions
    .slice(0, NAMED)
    .map((dimension) => ({ name: dimension.name, values: points.parameters(dimension) }));
  return new Map(
    points.numbers("trial").map((trial, i) => [
      trial ?? 0,
      columns
        .filter(({ values }) => values[i] != null)
        .map(({ name, values }) => `${shorten(name, 20)}=${shorten(valueText(values[i]), 20)}`)
        .join(" "),
    ]),
  );
}

function colouringBy(dimension: Dimension | null, view: PointsView | undefined): Colouring {
  if (!dimension || !view) return { dimension: null, values: new Map() };
  const points = readPoints(view);
  const values = points.parameters(dimension);
  return {
    dimension,
    values: new Map(points.numbers("trial").map((trial, i) => [trial ?? 0, values[i] ?? null])),
  };
}

function Legend({ dimension }: { dimension: Dimension | null }): JSX.Element {
  if (!dimension) return <Ramp thin low="worst" high="best" />;
  if (dimension.kind === "category") return <CategoryKeys values={dimension.categories} />;
  return <Ramp thin low={valueText(dimension.min)} high={valueText(dimension.max)} />;
}

export function LearningCurves(props: {
  sweep: SweepView;
  points: PointsView | undefined;
  metric: string;
}): JSX.Element {
  const { sweep, points, metric } = props;
  const live = useLive<CurvesView>(
    apiPath(["sweeps", sweep.name, "curves"], { metric, limit: CURVES }),
    { keep: true },
  );
  return (
    <Await live={live} what="learning curves">
      {(curves) => <CurvesPlot sweep={sweep} curves={curves} points={points} />}
    </Await>
  );
}

function CurvesPlot(props: {
  sweep: SweepView;
  curves: CurvesView;
  points: PointsView | undefined;
}): JSX.Element {
  const { sweep, curves, points } = props;
  const [colourBy, setColourBy] = useState(recall("curve-colour"));
  const choice = useScale();
  const dimensions = points?.dimensions ?? [];
  const dimension = dimensions.find(({ name }) => name === colourBy) ?? null;
  const colouring = useMemo(() => colouringBy(dimension, points), [dimension, points]);
  const hover = useNearest(sweep, curves, choice.scale, points);
  const target = targetOf(sweep.target, measureOf(curves));
  if (curves.ready && curves.total_trials === 0) return <NoCurves sweep={sweep} />;
  return (
    <Plot
      title="Learning curves"
      name={`${sweep.name} curves ${curves.metric}`}
      height={360}
      zoomable
      inputs={[
        curves,
        colouring,
        choice.scale,
        choice.floor,
        target,
        sweep.target.epoch,
      ]}
      build={(palette) => learningCurves(curves, sweep, choice, colouring, palette)}
      table={() => curvesTable(curves)}
      onChart={hover.onChart}
      overlay={hover.shown && <Tip hover={hover.shown} />}
      summary={summaryOf(curves)}
      note={<Note curves={curves} dimension={dimension} />}
    >
      {dimensions.length > 0 && (
        <Select
          label="colour by"
          value={dimension?.name ?? BY_RANK}
          options={[
            { value: BY_RANK, label: "rank" },
            ...dimensions.map(({ name }) => ({ value: name, label: name })),
          ]}
          onChange={(name) => {
            remember("curve-colour", name);
            setColourBy(name);
          }}
        />
      )}
    </Plot>
  );
}

function summaryOf(curves: CurvesView): string {
  const measure = measureOf(curves);
  const last = curves.bands[curves.bands.length - 1];
  const trials = `${measure.title} of ${plural(curves.total_trials, "trial")}`;
  if (!last) return trials;
  return `${trials}; at epoch ${last.epoch} the median is ${measureText(measure, last.p50)}, the best ${measureText(measure, last.best)}`;
}

function NoCurves({ sweep }: { sweep: SweepView }): JSX.Element {
  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-title">Learning curves</span>
      </figcaption>
      <p class="empty">{noEpoch(sweep)}</p>
    </figure>
  );
}

function Note(props: { curves: CurvesView; dimension: Dimension | null }): JSX.Element {
  const { curves, dimension } = props;
  if (!curves.ready) return <>The bands are still being summed up.</>;
  if (curves.total_trials === 1) return <>One trial so far. Click its curve to open it.</>;
  return (
    <>
      <div>
        <Legend dimension={dimension} />
      </div>
      {curves.bands.length > 0 &&
        `${plural(curves.total_trials, "trial")}: the bands hold 90 and 50 % of them, the dashed line is the median. `}
      {curves.curves.length < curves.total_trials
        ? `Curves of ${curves.curves.length}: the best, the running and the latest. `
        : ""}
      Point at a curve to see which it is, click to open its trial.
    </>
  );
}

function Tip({ hover }: { hover: Hover }): JSX.Element {
  // On the side of the pointer that has room.
  const style =
    hover.x > 320
      ? { right: `calc(100% - ${hover.x - 14}px)`, top: `${hover.y + 12}px` }
      : { left: `${hover.x + 14}px`, top: `${hover.y + 12}px` };
  return (
    <div class="curve-tip" style={style}>
      {hover.lines.map((line, i) => (
        <div key={i} class={i === 0 ? "strong" : ""}>
          {line}
        </div>
      ))}
    </div>
  );
}

// Follows the pointer over the chart.
function useNearest(
  sweep: SweepView,
  curves: CurvesView,
  kind: ScaleKind,
  points: PointsView | undefined,
): { shown: Hover | null; onChart: (chart: ECharts) => void } {
  const [shown, show] = useState<Hover | null>(null);
  const words = useMemo(() => parameterWords(points), [points]);
  const latest = useRef({ sweep, curves, kind, words });
  latest.current = { sweep, curves, kind, words };
  const near = useRef<number | null>(null);
  const onChart = (chart: ECharts): void => {
    const bringForward = (trial: number | null): void => {
      if (trial === near.current) return;
      if (near.current !== null)
        chart.dispatchAction({ type: "downplay", seriesId: curveId(near.current) });
      if (trial !== null) chart.dispatchAction({ type: "highlight", seriesId: curveId(trial) });
      near.current = trial;
      chart.getDom().style.cursor = trial === null ? "" : "pointer";
    };
    const leave = (): void => {
      bringForward(null);
      show(null);
    };
    chart.getZr().on("mousemove", ({ offsetX: x, offsetY: y }) => {
      const { curves: now, words: known } = latest.current;
      const target = targetOf(latest.current.sweep.target, measureOf(now));
      const scale = curvesScale(now, latest.current.kind, target);
      if (!chart.containPixel("grid", [x, y])) return leave();
      const nearest = nearestCurve(inPixels(chart, now, scale), x, y);
      const trial = nearest && nearest.distance <= REACH ? nearest.trial : null;
      bringForward(trial);
      const [at = 1] = chart.convertFromPixel({ gridIndex: 0 }, [x, y]) as number[];
      const epoch = Math.max(1, Math.round(at));
      const lines = [
        ...(trial === null ? [] : trialLines(now, trial, epoch, known.get(trial) ?? "")),
        ...bandLines(now, epoch),
      ];
      show(lines.length > 0 ? { x, y, lines } : null);
    });
    chart.getZr().on("globalout", leave);
    chart.getZr().on("click", () => {
      if (near.current !== null)
        location.hash = trialHref(latest.current.sweep.name, near.current);
    });
  };
  return { shown, onChart };
}
