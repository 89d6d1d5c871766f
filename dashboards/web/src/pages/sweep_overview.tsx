// How the sweep does: learning curves, history, what runs, and the best few.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { CurvesView, PointsView, SweepView } from "../api";
import { Await, Segments } from "../components/basics";
import { Plot, type PlotData } from "../components/plot";
import { ScaleControls, useScale } from "../components/scale_controls";
import { integer, metricText, plural } from "../format";
import { useLive } from "../live";
import { curvesTable, learningCurves } from "../plots/learning_curves";
import { historyPlot, historyTable } from "../plots/history";
import type { Metric } from "../plots/metric_scale";
import { readPoints } from "../plots/points";
import { href, trialHref } from "../router";
import { apiPath } from "../source";
import { Running } from "./running";
import { BestTable } from "./sweep_ranking";
import { Winner } from "./winner";

const CURVES = 60;
const POINTS = 500; // more cannot be told apart, and take longer to draw than a reader waits
const BEST = 5;

export function openTrial(sweep: string): (data: PlotData) => void {
  return (data) => {
    if (data.trial !== undefined) location.hash = trialHref(sweep, data.trial);
  };
}

export function usePoints(sweep: string): ReturnType<typeof useLive<PointsView>> {
  return useLive<PointsView>(apiPath(["sweeps", sweep, "points"], { limit: POINTS }));
}

export function SweepOverview({ sweep }: { sweep: SweepView }): JSX.Element {
  const points = usePoints(sweep.name);
  return (
    <>
      {points.data?.rows.length === 0 ? (
        <NothingYet sweep={sweep} />
      ) : (
        <>
          <div class="controls">
            <ScaleControls />
          </div>
          <div class="plots">
            <Curves sweep={sweep} />
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
      No trial has finished an epoch{sweep.end_time === null ? " yet" : ""}.
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

function Curves({ sweep }: { sweep: SweepView }): JSX.Element {
  const [metric, setMetric] = useState<Metric>(sweep.metric);
  const choice = useScale();
  const live = useLive<CurvesView>(
    apiPath(["sweeps", sweep.name, "curves"], { metric, limit: CURVES }),
    { keep: true },
  );
  return (
    <Await live={live} what="learning curves">
      {(curves) => {
        const last = curves.bands[curves.bands.length - 1];
        return (
          <Plot
            title="Learning curves"
            name={`${sweep.name} curves ${metric}`}
            height={360}
            zoomable
            inputs={[curves, choice.scale, choice.floor, sweep.target.accuracy, sweep.target.epoch]}
            build={(palette) => learningCurves(curves, sweep, choice, palette)}
            table={() => curvesTable(curves)}
            summary={
              last
                ? `${curves.total_trials} trials; at epoch ${last.epoch} the median is ${metricText(metric, last.p50)}, the best ${metricText(metric, last.best)}`
                : "no epoch yet"
            }
            note={
              curves.total_trials === 0
                ? "No trial has finished an epoch yet."
                : !curves.ready
                  ? "The bands are still being summed up."
                  : `${plural(curves.total_trials, "trial")}: the bands hold 90 and 50 % of them, the dashed line is the median; ${plural(curves.curves.length, "single curve")}, the best and those that run in colour.`
            }
          >
            <Segments
              legend="metric"
              value={metric}
              onChange={setMetric}
              options={[
                { value: "accuracy", label: "accuracy" },
                { value: "loss", label: "loss" },
              ]}
            />
          </Plot>
        );
      }}
    </Await>
  );
}

function History({ sweep, view }: { sweep: SweepView; view: PointsView }): JSX.Element {
  const choice = useScale();
  const points = readPoints(view);
  return (
    <Plot
      title="Optimisation history"
      name={`${sweep.name} history`}
      height={360}
      zoomable
      inputs={[view, choice.scale, choice.floor, sweep.target.accuracy, sweep.metric]}
      build={(palette) => historyPlot(points, sweep, choice.scale, choice.floor, palette)}
      table={() => historyTable(points, sweep.metric)}
      onPick={openTrial(sweep.name)}
      summary={`${view.total} trials, ${view.records.length} records`}
      note={
        view.sampled
          ? `A sample of ${integer(view.rows.length)} of ${integer(view.total)} trials, with all records and the best.`
          : "Every point is a trial, in colour when it meets every gate; the line is the best so far."
      }
    />
  );
}
