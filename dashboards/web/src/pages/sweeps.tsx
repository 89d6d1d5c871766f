// All sweeps of the coordinator, newest first.

import type { JSX } from "preact";
import type { SweepsView, SweepSummary, TrialCounts } from "../api";
import { Await, SweepStateText, Text } from "../components/basics";
import { useDraft } from "../components/draft";
import { Header, type Column } from "../components/table";
import {
  integer,
  NONE,
  plural,
  seconds,
  shorten,
  splitTrial,
  time,
  zone,
} from "../format";
import { useLive } from "../live";
import { namedText, objectiveOf } from "../measure";
import { href, setQuery, sweepHref, trialHref, type Route } from "../router";
import { apiPath } from "../source";
import { inOrder } from "./sweep_order";

const PAGE = 50;
// From finished to pending, the order of the bar's segments too.
const COUNTS: (keyof TrialCounts)[] = [
  "completed",
  "stopped",
  "failed",
  "diverged",
  "cancelled",
  "running",
  "on_hold",
  "pending",
];

// Ended trials, as `sweep list` counts them.
const ENDED = COUNTS.slice(0, 5);

export function ProgressBar({ sweep }: { sweep: SweepSummary }): JSX.Element {
  const total = Math.max(
    sweep.planned_trials,
    COUNTS.reduce((sum, key) => sum + sweep.trials[key], 0),
    1,
  );
  const text = COUNTS.filter((key) => sweep.trials[key] > 0)
    .map((key) => `${integer(sweep.trials[key])} ${key.replace("_", " ")}`)
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
        {integer(ENDED.reduce((sum, key) => sum + sweep.trials[key], 0))}/{integer(total)}
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
      <a href={trialHref(best.sweep, best.trial)}>trial {best.trial}</a>:{" "}
      {namedText(objectiveOf(sweep), sweep.best_value)}
    </>
  );
}

// Each label links to the sweeps that have it too.
export function Labels({ labels }: { labels: Record<string, string> }): JSX.Element {
  return (
    <span class="labels">
      {Object.entries(labels).map(([key, value]) => {
        const text = `${key}=${value}`;
        const shown = <Text text={text} />;
        return __REPORT__ ? (
          <span key={key} class="label">
            {shown}
          </span>
        ) : (
          <a key={key} class="label" href={href([], { search: text })}>
            {shown}
          </a>
        );
      })}
    </span>
  );
}

function Search({ route }: { route: Route }): JSX.Element {
  const search = route.query.search ?? "";
  const [text, setText] = useDraft(search);
  const change = (next: string): void =>
    setQuery(route, { search: next, page_token: "", sort: "" });
  return (
    <form
      class="where"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        change(text.trim());
      }}
    >
      <label class="field grow">
        <span>search</span>
        <input
          type="text"
          value={text}
          placeholder="a part of a name, or of a label: owner=me"
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Search</button>
      {search !== "" && (
        <button type="button" onClick={() => change("")}>
          Clear
        </button>
      )}
    </form>
  );
}

const COLUMNS: Column<SweepSummary>[] = [
  {
    key: "name",
    title: "Name",
    sort: "name",
    cell: (sweep) => (
      <a href={sweepHref(sweep.name)}>
        <Text text={sweep.name} />
      </a>
    ),
  },
  {
    key: "state",
    title: "State",
    sort: "state",
    cell: (sweep) => <SweepStateText sweep={sweep} />,
  },
  {
    key: "trials",
    title: "Trials",
    sort: "trials",
    cell: (sweep) => <ProgressBar sweep={sweep} />,
  },
  {
    key: "best",
    title: "Best",
    sort: "best",
    numeric: true,
    cell: (sweep) => <BestRun sweep={sweep} />,
  },
  { key: "criteria", title: "Criteria", cell: (sweep) => <Criteria sweep={sweep} /> },
  {
    key: "left",
    title: "Time left",
    sort: "left",
    numeric: true,
    cell: (sweep) => (sweep.state === "active" ? seconds(sweep.seconds_left) : ""),
  },
  { key: "method", title: "Method", cell: (sweep) => sweep.method },
  { key: "labels", title: "Labels", cell: (sweep) => <Labels labels={sweep.labels} /> },
  {
    key: "submitted",
    title: `Submitted, ${zone()}`,
    sort: "submitted",
    numeric: true,
    cell: (sweep) => time(sweep.create_time),
  },
];

function Row({ sweep }: { sweep: SweepSummary }): JSX.Element {
  const [name, ...others] = COLUMNS;
  return (
    <tr>
      <th scope="row">{name?.cell(sweep)}</th>
      {others.map((column) => (
        <td key={column.key} class={column.numeric ? "number" : ""}>
          {column.cell(sweep)}
        </td>
      ))}
    </tr>
  );
}

export function SweepsPage({ route }: { route: Route }): JSX.Element {
  const token = route.query.page_token ?? "";
  const { search = "", sort = "" } = route.query;
  const isWhole = (view: SweepsView): boolean => token === "" && view.next_page_token === "";
  const live = useLive<SweepsView>(
    apiPath(["sweeps"], { search, page_token: token, page_size: PAGE }),
    { keep: true },
  );
  return (
    <>
      <div class="title-row">
        <h1>Sweeps</h1>
        <Search route={route} />
      </div>
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
                  <caption class="unseen">Sweeps{sort === "" && ", newest first"}</caption>
                  <thead>
                    <tr>
                      {COLUMNS.map((column) => (
                        <Header
                          key={column.key}
                          column={column}
                          sort={isWhole(view) ? sort || "submitted desc" : ""}
                          onSort={
                            isWhole(view) ? (next) => setQuery(route, { sort: next }) : undefined
                          }
                        />
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {(isWhole(view) ? inOrder(view.sweeps, sort) : view.sweeps).map((sweep) => (
                      <Row key={sweep.name} sweep={sweep} />
                    ))}
                    {view.sweeps.length === 0 && (
                      <tr>
                        <td colSpan={COLUMNS.length} class="quiet">
                          no sweep has “{shorten(search, 60)}” in its name or labels
                        </td>
                      </tr>
                    )}
                  </tbody>
                </table>
              </div>
              <nav class="pager" aria-label="pages of sweeps">
                <span class="quiet">
                  {integer(view.sweeps.length)} of {plural(view.total, "sweep")}
                </span>
                {token !== "" && (
                  <a class="button" href={href([], { search })}>
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
