// The effect of parameters: parallel coordinates, importance, slices, a contour, the Pareto front.

import type { ECharts } from "echarts/core";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ImportanceView, PointsView, RankingView, SweepView } from "../api";
import { Await, Select } from "../components/basics";
import { MeasureSelect } from "../components/measure_choice";
import { Plot } from "../components/plot";
import { Ramp } from "../components/ramp";
import { ScaleControls, useScale } from "../components/scale_controls";
import { integer, plural, shorten } from "../format";
import { useLive } from "../live";
import { headingOf, measureText, objectiveOf, targetOf, titleOf } from "../measure";
import { contourPlot, contourRange, contourTable } from "../plots/contour";
import { importanceHeight, importancePlot, importanceTable } from "../plots/importance";
import {
  brushed,
  parallelHeight,
  parallelPlot,
  parallelTable,
  type Brush,
  type Interval,
} from "../plots/parallel";
import { worstEdge } from "../plots/metric_scale";
import {
  againstTitle,
  byObjective,
  bySize,
  paretoPlot,
  paretoTable,
  type Candidates,
} from "../plots/pareto";
import { divergedRows, readPoints, type Points } from "../plots/points";
import { slicePlot, sliceTable } from "../plots/scatter";
import { setQuery, trialHref, type Route } from "../router";
import { apiPath } from "../source";
import { NothingYet, openTrial, shownMeasure, usePoints } from "./sweep_overview";

const NAMED = 8; // number of brushed trials listed
const RANKED = 200; // number of configurations for the front of several objectives

interface Props {
  sweep: SweepView;
  view: PointsView;
  points: Points;
}

export function SweepParameters({ sweep, route }: { sweep: SweepView; route: Route }): JSX.Element {
  const metric = shownMeasure(sweep, route);
  const live = usePoints(sweep.name, metric);
  return (
    <Await live={live} what="trials">
      {(view) => {
        if (view.rows.length === 0) return <NothingYet sweep={sweep} />;
        if (view.dimensions.length === 0)
          return <p class="empty">Nothing varies between the trials of this sweep.</p>;
        const points = readPoints(view);
        return (
          <>
            {view.sampled && (
              <p class="note">
                A sample of {integer(view.rows.length)} of {integer(view.total)} trials, with the
                best, all records and the Pareto front.
              </p>
            )}
            <div class="controls">
              <MeasureSelect
                sweep={sweep.name}
                measures={view.measures}
                chosen={metric}
                route={route}
              />
              <ScaleControls measures={[points.measure]} />
            </div>
            <Parallel sweep={sweep} view={view} points={points} />
            <div class="plots three">
              <Importance sweep={sweep} />
              {sweep.objective_measures.length > 1 ? (
                <Front sweep={sweep} route={route} />
              ) : (
                <Sizes sweep={sweep} points={points} />
              )}
              <Contour sweep={sweep} view={view} points={points} route={route} />
            </div>
            <Slices sweep={sweep} view={view} points={points} />
          </>
        );
      }}
    </Await>
  );
}

// True when the page is as narrow as a phone.
function useNarrow(): boolean {
  const query = matchMedia("(max-width: 40rem)");
  const [isNarrow, set] = useState(query.matches);
  useEffect(() => {
    const change = (): void => set(query.matches);
    query.addEventListener("change", change);
    return () => query.removeEventListener("change", change);
  }, []);
  return isNarrow;
}

// The event that ECharts sends for a brush on one axis.
interface AreaSelected {
  parallelAxisIndex?: number;
  parallelAxisId?: string;
  intervals?: Interval[];
}

