// One trial: what it trained with, how it went, what it gets wrong, and how to repeat it.

import type { ComponentChildren, JSX } from "preact";
import type { TrialView } from "../api";
import { TrialActions } from "../components/actions";
import { Await, CopyButton, Facts, Parameters, State, Text } from "../components/basics";
import { Gates } from "../components/gates";
import { Plot } from "../components/plot";
import { ScaleControls, useScale } from "../components/scale_controls";
import { DataTable, type Column } from "../components/table";
import { bytes, elapsed, integer, intervalText, number, percent, time } from "../format";
import { useLive } from "../live";
import { NetworkDrawing } from "../network/drawing";
import { countedRows, epochsPlot, epochsTable } from "../plots/epochs";
import { href, sweepHref } from "../router";
import { apiPath, now } from "../source";
import { TrialLogs } from "./trial_logs";
import { TrialPredictions } from "./trial_predictions";

export function TrialPage({
  sweep,
  number: trialNumber,
}: {
  sweep: string;
  number: number;
}): JSX.Element {
  const live = useLive<TrialView>(apiPath(["sweeps", sweep, "trials", trialNumber]));
  return (
    <Await live={live} what={`trial ${sweep}/${trialNumber}`}>
      {(trial) => (
        <>
          <p class="crumbs">
            <a href={sweepHref(trial.sweep)}>{trial.sweep}</a> /{" "}
            <a href={sweepHref(trial.sweep, "trials")}>trials</a>
          </p>
          <div class="title-row">
            <h1>
              Trial <Text text={`${trial.sweep}/${trial.trial}`} wide />{" "}
              <State state={trial.state} />
            </h1>
            <TrialActions trial={trial} onDone={live.refresh} />
          </div>
          <TrialFacts trial={trial} />
          {trial.reasons.map((reason) => (
            <p key={reason} class={trial.state === "failed" ? "error" : "note"}>
              <Text text={reason} wide />
            </p>
          ))}
          <Epochs trial={trial} />
          {trial.network && (
            <NetworkDrawing network={trial.network} name={`${trial.sweep}-${trial.trial}`} />
          )}
          <TrialPredictions trial={trial} />
          <Attempts trial={trial} />
          <Repeat trial={trial} />
          {!__REPORT__ && <TrialLogs key={`${trial.sweep}/${trial.trial}`} trial={trial} />}
        </>
      )}
    </Await>
  );
}

function TrialFacts({ trial }: { trial: TrialView }): JSX.Element {
  const interval =
    trial.evaluation_images > 0
      ? ` (95 % ${intervalText(trial.interval)} of ${integer(trial.evaluation_images)} images)`
      : "";
  const facts: [string, ComponentChildren][] = [
    [
      "best accuracy",
      <>
        <strong>{percent(trial.best_accuracy)}</strong>
        {trial.best_accuracy === null ? (
          ""
        ) : (
          <span class="quiet">
            {" "}
            at epoch {trial.best_epoch}
            {interval}
          </span>
        )}
      </>,
    ],
    ["last accuracy", percent(trial.last_accuracy)],
    ["best loss", number(trial.best_loss)],
    ["epoch", `${trial.epoch}/${trial.epochs}`],
    [
      "gates",
      trial.gates.length > 0 ? <Gates gates={trial.gates} /> : <span class="quiet">none</span>,
    ],
    ["parameters", <Parameters values={trial.parameters} />],
    [
      "model",
      <>
        <Text text={trial.model || "own program"} />
        {trial.network_parameters > 0 && (
          <span class="quiet"> {integer(trial.network_parameters)} parameters</span>
        )}
      </>,
    ],
    [
      "seed",
      <>
        {trial.seed}
        <span class="quiet">
          {" "}
          replicate {trial.replicate} of configuration {trial.configuration}
        </span>
      </>,
    ],
    [
      "trained",
      <>
        {time(trial.start_time)}
        <span class="quiet">
          {" "}
          for {elapsed(trial.start_time, trial.end_time, now())}
          {trial.worker ? " on " : ""}
        </span>
        <Text text={trial.worker} />
      </>,
    ],
  ];
  return <Facts facts={facts} />;
}

