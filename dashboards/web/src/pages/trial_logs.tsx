// What the trainer printed. New lines are asked for with the token of the last ones.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { LogsView, TrialView } from "../api";
import { time } from "../format";
import { useLive } from "../live";
import { apiPath } from "../source";

type Line = LogsView["lines"][number];
const PAGE = 500;
const MOST_LINES = 5000; // kept on the page; the rest is in `sweep logs`

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

  const several = new Set(lines.map((line) => line.attempt)).size > 1;
  return (
    <>
      <h2>Log</h2>
      {error && <p class="error">{error.message}</p>}
      {lines.length === 0 && !error && (
        <p class="quiet">{data ? "The trainer has printed nothing." : "Loading…"}</p>
      )}
      {lines.length > 0 && (
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
            {lines.map((line) => (
              <div key={`${line.attempt} ${line.line}`}>
                <span class="quiet">
                  {time(line.time).slice(11)}
                  {several ? ` #${line.attempt}` : ""}{" "}
                </span>
                {line.text}
              </div>
            ))}
          </pre>
        </>
      )}
    </>
  );
}