function Parallel({ sweep, view, points }: Props): JSX.Element {
  const [brush, setBrush] = useState<Brush>({});
  const chart = useRef<ECharts>();
  const { scale, floor } = useScale();
  const isNarrow = useNarrow();
  const choice = { scale, floor, isNarrow };
  const title = titleOf(points.measure);
  const onChart = (made: ECharts): void => {
    chart.current = made;
    setBrush({});
    made.on("axisareaselected", (event) => {
      // The axis id ends in the axis's position: "axis-3".
      const { parallelAxisId = "", intervals = [] } = event as AreaSelected;
      const axis = Number(/(\d+)\D*\d*$/.exec(parallelAxisId.replace(/\0/g, ""))?.[1] ?? 0);
      setBrush((old) => ({ ...old, [axis]: intervals }));
    });
  };
  const clear = (): void => {
    for (const axis of Object.keys(brush)) {
      chart.current?.dispatchAction({
        type: "axisAreaSelect",
        parallelAxisId: `axis-${axis}`,
        intervals: [],
      });
    }
    setBrush({});
  };
  const active = Object.values(brush).some((intervals) => intervals.length > 0);
  const chosen = active ? brushed(points, choice, brush) : [];
  return (
    <Plot
      // Another layout or scale makes another plot: a brush on the old axes has no meaning on new
      // ones.
      key={`${view.metric} ${scale} ${floor} ${isNarrow} ${view.dimensions.map((dimension) => dimension.name).join(" ")}`}
      title="Parallel coordinates"
      name={`${sweep.name} parallel`}
      height={parallelHeight(points, isNarrow)}
      inputs={[view]}
      build={(palette) => parallelPlot(points, choice, palette)}
      table={() => parallelTable(points)}
      onChart={onChart}
      summary={`${view.rows.length} trials over ${view.dimensions.map((dimension) => shorten(dimension.name, 40)).join(", ")} and ${title}`}
      note={
        active ? (
          <>
            <button type="button" class="small" onClick={clear}>
              Clear the brush
            </button>{" "}
            {integer(chosen.length)} of {integer(view.rows.length)} trials
            {chosen.length > 0 && ", best first: "}
            {chosen.slice(0, NAMED).map((trial, i) => (
              <>
                {i > 0 && ", "}
                <a key={trial} href={trialHref(sweep.name, trial)}>
                  {trial}
                </a>
              </>
            ))}
            {chosen.length > NAMED && " …"}
          </>
        ) : (
          `Drag along an axis to keep the trials that pass there; click it to let go. A line ends where its trial does not have the parameter.${divergedRows(points).length > 0 ? " A dashed red line is a trial that diverged." : ""}`
        )
      }
    />
  );
}

function Importance({ sweep }: { sweep: SweepView }): JSX.Element {
  const live = useLive<ImportanceView>(apiPath(["sweeps", sweep.name, "importance"]));
  return (
    <Await live={live} what="importance">
      {(view) =>
        view.enough && view.importances.length > 0 ? (
          <Plot
            title="Parameter importance"
            name={`${sweep.name} importance`}
            height={Math.max(180, importanceHeight(view))}
            inputs={[view]}
            build={(palette) => importancePlot(view, palette)}
            table={() => importanceTable(view)}
            summary={view.importances
              .map((row) => `${shorten(row.name, 40)} ${Math.round(row.importance * 100)} %`)
              .join(", ")}
            note={view.note ? `${view.method}: ${view.note}.` : `${view.method}, from ${plural(view.trials, "trial")}.`}
          />
        ) : (
          <figure class="plot">
            <figcaption>
              <span class="plot-title">Parameter importance</span>
            </figcaption>
            <p class="empty">
              {view.note ||
                `${plural(view.trials, "trial")}: too few to say which parameters matter.`}
            </p>
          </figure>
        )
      }
    </Await>
  );
}

// The first objective against the size of the network, whatever measure the other plots show.
function Sizes({ sweep, points }: { sweep: SweepView; points: Points }): JSX.Element | null {
  const objective = objectiveOf(sweep);
  const isShown = points.view.metric === objective.name;
  const live = usePoints(sweep.name, isShown ? "" : objective.name);
  const own = isShown ? points : live.data && readPoints(live.data);
  // Without networks, or with a single size, there is nothing to plot.
  const sizes = new Set(points.numbers("network_parameters").filter((count) => count));
  if (!own || sizes.size < 2) return null;
  return (
    <Pareto
      sweep={sweep}
      view={own.view}
      candidates={bySize(own)}
      note={`The line: the best ${titleOf(objective)} for each size (the Pareto front).`}
    />
  );
}

