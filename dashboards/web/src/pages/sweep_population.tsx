// How a population was trained: which member went on from whose checkpoint, and with what values.

import type { JSX } from "preact";
import type { PopulationView, SweepView } from "../api";
import { Await, Select } from "../components/basics";
import { MeasureSelect } from "../components/measure_choice";
import { Plot } from "../components/plot";
import { ScaleControls, useScale } from "../components/scale_controls";
import { integer, shorten } from "../format";
import { useLive } from "../live";
import { findMeasure, titleOf } from "../measure";
import { populationPlot, populationSummary, populationTable } from "../plots/population";
import { setQuery, type Route } from "../router";
import { apiPath } from "../source";
import { openTrial, shownMeasure } from "./sweep_overview";

export function SweepPopulation({ sweep, route }: { sweep: SweepView; route: Route }): JSX.Element {
  const metric = shownMeasure(sweep, route);
  const live = useLive<PopulationView>(apiPath(["sweeps", sweep.name, "population"], { metric }), {
    keep: true,
  });
  return (
    <Await live={live} what="population">
      {(view) =>
        view.segments.length === 0 ? (
          <p class="empty">
            {view.population === 0
              ? `${sweep.method} trains no population: each trial begins untrained.`
              : "No member has begun yet."}
          </p>
        ) : (
          <Lineage sweep={sweep} view={view} route={route} metric={metric} />
        )
      }
    </Await>
  );
}

function Lineage({
  sweep,
  view,
  route,
  metric,
}: {
  sweep: SweepView;
  view: PopulationView;
  route: Route;
  metric: string;
}): JSX.Element {
  const { scale, floor } = useScale();
  const upwards = view.dimensions.find(({ name }) => name === route.query.upwards) ?? null;
  const measure = findMeasure(view.measures, metric);
  const heading = upwards === null ? titleOf(measure) : shorten(upwards.name, 60);
  return (
    <>
      <div class="controls">
        <MeasureSelect sweep={sweep.name} measures={view.measures} chosen={metric} route={route} />
        <Select
          label="upwards"
          value={upwards?.name ?? ""}
          options={[
            { value: "", label: "the measure" },
            ...view.dimensions.map(({ name }) => ({ value: name, label: shorten(name, 40) })),
          ]}
          onChange={(name) => setQuery(route, { upwards: name })}
        />
        {upwards === null && <ScaleControls measures={[measure]} />}
      </div>
      <Plot
        title={`${heading} of the population`}
        name={`${sweep.name} population ${heading}`}
        height={420}
        zoomable
        inputs={[view, upwards, scale, floor]}
        build={(palette) => populationPlot(view, upwards, { scale, floor }, palette)}
        table={() => populationTable(view)}
        onPick={openTrial(sweep.name)}
        summary={populationSummary(view)}
        note={`Every point is a segment, a trial, at its last epoch; a line comes from the segment whose checkpoint it began with. A dashed line is a member that went on as a copy of a better one, with changed values. In colour is what the trainings that came to the last epoch have come from.${
          view.segments.length < view.total
            ? ` The first ${integer(view.segments.length)} of ${integer(view.total)} segments.`
            : ""
        }`}
      />
    </>
  );
}
