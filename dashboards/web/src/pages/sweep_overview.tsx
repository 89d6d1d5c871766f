// The sweep's results so far: learning curves, history, running trials, and the best few.

import type { JSX } from "preact";
import type { PointsView, SweepView } from "../api";
import { Await } from "../components/basics";
import { MeasureSelect } from "../components/measure_choice";
import { Plot, type PlotData } from "../components/plot";
import { ScaleControls, useScale } from "../components/scale_controls";
import { integer } from "../format";
import { useLive } from "../live";
import { findMeasure, headingOf, objectiveOf, targetOf } from "../measure";
import { hasRecords, historyPlot, historyTable } from "../plots/history";
import { worstEdge } from "../plots/metric_scale";
import { divergedRows, readPoints } from "../plots/points";
import { href, trialHref, type Route } from "../router";
import { apiPath } from "../source";
import { LearningCurves } from "./learning_curves";
import { noEpoch } from "./no_epoch";
import { Running } from "./running";
import { BestTable } from "./sweep_ranking";
import { Winner } from "./winner";

const POINTS = 500; // more are indistinguishable and take too long to draw
const BEST = 5;

export function openTrial(sweep: string): (data: PlotData) => void {
  return (data) => {
    if (data.trial !== undefined) location.hash = trialHref(sweep, data.trial);
  };
}

// The measure of a sweep's plots: the first objective, until another is chosen.
export function shownMeasure(sweep: SweepView, route: Route): string {
  return route.query.metric || objectiveOf(sweep).name;
}

// The points of a measure; none for "".
export function usePoints(sweep: string, metric: string): ReturnType<typeof useLive<PointsView>> {
  const path = apiPath(["sweeps", sweep, "points"], { metric, limit: POINTS });
  return useLive<PointsView>(metric && path, { keep: true });
}

export function SweepOverview({ sweep, route }: { sweep: SweepView; route: Route }): JSX.Element {
  const metric = shownMeasure(sweep, route);
  const points = usePoints(sweep.name, metric);
  const measures = points.data?.measures ?? sweep.objective_measures;
  return (
    <>
      {points.data?.rows.length === 0 ? (
        <NothingYet sweep={sweep} />
      ) : (
        <>
          <div class="controls">
            <MeasureSelect sweep={sweep.name} measures={measures} chosen={metric} route={route} />
            <ScaleControls measures={[findMeasure(measures, metric)]} />
          </div>
          <div class="plots">
            <LearningCurves sweep={sweep} points={points.data} metric={metric} />
            <Await live={points} what="history">
              {(view) => <History sweep={sweep} view={view} />}
            </Await>
          </div>
        </>
      )}
      {sweep.state === "active" && !__REPORT__ && <Running sweep={sweep} />}
      <h2>Best configurations</h2>
      <BestTable sweep={sweep} limit={BEST} />
      <Winner sweep={sweep} />
    </>
  );
}

export function NothingYet({ sweep }: { sweep: SweepView }): JSX.Element {
  const { failed } = sweep.trials;
  return (
    <p class="empty">
      {noEpoch(sweep)}
      {failed > 0 && (
        <>
          {" "}
          <a href={href(["sweeps", sweep.name, "trials"], { state: "failed" })}>
            {integer(failed)} failed
          </a>
          ; their reasons are there.
        </>
      )}
    </p>
  );
}

function History({ sweep, view }: { sweep: SweepView; view: PointsView }): JSX.Element {
  const choice = useScale();
  const points = readPoints(view);
  const diverged = divergedRows(points).length;
  const line = hasRecords(points, sweep) ? "; the line is the best so far" : "";
  const each = sweep.gates.length > 0 ? ", in colour when it meets the criteria" : "";
  const cross =
    diverged > 0
      ? ` A cross at the ${worstEdge(points.measure)} is a trial that diverged (${integer(diverged)}).`
      : "";
  return (
    <Plot
      title="Optimisation history"
      name={`${sweep.name} history`}
      height={360}
      zoomable
      inputs={[view, choice.scale, choice.floor, targetOf(sweep.target, points.measure)]}
      build={(palette) => historyPlot(points, sweep, choice.scale, choice.floor, palette)}
      table={() => historyTable(points, sweep)}
      onPick={openTrial(sweep.name)}
      summary={`${headingOf(points.measure)} of ${view.total} trials, ${view.records.length} records`}
      note={
        view.sampled
          ? `A sample of ${integer(view.rows.length)} of ${integer(view.total)} trials, with all records and the best.`
          : `Every point is a trial${each}${line}.${cross}`
      }
    />
  );
}
