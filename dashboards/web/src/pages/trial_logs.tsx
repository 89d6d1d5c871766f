// The trial's events in order, as in `sweep logs`: attempts, epochs, and the trainer's output.
// Requests new lines with the token of the last answer.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { LogsView, TrialView } from "../api";
import { time, visible } from "../format";
import { useLive } from "../live";
import { apiPath } from "../source";
import { trialLog } from "./trial_log";

type Line = LogsView["lines"][number];
const PAGE = 500;
const MOST_LINES = 5000; // kept on the page; `sweep logs` has all

export function TrialLogs({ trial }: { trial: TrialView }): JSX.Element {
  const [after, setAfter] = useState("");
  const [lines, setLines] = useState<Line[]>([]);
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLPreElement>(null);
  const { data, error } = useLive<LogsView>(
    apiPath(["sweeps", trial.sweep, "trials", trial.trial, "logs"], { after, limit: PAGE }),
  );

  useEffect(() => {
    if (!data || data.lines.length === 0) return;
    setLines((old) => [...old, ...data.lines].slice(-MOST_LINES));
    if (data.next !== "") setAfter(data.next);
  }, [data]);
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines, follow]);

  const entries = trialLog(trial, lines).slice(-MOST_LINES);
  return (
    <>
      <h2>Log</h2>
      {error && <p class="error">{error.message}</p>}
      {entries.length === 0 && !error && (
        <p class="quiet">{data ? "Nothing has happened yet." : "Loading…"}</p>
      )}
      {entries.length > 0 && (
        <>
          <label class="check">
            <input
              type="checkbox"
              checked={follow}
              onChange={(event) => setFollow(event.currentTarget.checked)}
            />{" "}
            follow
          </label>
          <pre ref={box} class="log" tabIndex={0} role="log" aria-label="log of the trainer">
            {entries.map((entry) => (
              <div key={entry.key} class={entry.printed ? "" : "quiet"}>
                <span class="quiet">{time(entry.time).slice(11)} </span>
                {visible(entry.text)}
              </div>
            ))}
          </pre>
          {data && lines.length === 0 && <p class="note">The trainer itself has printed nothing.</p>}
        </>
      )}
    </>
  );
}
