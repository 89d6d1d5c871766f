// One trial: its hyperparameters, its results, its errors, and how to repeat it.

import type { ComponentChildren, JSX } from "preact";
import type { Measure, TrialState, TrialView } from "../api";
import { TrialActions } from "../components/actions";
import { Await, CopyButton, Facts, Outcome, Parameters, State, Text } from "../components/basics";
import { Gates } from "../components/gates";
import { MeasureChecks } from "../components/measure_choice";
import { Plot } from "../components/plot";
import { ScaleControls, useScale } from "../components/scale_controls";
import { DataTable, type Column } from "../components/table";
import { defaultsOf } from "../effective";
import {
  bytes,
  elapsed,
  integer,
  intervalText,
  NONE,
  plural,
  seconds,
  time,
  timeWithZone,
  visible,
  zone,
} from "../format";
import { useLive } from "../live";
import {
  bestPart,
  bestValue,
  byUnit,
  chosenMeasures,
  measureText,
  defaultMeasures,
  titleOf,
} from "../measure";
import { NetworkDrawing } from "../network/drawing";
import { dashOf } from "../plots/curve_colours";
import { countedRows, epochsPlot, epochsTable, epochsTitle } from "../plots/epochs";
import { href, sweepHref, trialHref, type Route } from "../router";
import { apiPath, besidePage, now } from "../source";
import { TrialLogs } from "./trial_logs";
import { TrialPredictions } from "./trial_predictions";

export function TrialPage({
  sweep,
  number: trialNumber,
  route,
}: {
  sweep: string;
  number: number;
  route: Route;
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
            <p key={reason} class={trial.state === "failed" || trial.state === "diverged" ? "error" : "note"}>
              <Text text={reason} wide />
            </p>
          ))}
          {trial.state === "diverged" && (
            <p class="note">So there is no button to retry it.</p>
          )}
          <Epochs trial={trial} route={route} />
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

const TOLD = 6; // number of measures

// Best values, first of the measures that judge the sweep; for the objective also its epoch and
// last value.
function measureFacts(trial: TrialView): [string, ComponentChildren][] {
  return defaultMeasures(trial)
    .slice(0, TOLD)
    .flatMap((one, i): [string, ComponentChildren][] => {
      const { name } = one;
      const best = bestValue(trial.measures[name], one);
      const part = bestPart(one) === "last" ? "last" : "best";
      const isObjective = i === 0;
      const text = measureText(one, best);
      return [
        [
          `${part} ${titleOf(one)}`,
          <>
            {isObjective ? <strong>{text}</strong> : text}
            {best !== null && (
              <span class="quiet">
                {isObjective && trial.best_epoch !== null ? ` at epoch ${trial.best_epoch}` : ""}
                {name === "validation_accuracy" ? wilsonText(trial) : ""}
              </span>
            )}
          </>,
        ],
        ...(isObjective && part === "best"
          ? [[`last ${titleOf(one)}`, measureText(one, trial.last)] as [string, string]]
          : []),
      ];
    });
}

function wilsonText({ evaluation_images: images, interval }: TrialView): string {
  return images ? ` (95 % ${intervalText(interval)} of ${integer(images)} images)` : "";
}

// The segments that its weights come from, the first one first.
function Lineage({ trial }: { trial: TrialView }): JSX.Element {
  return (
    <>
      {trial.lineage.slice(0, -1).map(({ trial: number, start_epoch, epoch }) => (
        <span key={number}>
          <a href={trialHref(trial.sweep, number)}>trial {number}</a>
          <span class="quiet">
            {" "}
            epochs {start_epoch + 1}–{epoch} →{" "}
          </span>
        </span>
      ))}
      <span>
        this one <span class="quiet">from epoch {(trial.start_epoch ?? 0) + 1}</span>
      </span>
    </>
  );
}

function TrialFacts({ trial }: { trial: TrialView }): JSX.Element {
  const facts: [string, ComponentChildren][] = [
    ...measureFacts(trial),
    ["epoch", `${trial.epoch}/${trial.epochs}`],
    [
      "criteria",
      trial.epoch > 0 && trial.gates.length > 0 ? <Gates gates={trial.gates} measures={trial.reported} /> : <span class="quiet">{NONE}</span>,
    ],
    ["hyperparameters", <Hyperparameters trial={trial} />],
    ...(trial.chosen ? [["chosen", <Text text={trial.chosen} wide />] as [string, JSX.Element]] : []),
    ...(trial.lineage.length > 1 ? [["lineage", <Lineage trial={trial} />] as [string, JSX.Element]] : []),
    [
      "model",
      <>
        <Text text={trial.model || "own program"} />
        {trial.network_parameters ? (
          <span class="quiet"> {plural(trial.network_parameters, "parameter")}</span>
        ) : null}
      </>,
    ],
    [
      "seed",
      <>
        {trial.seed}
        <span class="quiet">
          {" "}
          {trial.member === null
            ? `replicate ${trial.replicate} of configuration ${trial.configuration}`
            : `member ${trial.member} of the population`}
        </span>
      </>,
    ],
    [
      "trained",
      <>
        {timeWithZone(trial.start_time)}
        <span class="quiet">
          {trial.start_time ? ` for ${seconds(trial.attempt_seconds)}` : ""}
          {trial.worker ? " on " : ""}
        </span>
        <Text text={trial.worker} />
      </>,
    ],
  ];
  return <Facts facts={facts} />;
}

