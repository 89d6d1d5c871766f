// All sweeps of the coordinator, newest first.

import type { JSX } from "preact";
import type { SweepsView, SweepSummary, TrialCounts } from "../api";
import { Await, State, Text } from "../components/basics";
import { integer, metricText, NONE, seconds, splitTrial, time } from "../format";
import { useLive } from "../live";
import { href, setQuery, sweepHref, trialHref, type Route } from "../router";
import { apiPath } from "../source";

const PAGE = 50;
// From what is done to what is not, in this order in the bar too.
const COUNTS: (keyof TrialCounts)[] = [
  "completed",
  "stopped",
  "failed",
  "diverged",
  "cancelled",
  "running",
  "pending",
];

const DONE = COUNTS.slice(0, 4);

export function ProgressBar({ sweep }: { sweep: SweepSummary }): JSX.Element {
  const total = Math.max(
    sweep.planned_trials,
    COUNTS.reduce((sum, key) => sum + sweep.trials[key], 0),
    1,
  );
  const text = COUNTS.filter((key) => sweep.trials[key] > 0)
    .map((key) => `${integer(sweep.trials[key])} ${key}`)
    .join(", ");
  return (
    <div class="progress-cell" title={text || "no trials yet"}>
      <div class="progress" role="img" aria-label={`of ${total} trials: ${text || "none yet"}`}>
        {COUNTS.map((key) => (
          <span
            key={key}
            class={`part ${key}`}
            style={{ width: `${(100 * sweep.trials[key]) / total}%` }}
          />
        ))}
      </div>
      <span class="count">
        {integer(DONE.reduce((sum, key) => sum + sweep.trials[key], 0))}/{integer(total)}
      </span>
    </div>
  );
}

export function Criteria({ sweep }: { sweep: SweepSummary }): JSX.Element {
  if (sweep.gates.length === 0) return <span class="quiet">none</span>;
  const met = sweep.qualifying > 0;
  return (
    <span class={met ? "met" : "missed"} title={sweep.gates.join(", ")}>
      {met
        ? `✓ met by ${integer(sweep.qualifying)}`
        : sweep.state === "active" || sweep.state === "paused"
          ? "not yet"
          : "✗ not met"}
    </span>
  );
}

export function BestRun({ sweep }: { sweep: SweepSummary }): JSX.Element {
  const best = splitTrial(sweep.best_trial);
  if (!best) return <span class="quiet">{NONE}</span>;
  return (
    <>
      <a href={trialHref(best.sweep, best.trial)}>{best.trial}</a>{" "}
      {metricText(sweep.metric, sweep.best_value)}
    </>
  );
}

function Row({ sweep }: { sweep: SweepSummary }): JSX.Element {
  return (
    <tr>
      <th scope="row">
        <a href={sweepHref(sweep.name)}>
          <Text text={sweep.name} />
        </a>
      </th>
      <td>
        <State state={sweep.state} />
      </td>
      <td>
        <ProgressBar sweep={sweep} />
      </td>
      <td class="number">
        <BestRun sweep={sweep} />
      </td>
      <td>
        <Criteria sweep={sweep} />
      </td>
      <td class="number">{sweep.state === "active" ? seconds(sweep.seconds_left) : ""}</td>
      <td>{sweep.method}</td>
      <td>
        <span class="labels">
          {Object.entries(sweep.labels).map(([key, value]) => (
            <span key={key}>
              <Text text={`${key}=${value}`} />
            </span>
          ))}
        </span>
      </td>
      <td class="number">{time(sweep.create_time)}</td>
    </tr>
  );
}

export function SweepsPage({ route }: { route: Route }): JSX.Element {
  const token = route.query.page_token ?? "";
  const live = useLive<SweepsView>(apiPath(["sweeps"], { page_token: token, page_size: PAGE }), {
    keep: true,
  });
  return (
    <>
      <h1>Sweeps</h1>
      <Await live={live} what="sweeps">
        {(view) =>
          view.total === 0 ? (
            <p class="empty">
              No sweep yet. <code>sweep submit FILE</code> starts one; it appears here by itself.
            </p>
          ) : (
            <>
              <div class="scroll" tabIndex={0} role="region" aria-label="sweeps">
                <table class="sweeps">
                  <caption class="unseen">Sweeps, newest first</caption>
                  <thead>
                    <tr>
                      <th scope="col">Name</th>
                      <th scope="col">State</th>
                      <th scope="col">Trials</th>
                      <th scope="col" class="number">
                        Best
                      </th>
                      <th scope="col">Criteria</th>
                      <th scope="col" class="number">
                        Time left
                      </th>
                      <th scope="col">Method</th>
                      <th scope="col">Labels</th>
                      <th scope="col" class="number">
                        Submitted
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {view.sweeps.map((sweep) => (
                      <Row key={sweep.name} sweep={sweep} />
                    ))}
                  </tbody>
                </table>
              </div>
              <nav class="pager" aria-label="pages of sweeps">
                <span class="quiet">
                  {integer(view.sweeps.length)} of {integer(view.total)} sweeps
                </span>
                {token !== "" && (
                  <a class="button" href={href([])}>
                    Newest
                  </a>
                )}
                {view.next_page_token !== "" && (
                  <button
                    type="button"
                    onClick={() => setQuery(route, { page_token: view.next_page_token })}
                  >
                    Older
                  </button>
                )}
              </nav>
            </>
          )
        }
      </Await>
    </>
  );
}
