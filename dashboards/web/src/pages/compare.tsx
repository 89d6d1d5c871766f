// Trials side by side: their curves in one plot, their parameters in one table.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { TrialView } from "../api";
import { Parameters, Text } from "../components/basics";
import { Plot } from "../components/plot";
import { ScaleControls, useScale } from "../components/scale_controls";
import { TrialForm } from "../components/trial_form";
import { number, percent, shorten, splitTrial } from "../format";
import { useLive } from "../live";
import { comparisonPlot, comparisonTable, dashOf, trialId, trialName } from "../plots/comparison";
import type { Metric } from "../plots/metric_scale";
import { trialHref } from "../router";
import { addSelected, MOST_COMPARED, removeSelected, useSelected } from "../selection";
import { apiPath } from "../source";
import { comparedRows, type ComparedRow } from "./compared_rows";

export function ComparePage(): JSX.Element {
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
        <Comparison trials={trials} />
      )}
    </>
  );
}

// Draws nothing: one live document per trial, so that each goes on by itself.
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

// How its curve is drawn.
function Key({ place }: { place: number }): JSX.Element {
  return <span class={`key key-${place + 1} ${dashOf(place)}`} />;
}

function Comparison({ trials }: { trials: TrialView[] }): JSX.Element {
  const choice = useScale();
  const rows = comparedRows(trials);
  const plot = (metric: Metric, title: string): JSX.Element => (
    <Plot
      title={title}
      name={`compare ${metric}`}
      height={320}
      zoomable
      inputs={[...trials, choice.scale, choice.floor, trials.length].slice(-12)}
      build={(palette) => comparisonPlot(trials, metric, choice.scale, choice.floor, palette)}
      table={() => comparisonTable(trials, metric)}
      summary={trials
        .map(
          (trial) =>
            `${trialName(trial)} ${metric === "loss" ? number(trial.best_loss) : percent(trial.best_accuracy)}`,
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
        <ScaleControls />
      </div>
      <div class="plots" key={trials.map(trialName).join()}>
        {plot("accuracy", "Accuracy")}
        {plot("loss", "Loss")}
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