// The searched hyperparameters, then those at their defaults.
function Hyperparameters({ trial }: { trial: TrialView }): JSX.Element {
  const defaults = defaultsOf(trial);
  return (
    <>
      <Parameters values={trial.parameters} />
      {Object.keys(defaults).length > 0 && (
        <details class="inline">
          <summary>{plural(Object.keys(defaults).length, "default")}</summary>
          <Parameters values={defaults} />
        </details>
      )}
    </>
  );
}

const NO_EPOCH: Record<TrialState, string> = {
  pending: "It has not started yet.",
  leased: "No epoch has been reported yet.",
  running: "No epoch has been reported yet.",
  on_hold: "It rests, though no epoch has been reported.",
  completed: "It ended without an epoch.",
  stopped: "It was stopped before the end of its first epoch.",
  diverged: "It diverged before the end of its first epoch.",
  failed: "It failed before the end of its first epoch.",
  cancelled: "It was cancelled before the end of its first epoch.",
};

function Epochs({ trial, route }: { trial: TrialView; route: Route }): JSX.Element {
  const choice = useScale();
  const rows = countedRows(trial.epoch_rows);
  const last = rows[rows.length - 1];
  if (!last) return <p class="empty">{NO_EPOCH[trial.state]}</p>;
  // A measure that never was a number has no curve.
  const drawn = trial.reported.filter((one) => rows.some((row) => row.values[one.name] != null));
  const byDefault = defaultMeasures(trial);
  const chosen = chosenMeasures(
    drawn,
    route.query.metric,
    drawn.filter((one) => byDefault.includes(one)),
  );
  return (
    <>
      <div class="controls">
        <MeasureChecks measures={drawn} chosen={chosen} route={route} />
        <ScaleControls measures={chosen} />
      </div>
      <div class="plots">
        {byUnit(chosen).map((measures) => (
          <Plot
            key={measures.map(({ name }) => name).join()}
            title={epochsTitle(measures)}
            name={`${trial.sweep} ${trial.trial} ${measures[0]?.name ?? ""}`}
            height={300}
            zoomable
            inputs={[trial, choice.scale, choice.floor]}
            build={(palette) => epochsPlot(trial, measures, choice.scale, choice.floor, palette)}
            table={() => epochsTable(trial)}
            summary={`at epoch ${last.epoch}: ${measures.map((one) => `${titleOf(one)} ${measureText(one, last.values[one.name])}`).join(", ")}`}
            note={<Legend measures={measures} />}
          />
        ))}
      </div>
      {trial.epoch_rows_left_out > 0 && (
        <p class="note">{integer(trial.epoch_rows_left_out)} more epoch rows are not shown.</p>
      )}
    </>
  );
}

function Legend({ measures }: { measures: Measure[] }): JSX.Element {
  return (
    <>
      {measures.map((one, i) => (
        <span key={one.name} class="nowrap">
          <span class={`key key-${(i % 6) + 1} ${dashOf(2 * i)}`} /> {titleOf(one)}{" "}
        </span>
      ))}
    </>
  );
}

type Attempt = TrialView["attempts"][number];
export const ATTEMPT_COLUMNS: Column<Attempt>[] = [
  { key: "attempt", title: "Attempt", numeric: true, cell: (row) => row.attempt },
  { key: "outcome", title: "Outcome", cell: (row) => <Outcome outcome={row.outcome} /> },
  { key: "worker", title: "Worker", cell: (row) => <Text text={row.worker} /> },
  { key: "start", title: `Start, ${zone()}`, numeric: true, cell: (row) => time(row.start_time) },
  {
    key: "duration",
    title: "Duration",
    numeric: true,
    cell: (row) => elapsed(row.start_time, row.end_time, now()),
  },
  { key: "reason", title: "Reason", cell: (row) => <span class="lines"><Text text={row.reason} wide /></span> },
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
        Repeat it{" "}
        {trial.replay.length > 0 && (
          <CopyButton text={trial.replay.join("\n")} label="Copy commands" />
        )}
      </h2>
      {trial.replay.length > 0 && <pre tabIndex={0}>{visible(trial.replay.join("\n"))}</pre>}
      {trial.replay_note && (
        <p class="note">
          <Text text={trial.replay_note} wide />
        </p>
      )}
      {weights.length > 0 && !__REPORT__ && (
        <p class="actions">
          {weights.map((artifact) => {
            const which = artifact.role.replace("weights_", "");
            return (
              <a
                key={which}
                class="button"
                download={`${trial.sweep}-${trial.trial}-${which}.safetensors`}
                href={besidePage(
                  apiPath(["sweeps", trial.sweep, "trials", trial.trial, "weights"], { which }),
                )}
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
        <pre tabIndex={0}>{visible(JSON.stringify(trial.spec, null, 1))}</pre>
      </details>
    </>
  );
}
