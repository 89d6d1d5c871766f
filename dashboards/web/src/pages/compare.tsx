// Trials side by side: their curves in one plot, their parameters in one table.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Measure, TrialView } from "../api";
import { Parameters, Text } from "../components/basics";
import { MeasureChecks } from "../components/measure_choice";
import { Plot } from "../components/plot";
import { ScaleControls, useScale } from "../components/scale_controls";
import { TrialForm } from "../components/trial_form";
import { shorten, splitTrial } from "../format";
import { useLive } from "../live";
import {
  bestValue,
  chosenMeasures,
  headingOf,
  judgedMeasures,
  measureText,
  oneOfEach,
} from "../measure";
import { comparisonPlot, comparisonTable, trialId, trialName } from "../plots/comparison";
import { dashOf } from "../plots/curve_colours";
import { trialHref, type Route } from "../router";
import { addSelected, MOST_COMPARED, removeSelected, useSelected } from "../selection";
import { apiPath } from "../source";
import { comparedRows, type ComparedRow } from "./compared_rows";

export function ComparePage({ route }: { route: Route }): JSX.Element {
  const names = useSelected();
  const [found, setFound] = useState<Record<string, TrialView | string>>({});
  const trials = names
    .map((name) => found[name])
    .filter((trial): trial is TrialView => typeof trial === "object");
  return (
    <>
      <h1>Compare</h1>
      <TrialForm
        action="Add"
        disabled={names.length >= MOST_COMPARED}
        onTrial={addSelected}
      />
      {names.map((name) => (
        <Fetched
          key={name}
          name={name}
          onFound={(trial) => setFound((old) => ({ ...old, [name]: trial }))}
        />
      ))}
      {names
        .filter((name) => typeof found[name] === "string")
        .map((name) => (
          <p key={name} class="error">
            {name}: {String(found[name])}
          </p>
        ))}
      {names.length === 0 && (
        <p class="empty">
          Tick trials in a ranking or a table of trials, or name them here as SWEEP/NUMBER.
        </p>
      )}
      {trials.length > 0 && (
        <Comparison trials={trials} route={route} />
      )}
    </>
  );
}

// Renders nothing: one live document per trial, each refreshed on its own.
function Fetched({
  name,
  onFound,
}: {
  name: string;
  onFound: (trial: TrialView | string) => void;
}): null {
  const parts = splitTrial(name);
  const { data, error } = useLive<TrialView>(
    parts ? apiPath(["sweeps", parts.sweep, "trials", parts.trial]) : "",
  );
  useEffect(() => {
    if (data) onFound(data);
    else if (error) onFound(error.message);
  }, [data, error]);
  return null;
}

// The line style of a trial's curve.
function Key({ place }: { place: number }): JSX.Element {
  return <span class={`key key-${place + 1} ${dashOf(place)}`} />;
}

// Shows the measures that judge the trials' sweeps, until others are chosen.
function Comparison({ trials, route }: { trials: TrialView[]; route: Route }): JSX.Element {
  const choice = useScale();
  const measures = oneOfEach(trials.flatMap((trial) => trial.reported));
  const judged = oneOfEach(trials.flatMap(judgedMeasures));
  const chosen = chosenMeasures(
    measures,
    route.query.metric,
    measures.filter(({ name }) => judged.some((one) => one.name === name)),
  );
  const rows = comparedRows(trials, chosen);
  const plot = (measure: Measure): JSX.Element => (
    <Plot
      key={measure.name}
      title={headingOf(measure)}
      name={`compare ${measure.name}`}
      height={320}
      zoomable
      inputs={[...trials, choice.scale, choice.floor, trials.length].slice(-12)}
      build={(palette) => comparisonPlot(trials, measure, choice.scale, choice.floor, palette)}
      table={() => comparisonTable(trials, measure)}
      summary={trials
        .map(
          (trial) =>
            `${trialName(trial)} ${measureText(measure, bestValue(trial.measures[measure.name], measure))}`,
        )
        .join(", ")}
      note={trials.map((trial, i) => (
        <span key={trialId(trial)} class="nowrap">
          <Key place={i} /> {trialName(trial)}{" "}
        </span>
      ))}
    />
  );
  return (
    <>
      <div class="controls">
        <MeasureChecks measures={measures} chosen={chosen} route={route} />
        <ScaleControls measures={chosen} />
      </div>
      <div class="plots" key={trials.map(trialName).join()}>
        {chosen.map(plot)}
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="trials side by side">
        <table class="side-by-side">
          <caption class="unseen">Trials side by side; differences are marked</caption>
          <thead>
            <tr>
              <th scope="col">
                <span class="unseen">Value</span>
              </th>
              {trials.map((trial, i) => (
                <th key={trialId(trial)} scope="col" class="number">
                  <Key place={i} />{" "}
                  <a href={trialHref(trial.sweep, trial.trial)}>{trialName(trial)}</a>{" "}
                  <button
                    type="button"
                    class="small"
                    aria-label={`remove ${trialName(trial)}`}
                    onClick={() => removeSelected(trialId(trial))}
                  >
                    ×
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.results.map((row) => (
              <Line key={row.name} row={row} mark={false} />
            ))}
            {rows.parameters.map((row) => (
              <Line key={`parameter ${row.name}`} row={row} mark />
            ))}
          </tbody>
        </table>
      </div>
      {trials.length > 1 && Object.keys(rows.same).length > 0 && (
        <p class="note shared">
          The same in all: <Parameters values={rows.same} />
        </p>
      )}
    </>
  );
}

function Line({ row, mark }: { row: ComparedRow; mark: boolean }): JSX.Element {
  const differs = mark && new Set(row.cells).size > 1;
  return (
    <tr class={differs ? "differs" : ""}>
      <th scope="row">
        {shorten(row.name, 60)}
        {differs && <span class="unseen"> (differs)</span>}
      </th>
      {row.cells.map((cell, i) => (
        <td key={i} class="number">
          <Text text={cell} />
        </td>
      ))}
    </tr>
  );
}
