// Small components used by every page.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { SweepState, SweepSummary, TrialState, Value, WorkerRow } from "../api";
import { outcomeKind, outcomeText } from "../attempts";
import { integer, shorten, valueText } from "../format";
import type { Live } from "../live";

// Shows a document once it arrives, its refusal in one line, and a quiet note before.
export function Await<T>(props: {
  live: Live<T>;
  what: string;
  children: (data: T) => ComponentChildren;
}): JSX.Element {
  const { data, error } = props.live;
  if (error)
    return (
      <p class="error" role="alert">
        {props.what}: {shorten(error.message, 400)}
      </p>
    );
  if (data === undefined)
    return (
      <p class="quiet" aria-busy="true">
        Loading {props.what}…
      </p>
    );
  return <>{props.children(data)}</>;
}

type AnyState = SweepState | TrialState | WorkerRow["state"];
const KIND: Record<AnyState, string> = {
  active: "live",
  running: "live",
  leased: "live",
  connected: "good",
  completed: "good",
  paused: "held",
  pending: "idle",
  on_hold: "idle",
  stopped: "idle",
  cancelled: "idle",
  draining: "held",
  failed: "bad",
  diverged: "held",
  lost: "bad",
  "put aside": "bad",
};

export function State({ state }: { state: AnyState }): JSX.Element {
  return <span class={`state ${KIND[state] ?? "idle"}`}>{state.replace("_", " ")}</span>;
}

// The state of a sweep; an ended one shows its failures, which are never good news.
export function SweepStateText({ sweep }: { sweep: SweepSummary }): JSX.Element {
  const { failed, diverged, completed } = sweep.trials;
  const ended = sweep.state === "completed";
  const kind = !ended || failed + diverged === 0 ? KIND[sweep.state] : completed === 0 ? "bad" : "held";
  return (
    <>
      <span class={`state ${kind}`}>{sweep.state}</span>
      {failed > 0 && <span class="state-note"> · {integer(failed)} failed</span>}
      {diverged > 0 && <span class="state-note held"> · {integer(diverged)} diverged</span>}
      {sweep.file_refusal !== "" && (sweep.state === "active" || sweep.state === "paused") && (
        <span class="state-note" title={shorten(sweep.file_refusal, 500)}>
          {" "}
          · file not accepted
        </span>
      )}
    </>
  );
}

export function Outcome({ outcome }: { outcome: string }): JSX.Element {
  return <span class={`state ${outcomeKind(outcome)}`}>{outcomeText(outcome)}</span>;
}

// Text from people and programs: any length, any characters.
export function Text({ text, wide = false }: { text: string; wide?: boolean }): JSX.Element {
  return (
    <span
      class={wide ? "text wide" : "text"}
      title={text.length > 24 ? shorten(text, 500) : undefined}
    >
      {shorten(text, 600)}
    </span>
  );
}

export function Parameters({
  values,
  hide = [],
}: {
  values: Record<string, Value>;
  hide?: string[];
}): JSX.Element {
  const entries = Object.entries(values).filter(([name]) => !hide.includes(name));
  return (
    <span class="parameters">
      {entries.map(([name, value]) => (
        <span key={name}>
          <span class="quiet">{shorten(name, 40)}=</span>
          <Text text={valueText(value)} />
        </span>
      ))}
    </span>
  );
}

export function Facts({ facts }: { facts: [string, ComponentChildren][] }): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function CopyButton({
  text,
  label = "Copy",
}: {
  text: string;
  label?: string;
}): JSX.Element {
  const [said, say] = useState("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      say("copied");
    } catch {
      say("select it and copy by hand");
    }
    setTimeout(() => say(""), 2000);
  };
  return (
    <>
      <button type="button" class="small" onClick={() => void copy()}>
        {label}
      </button>
      <span role="status" class="quiet">
        {" "}
        {said}
      </span>
    </>
  );
}

export interface Option<V extends string> {
  value: V;
  label: string;
}

// A choice of few values: radio buttons that look like one control.
export function Segments<V extends string>(props: {
  legend: string;
  options: Option<V>[];
  value: V;
  onChange: (value: V) => void;
}): JSX.Element {
  return (
    <fieldset class="segments">
      <legend>{props.legend}</legend>
      {props.options.map((option) => (
        <label key={option.value} class={option.value === props.value ? "on" : ""}>
          <input
            type="radio"
            name={`${props.legend}`}
            value={option.value}
            checked={option.value === props.value}
            onChange={() => props.onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}

export function Select(props: {
  label: string;
  value: string;
  options: Option<string>[];
  onChange: (value: string) => void;
}): JSX.Element {
  return (
    <label class="field">
      <span>{props.label}</span>
      <select value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.options.map((option) => (
          <option key={option.value} value={option.value}>
            {shorten(option.label, 60)}
          </option>
        ))}
      </select>
    </label>
  );
}
