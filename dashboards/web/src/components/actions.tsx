// Buttons that change something: each asks for confirmation, and shows a refusal in one line.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { SweepsView, SweepView, TrialView } from "../api";
import { plural } from "../format";
import { useLive } from "../live";
import { act, apiPath } from "../source";
import { Text } from "./basics";

// A button names its action; its dialog offers that action or to leave things unchanged.
interface Action {
  label: string;
  question: string;
  deed?: string; // on the dialog's button, when the label could mean "close this dialog"
  keep?: string; // on the other button
  path: string;
  body: Record<string, boolean>;
  danger?: boolean;
}

const KEEP = "Leave it";

function pauseActions(sweep: SweepView, path: string): Action[] {
  return [
    {
      label: "Pause",
      question: `Start no more trials of ${sweep.name}? What runs goes on to its end. Resume starts them again.`,
      path,
      body: { now: false },
    },
    {
      label: "Pause now",
      question: `Save a checkpoint of each running trial of ${sweep.name} and free its machine? Resume goes on from there.`,
      path,
      body: { now: true },
    },
  ];
}

export function sweepActions(sweep: SweepView): Action[] {
  const path = (verb: string): string => apiPath(["sweeps", sweep.name, verb]);
  const actions: Action[] = [];
  const { failed, cancelled } = sweep.trials;
  if (sweep.state === "active") actions.push(...pauseActions(sweep, path("pause")));
  const mayRun = sweep.file_refusal === "";
  if (sweep.state === "paused" && mayRun)
    actions.push({
      label: "Resume",
      question: `Start trials of ${sweep.name} again?`,
      path: path("resume"),
      body: {},
    });
  if (sweep.state === "active" || sweep.state === "paused") {
    actions.push({
      label: "Cancel",
      question: `End sweep ${sweep.name}? Its running trials stop, its pending ones do not start. Results stay. It can be undone: sweep retry ${sweep.name} --cancelled`,
      deed: "End the sweep",
      keep: "Keep it",
      path: path("cancel"),
      body: {},
      danger: true,
    });
  }
  if (failed > 0 && mayRun)
    actions.push({
      label: "Retry failed",
      question: `Queue ${plural(failed, "failed trial")} again?`,
      path: path("retry"),
      body: { failed: true, cancelled: false },
    });
  if (cancelled > 0 && mayRun)
    actions.push({
      label: "Retry cancelled",
      question: `Queue ${plural(cancelled, "cancelled trial")} again?`,
      path: path("retry"),
      body: { failed: false, cancelled: true },
    });
  return actions;
}

export function trialActions(trial: TrialView): Action[] {
  const path = (verb: string): string =>
    apiPath(["sweeps", trial.sweep, "trials", trial.trial, verb]);
  const name = `${trial.sweep}/${trial.trial}`;
  if (trial.state === "failed" || trial.state === "cancelled") {
    return [
      {
        label: "Retry",
        question: `Queue trial ${name} again?`,
        path: path("retry"),
        body: {},
      },
    ];
  }
  if (trial.state === "completed" || trial.state === "stopped") return [];
  if (trial.state === "diverged") return []; // the same seed and values would diverge again
  return [
    {
      label: "Cancel",
      question: `End trial ${name}? It can be undone: sweep retry ${name}`,
      deed: "End the trial",
      keep: "Keep it",
      path: path("cancel"),
      body: {},
      danger: true,
    },
  ];
}

function ActionBar({
  actions,
  onDone,
}: {
  actions: Action[];
  onDone: () => void;
}): JSX.Element | null {
  const coordinator = useLive<SweepsView>(apiPath(["sweeps"], { page_size: 1 })).data?.coordinator;
  const [asked, ask] = useState<Action>();
  const [said, say] = useState("");
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (asked) dialog.current?.showModal();
    else dialog.current?.close();
  }, [asked]);
  if (__REPORT__ || !coordinator?.actions_allowed) return null;

  const run = async (action: Action): Promise<void> => {
    ask(undefined);
    try {
      await act(action.path, action.body);
      say("");
      onDone();
    } catch (error) {
      say(`${action.label} was refused: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return (
    <div class="actions">
      {actions.map((action) => (
        <button
          key={action.label}
          type="button"
          class={action.danger ? "danger" : ""}
          onClick={() => ask(action)}
        >
          {action.label}
        </button>
      ))}
      <p class="error" role="status">
        {said}
      </p>
      <dialog ref={dialog} onClose={() => ask(undefined)} aria-labelledby="question">
        <p id="question">
          <Text text={asked?.question ?? ""} wide />
        </p>
        <div class="actions">
          <button
            type="button"
            class={asked?.danger ? "danger" : "primary"}
            onClick={() => asked && void run(asked)}
          >
            {asked?.deed ?? asked?.label}
          </button>
          <button type="button" onClick={() => ask(undefined)}>
            {asked?.keep ?? KEEP}
          </button>
        </div>
      </dialog>
    </div>
  );
}

export function SweepActions({
  sweep,
  onDone,
}: {
  sweep: SweepView;
  onDone: () => void;
}): JSX.Element {
  return <ActionBar actions={sweepActions(sweep)} onDone={onDone} />;
}

export function TrialActions({
  trial,
  onDone,
}: {
  trial: TrialView;
  onDone: () => void;
}): JSX.Element {
  return <ActionBar actions={trialActions(trial)} onDone={onDone} />;
}