// The first objective against another one.
function Front({ sweep, route }: { sweep: SweepView; route: Route }): JSX.Element {
  const live = useLive<RankingView>(apiPath(["sweeps", sweep.name, "ranking"], { limit: RANKED }));
  const others = sweep.objective_measures.slice(1);
  const against = others.find(({ name }) => name === route.query.against) ?? others[0] ?? objectiveOf(sweep);
  return (
    <Await live={live} what="ranking">
      {(view) => (
        <Pareto
          sweep={sweep}
          view={view}
          candidates={byObjective(view.rows, sweep, against)}
          note={`The line: what no other beats in every objective (the Pareto front)${view.rows.length < view.total ? `, of the first ${integer(view.rows.length)} in the ranking` : ""}.`}
        >
          {others.length > 1 && (
            <Select
              label="against"
              value={against.name}
              options={others.map((one) => ({ value: one.name, label: titleOf(one) }))}
              onChange={(name) => setQuery(route, { against: name })}
            />
          )}
        </Pareto>
      )}
    </Await>
  );
}

function Pareto(props: {
  sweep: SweepView;
  view: unknown;
  candidates: Candidates;
  note: string;
  children?: ComponentChildren;
}): JSX.Element {
  const { sweep, candidates } = props;
  const { y, against } = candidates;
  const choice = useScale();
  const front = candidates.rows.filter((row) => row.front).map(({ trial }) => trial);
  return (
    <Plot
      title={`${headingOf(y)} against ${against ? againstTitle(against) : "parameters"}`}
      name={`${sweep.name} pareto`}
      height={300}
      inputs={[
        props.view,
        against?.name,
        choice.scale,
        choice.floor,
        targetOf(sweep.target, y),
        sweep.target.parameters,
      ]}
      build={(palette) => paretoPlot(candidates, sweep, choice, palette)}
      table={() => paretoTable(candidates)}
      onPick={openTrial(sweep.name)}
      summary={`${front.length} trials are on the Pareto front: ${front.slice(0, 20).join(", ")}`}
      note={props.note}
    >
      {props.children}
    </Plot>
  );
}

function Contour({ sweep, view, points, route }: Props & { route: Route }): JSX.Element | null {
  // Estimates need numbers on both axes; the numbers of a grid count too.
  const numbers = view.dimensions.filter((dimension) =>
    dimension.categories.every((value) => typeof value === "number"),
  );
  const [first, second] = numbers;
  if (!first || !second) return null;
  const find = (name: string | undefined): (typeof numbers)[number] | undefined =>
    numbers.find((dimension) => dimension.name === name);
  const x = find(route.query.x) ?? first;
  const y = find(route.query.y) ?? numbers.find((dimension) => dimension !== x) ?? second;
  const title = titleOf(points.measure);
  const text = (value: number): string => measureText(points.measure, value);
  const options = numbers.map((dimension) => ({ value: dimension.name, label: dimension.name }));
  const range = contourRange(points, x, y);
  return (
    <Plot
      key={`${x.name} ${y.name}`}
      title="Contour"
      name={`${sweep.name} contour`}
      height={300}
      inputs={[view]}
      build={(palette) => contourPlot(points, x, y, palette)}
      table={() => contourTable(points, x, y)}
      onPick={openTrial(sweep.name)}
      summary={`${title} over ${x.name} and ${y.name}`}
      note={
        <>
          {range && <Ramp low={text(range[0])} high={text(range[1])} />} An estimate of {title} from the trials near by. Every point is a trial
          {divergedRows(points).length > 0 ? ", a cross one that diverged" : ""}.
        </>
      }
    >
      <Select
        label="x"
        value={x.name}
        options={options}
        onChange={(name) => setQuery(route, { x: name })}
      />
      <Select
        label="y"
        value={y.name}
        options={options}
        onChange={(name) => setQuery(route, { y: name })}
      />
    </Plot>
  );
}

function Slices({ sweep, view, points }: Props): JSX.Element {
  const { scale, floor } = useScale();
  const choice = { scale, floor };
  return (
    <>
      <h2>Slices</h2>
      {divergedRows(points).length > 0 && (
        <p class="note">A cross at the {worstEdge(points.measure)} is a trial that diverged.</p>
      )}
      <div class="plots slices">
        {view.dimensions.map((dimension) => (
          <Plot
            key={dimension.name}
            title={shorten(dimension.name, 60)}
            name={`${sweep.name} slice ${dimension.name}`}
            height={230}
            inputs={[view, choice.scale, choice.floor]}
            build={(palette) => slicePlot(points, dimension, choice, palette)}
            table={() => sliceTable(points, dimension)}
            onPick={openTrial(sweep.name)}
            summary={`${titleOf(points.measure)} of ${view.rows.length} trials over ${shorten(dimension.name, 60)}`}
          />
        ))}
      </div>
    </>
  );
}
