// Buttons that change something: each asks first, and says in one line when it was refused.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { SweepsView, SweepView, TrialView } from "../api";
import { useLive } from "../live";
import { act, apiPath } from "../source";

interface Action {
  label: string;
  question: string;
  path: string;
  body: Record<string, boolean>;
  danger?: boolean;
}

function sweepActions(sweep: SweepView): Action[] {
  const path = (verb: string): string => apiPath(["sweeps", sweep.name, verb]);
  const actions: Action[] = [];
  const { failed, cancelled } = sweep.trials;
  if (sweep.state === "active") {
    actions.push({
      label: "Pause",
      question: "Start no more trials? What runs goes on to its end.",
      path: path("pause"),
      body: { now: false },
    });
    actions.push({
      label: "Pause now",
      question:
        "Checkpoint the running trials and free their machines? Resuming goes on from there.",
      path: path("pause"),
      body: { now: true },
    });
  }
  if (sweep.state === "paused")
    actions.push({
      label: "Resume",
      question: "Go on with this sweep?",
      path: path("resume"),
      body: {},
    });
  if (sweep.state === "active" || sweep.state === "paused") {
    actions.push({
      label: "Cancel",
      question: "End this sweep? Its running trials stop, its pending ones never start.",
      path: path("cancel"),
      body: {},
      danger: true,
    });
  }
  if (failed > 0)
    actions.push({
      label: "Retry failed",
      question: `Make ${failed} failed trials pending again?`,
      path: path("retry"),
      body: { failed: true, cancelled: false },
    });
  if (cancelled > 0)
    actions.push({
      label: "Retry cancelled",
      question: `Make ${cancelled} cancelled trials pending again?`,
      path: path("retry"),
      body: { failed: false, cancelled: true },
    });
  return actions;
}

function trialActions(trial: TrialView): Action[] {
  const path = (verb: string): string =>
    apiPath(["sweeps", trial.sweep, "trials", trial.trial, verb]);
  if (trial.state === "failed" || trial.state === "cancelled") {
    return [
      { label: "Retry", question: "Make this trial pending again?", path: path("retry"), body: {} },
    ];
  }
  if (trial.state === "completed" || trial.state === "stopped") return [];
  if (trial.state === "diverged") return []; // the same seed and values would diverge again
  return [
    { label: "Cancel", question: "End this trial?", path: path("cancel"), body: {}, danger: true },
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
        <p id="question">{asked?.question}</p>
        <div class="actions">
          <button
            type="button"
            class={asked?.danger ? "danger" : "primary"}
            onClick={() => asked && void run(asked)}
          >
            {asked?.label}
          </button>
          <button type="button" onClick={() => ask(undefined)}>
            Leave it
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
