// Trials side by side: their curves in one plot, their parameters in one table.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { TrialView, Value } from "../api";
import { Text } from "../components/basics";
import { Plot } from "../components/plot";
import { ScaleControls, useScale } from "../components/scale_controls";
import { TrialForm } from "../components/trial_form";
import { integer, number, percent, shorten, splitTrial, valueText } from "../format";
import { useLive } from "../live";
import { comparisonPlot, comparisonTable, trialId, trialName } from "../plots/comparison";
import type { Metric } from "../plots/metric_scale";
import { setQuery, trialHref, type Route } from "../router";
import { MOST_COMPARED } from "../selection";
import { apiPath } from "../source";

export function ComparePage({ route }: { route: Route }): JSX.Element {
  const names = [
    ...new Set(
      (route.query.trials ?? "").split(",").flatMap((name) => {
        const parts = splitTrial(name); // "s/01" is "s/1"
        return parts ? [trialId(parts)] : [];
      }),
    ),
  ].slice(0, MOST_COMPARED);
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
        onTrial={(name) => setQuery(route, { trials: [...names, name].join(",") })}
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
        <Comparison
          trials={trials}
          onRemove={(name) =>
            setQuery(route, { trials: names.filter((other) => other !== name).join(",") })
          }
        />
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

interface RowOf {
  name: string;
  cells: string[];
}

function rowsOf(trials: TrialView[]): { results: RowOf[]; parameters: RowOf[] } {
  const row = (name: string, text: (trial: TrialView) => string): RowOf => ({
    name,
    cells: trials.map(text),
  });
  const names = [...new Set(trials.flatMap((trial) => Object.keys(trial.parameters)))].sort();
  const value = (trial: TrialView, name: string): Value | undefined => trial.parameters[name];
  return {
    results: [
      row("state", (trial) => trial.state),
      row("best accuracy", (trial) => percent(trial.best_accuracy)),
      row("at epoch", (trial) => integer(trial.best_epoch || null)),
      row("epochs to target", (trial) => integer(trial.epochs_to_target || null)),
      row("last accuracy", (trial) => percent(trial.last_accuracy)),
      row("best loss", (trial) => number(trial.best_loss)),
      row("gates", (trial) =>
        trial.gates.length === 0
          ? "none"
          : `${trial.gates.filter((gate) => gate.met).length} of ${trial.gates.length} met`,
      ),
    ],
    parameters: [
      row("model", (trial) => trial.model),
      row("network parameters", (trial) => integer(trial.network_parameters || null)),
      ...names.map((name) => row(name, (trial) => valueText(value(trial, name)))),
      row("seed", (trial) => trial.seed),
    ],
  };
}

function Comparison({
  trials,
  onRemove,
}: {
  trials: TrialView[];
  onRemove: (name: string) => void;
}): JSX.Element {
  const choice = useScale();
  const rows = rowsOf(trials);
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
          <span class={`key key-${i + 1}`} /> {trialName(trial)}{" "}
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
                  <span class={`key key-${i + 1}`} />{" "}
                  <a href={trialHref(trial.sweep, trial.trial)}>{trialName(trial)}</a>{" "}
                  <button
                    type="button"
                    class="small"
                    aria-label={`remove ${trialName(trial)}`}
                    onClick={() => onRemove(trialId(trial))}
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
    </>
  );
}

function Line({ row, mark }: { row: RowOf; mark: boolean }): JSX.Element {
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