function Epochs({ trial }: { trial: TrialView }): JSX.Element {
  const choice = useScale();
  const rows = countedRows(trial.epoch_rows);
  const last = rows[rows.length - 1];
  if (!last) return <p class="empty">No epoch has been reported yet.</p>;
  const inputs = [trial, choice.scale, choice.floor];
  const name = `${trial.sweep} ${trial.trial}`;
  return (
    <>
      <div class="controls">
        <ScaleControls />
      </div>
      <div class="plots">
        <Plot
          title="Loss"
          name={`${name} loss`}
          height={300}
          zoomable
          inputs={inputs}
          build={(palette) => epochsPlot(trial, "loss", choice.scale, 0, palette)}
          table={() => epochsTable(trial)}
          summary={`at epoch ${last.epoch}: train ${number(last.train_loss)}, validation ${number(last.validation_loss)}`}
          note={<Legend />}
        />
        <Plot
          title="Accuracy"
          name={`${name} accuracy`}
          height={300}
          zoomable
          inputs={inputs}
          build={(palette) => epochsPlot(trial, "accuracy", choice.scale, choice.floor, palette)}
          table={() => epochsTable(trial)}
          summary={`at epoch ${last.epoch}: train ${percent(last.train_accuracy)}, validation ${percent(last.validation_accuracy)}`}
          note={<Legend />}
        />
      </div>
      {trial.epoch_rows_left_out > 0 && (
        <p class="note">{integer(trial.epoch_rows_left_out)} more epoch rows are not shown.</p>
      )}
    </>
  );
}

function Legend(): JSX.Element {
  return (
    <>
      <span class="key key-1" /> validation <span class="key key-2 dashed" /> train
    </>
  );
}

type Attempt = TrialView["attempts"][number];
export const ATTEMPT_COLUMNS: Column<Attempt>[] = [
  { key: "attempt", title: "Attempt", numeric: true, cell: (row) => row.attempt },
  { key: "outcome", title: "Outcome", cell: (row) => row.outcome || "running" },
  { key: "worker", title: "Worker", cell: (row) => <Text text={row.worker} /> },
  { key: "start", title: "Start", numeric: true, cell: (row) => time(row.start_time) },
  {
    key: "duration",
    title: "Duration",
    numeric: true,
    cell: (row) => elapsed(row.start_time, row.end_time, now()),
  },
  { key: "reason", title: "Reason", cell: (row) => <Text text={row.reason} wide /> },
];

function Attempts({ trial }: { trial: TrialView }): JSX.Element {
  return (
    <>
      <h2>Attempts</h2>
      <DataTable
        caption="Attempts"
        columns={ATTEMPT_COLUMNS}
        rows={trial.attempts}
        rowKey={(row) => row.attempt}
        empty="none yet"
      />
    </>
  );
}

function Repeat({ trial }: { trial: TrialView }): JSX.Element {
  const weights = trial.artifacts.filter((artifact) => artifact.role.startsWith("weights_"));
  return (
    <>
      <h2>
        Repeat it <CopyButton text={trial.replay.join("\n")} label="Copy commands" />
      </h2>
      <pre tabIndex={0}>{trial.replay.join("\n")}</pre>
      {weights.length > 0 && !__REPORT__ && (
        <p class="actions">
          {weights.map((artifact) => {
            const which = artifact.role.replace("weights_", "");
            return (
              <a
                key={which}
                class="button"
                download={`${trial.sweep}-${trial.trial}-${which}.safetensors`}
                href={apiPath(["sweeps", trial.sweep, "trials", trial.trial, "weights"], { which })}
              >
                Weights of the {which} epoch <span class="quiet">{bytes(artifact.size_bytes)}</span>
              </a>
            );
          })}
          {trial.network && (
            <a class="button" href={href(["draw"], { trial: `${trial.sweep}/${trial.trial}` })}>
              Draw a digit for it
            </a>
          )}
        </p>
      )}
      <details>
        <summary>The line that the trainer gets</summary>
        <pre tabIndex={0}>{JSON.stringify(trial.spec, null, 1)}</pre>
      </details>
    </>
  );
}
