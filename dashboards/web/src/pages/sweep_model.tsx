// What the sweep's search knows along each parameter, and the region in which runs qualify.

import type { JSX } from "preact";
import type { ModelView, RegionView, SweepView } from "../api";
import { Await } from "../components/basics";
import { Plot } from "../components/plot";
import { ScaleControls, useScale } from "../components/scale_controls";
import { plural, shorten } from "../format";
import { useLive } from "../live";
import { objectiveOf, titleOf } from "../measure";
import { MODEL_HEIGHT, modelPlot, modelSummary, modelTable } from "../plots/model";
import { readPoints, type Points } from "../plots/points";
import { bandSeries, rangeOf } from "../plots/region";
import { trialHref, type Route } from "../router";
import { apiPath } from "../source";
import { openTrial, usePoints } from "./sweep_overview";
import { chosenShare } from "./region_boxes";
import { ShareChoice, SweepRegion } from "./sweep_region";

export function SweepModel({ sweep, route }: { sweep: SweepView; route: Route }): JSX.Element {
  const live = useLive<ModelView>(apiPath(["sweeps", sweep.name, "model"]));
  const points = usePoints(sweep.name, objectiveOf(sweep).name);
  const region = useLive<RegionView>(
    apiPath(["sweeps", sweep.name, "region"], { share: chosenShare(route) }),
    { keep: true },
  );
  return (
    <>
      <h2>Model of the search</h2>
      <Await live={live} what="model">
        {(view) =>
          view.slices.length === 0 ? (
            <p class="empty">{view.note || "The model is being computed."}</p>
          ) : (
            <Await live={points} what="trials">
              {(observed) => (
                <Slices sweep={sweep} view={view} region={region.data} points={readPoints(observed)} />
              )}
            </Await>
          )
        }
      </Await>
      <h2>Where runs qualify</h2>
      {canBeChosen(region.data) && <ShareChoice route={route} />}
      <Await live={region} what="region">
        {(view) => <SweepRegion sweep={sweep} view={view} />}
      </Await>
    </>
  );
}

// A sweep that requires or searches nothing has no region of any share.
function canBeChosen(region: RegionView | undefined): boolean {
  return region !== undefined && !["not_accepted", "no_gates", "nothing_varies"].includes(region.answer);
}

// What the plots show, by what the method has.
function Legend({ sweep, view, title }: { sweep: SweepView; view: ModelView; title: string }): JSX.Element {
  const from = `${view.method} has learned from ${plural(view.configurations, "configuration")}.`;
  const held = [...new Set(view.slices.map(({ trial }) => trial))];
  if (view.slices.every(({ mean }) => mean.length === 0)) {
    const others = view.slices.some(({ other_density }) => other_density.length > 0);
    return (
      <p class="note">
        {from} It models where good trials lie, not their values. The area below each plot is how densely it suggests values
        {others && ", the dashed line how densely the trials lie that are not among its best"}.
        Every point is a trial.
      </p>
    );
  }
  return (
    <p class="note">
      {from} The line is the {title} that it expects along one parameter, the band the 95 % interval,
      with the other parameters as in{" "}
      {held.map((trial, i) => (
        <>
          {i > 0 && ", "}
          {trial === 0 ? (
            "the best of an earlier sweep"
          ) : (
            <a key={trial} href={trialHref(sweep.name, trial)}>
              trial {trial}
            </a>
          )}
        </>
      ))}
      {held.some((trial) => trial !== 0) && ", which has a ring"}. Every point is a trial; its other parameters differ, so it may lie far from
      the band. The area below is the gain that it expects of a trial there: the search tries the
      highest.
    </p>
  );
}

function Slices({
  sweep,
  view,
  region,
  points,
}: {
  sweep: SweepView;
  view: ModelView;
  region: RegionView | undefined;
  points: Points;
}): JSX.Element {
  const { scale, floor } = useScale();
  const choice = { scale, floor };
  const { measure } = points;
  return (
    <>
      <div class="controls">
        <ScaleControls measures={[measure]} />
      </div>
      <Legend sweep={sweep} view={view} title={titleOf(measure)} />
      {region?.answer === "found" && region.networks.length === 0 && (
        <p class="note">The green ground is the region in which runs qualify, below.</p>
      )}
      {!view.ready && !__REPORT__ && (
        <p class="note" role="status">
          It is learning from new results.
        </p>
      )}
      <div class="plots slices">
        {view.slices.flatMap((slice) => {
          const dimension = sweep.dimensions.find(({ name }) => name === slice.name);
          if (!dimension) return [];
          return [
            <Plot
              key={slice.name}
              title={shorten(slice.name, 60)}
              name={`${sweep.name} model ${slice.name}`}
              height={MODEL_HEIGHT}
              inputs={[view, region, points.view, scale, floor]}
              build={(palette) =>
                modelPlot(points, dimension, slice, choice, palette, (axes) =>
                  bandSeries(rangeOf(region, dimension), dimension, axes, palette),
                )
              }
              table={() => modelTable(points, dimension, slice)}
              onPick={openTrial(sweep.name)}
              summary={modelSummary(points, dimension, slice)}
            />,
          ];
        })}
      </div>
    </>
  );
}
