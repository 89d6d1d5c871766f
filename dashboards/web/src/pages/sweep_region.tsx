// The ranges of hyperparameters in which runs are expected to meet all criteria.

import type { JSX } from "preact";
import type { RegionView, SweepView } from "../api";
import { Segments, Text } from "../components/basics";
import { Plot } from "../components/plot";
import { DataTable } from "../components/table";
import { number, percent, plural, shorten } from "../format";
import {
  rangeText,
  REGION_HEIGHT,
  regionPlot,
  regionSummary,
  regionTable,
  triedText,
  type RegionRange,
} from "../plots/region";
import { setQuery, trialHref, type Route } from "../router";
import { boxesOf, chosenShare, DEFAULT_SHARE, SHARES, type Box } from "./region_boxes";

function between(interval: [number, number] | null): string {
  return interval ? `95 % interval ${interval.map((end) => percent(end, 1)).join(" to ")}` : "";
}

const COLUMNS = [
  { key: "name", title: "parameter", cell: ({ name }: RegionRange) => shorten(name, 60) },
  { key: "region", title: "region", cell: (range: RegionRange) => shorten(rangeText(range), 200) },
  { key: "tried", title: "tried", cell: (range: RegionRange) => shorten(triedText(range), 200) },
];

function Sentences({ sweep, view }: { sweep: SweepView; view: RegionView }): JSX.Element {
  const { runs_inside, qualifying_inside } = view;
  return (
    <>
      <p>
        At least {percent(view.share, 0)} of the runs that are drawn from these ranges are expected to meet all criteria:{" "}
        <strong>{percent(view.expected, 1)}</strong> ({between(view.expected_interval)}), by a model of{" "}
        {plural(view.runs, "run")} of {plural(view.configurations, "configuration")}.{" "}
        {runs_inside > 0 ? (
          <>
            Of the sweep's own {plural(runs_inside, "run")} in them {qualifying_inside} met the criteria,{" "}
            <strong>{percent(qualifying_inside / runs_inside, 1)}</strong> ({between(view.qualifying_interval)}).
          </>
        ) : (
          "None of the sweep's own runs lies in them."
        )}
      </p>
      <p class="note">
        They lie around <a href={trialHref(sweep.name, view.around)}>trial {view.around}</a>, are{" "}
        {number(100 * (view.volume ?? 0), 3)} % of the search space, and go nowhere beyond what was tried. Other regions
        may qualify too.
      </p>
    </>
  );
}

export function ShareChoice({ route }: { route: Route }): JSX.Element | null {
  if (__REPORT__) return null;
  return (
    <div class="controls">
      <Segments
        legend="share of runs"
        value={chosenShare(route)}
        options={SHARES.map((value) => ({ value, label: percent(Number(value), 0) }))}
        onChange={(share) => setQuery(route, { share: share === DEFAULT_SHARE ? "" : share })}
      />
    </div>
  );
}

export function SweepRegion({ sweep, view }: { sweep: SweepView; view: RegionView }): JSX.Element {
  if (view.answer === "computing") return <p class="empty">The region is being computed.</p>;
  return (
    <>
      {!view.ready && !__REPORT__ && (
        <p class="note" role="status">
          It is learning from new results.
        </p>
      )}
      {boxesOf(view).map((box) =>
        box.model === "" ? (
          <BoxOf key="" sweep={sweep} box={box} />
        ) : (
          <section key={box.model} aria-label={`region of ${shorten(box.model, 60)}`}>
            <h3>
              <Text text={box.model} />
            </h3>
            <BoxOf sweep={sweep} box={box} />
          </section>
        ),
      )}
    </>
  );
}

function BoxOf({ sweep, box: { model, view } }: { sweep: SweepView; box: Box }): JSX.Element {
  const of = model === "" ? "" : ` of ${shorten(model, 60)}`;
  if (view.answer !== "found") {
    const note = view.note;
    return <p class="empty">{note.slice(0, 1).toUpperCase() + note.slice(1)}.</p>;
  }
  return (
    <>
      <Sentences sweep={sweep} view={view} />
      <DataTable
        caption={`The region${of} in which runs qualify`}
        columns={COLUMNS}
        rows={view.ranges}
        rowKey={({ name }) => name}
      />
      <p class="note">
        Below, the chance that a run meets the criteria along each parameter, the others being drawn from the region. The
        band is the 95 % interval, the green ground the region.
      </p>
      <div class="plots slices">
        {view.slices.flatMap((slice) => {
          const dimension = sweep.dimensions.find(({ name }) => name === slice.name);
          if (!dimension) return [];
          return [
            <Plot
              key={slice.name}
              title={`${shorten(slice.name, 60)}, chance`}
              name={`${sweep.name} region ${slice.name}${of}`}
              height={REGION_HEIGHT}
              inputs={[view]}
              build={(palette) => regionPlot(view, dimension, slice, palette)}
              table={() => regionTable(dimension, slice)}
              summary={regionSummary(view, dimension)}
            />,
          ];
        })}
      </div>
    </>
  );
}
