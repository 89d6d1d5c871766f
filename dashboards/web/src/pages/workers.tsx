// The workers: their state, speed, results, and a timeline of their trials.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { TimelineView, WorkerRow, WorkersView } from "../api";
import { Await, Segments, State, Text } from "../components/basics";
import { Plot } from "../components/plot";
import { DataTable, type Column } from "../components/table";
import { elapsed, integer, NONE, splitTrial, time } from "../format";
import { useLive } from "../live";
import { timelineHeight, timelinePlot, timelineTable } from "../plots/timeline";
import { trialHref } from "../router";
import { apiPath } from "../source";

function TrialLinks({ trials }: { trials: string[] }): JSX.Element {
  if (trials.length === 0) return <span class="quiet">{NONE}</span>;
  return (
    <span class="parameters">
      {trials.map((text) => {
        const trial = splitTrial(text);
        return (
          <span key={text}>
            {trial ? <a href={trialHref(trial.sweep, trial.trial)}>{text}</a> : text}
          </span>
        );
      })}
    </span>
  );
}

// The first digits of a digest.
function digest(sha256: string): string {
  return `${sha256.slice(0, 12)}…`;
}

function Health({ row }: { row: WorkerRow }): JSX.Element {
  if (row.other_data.length > 0)
    return (
      <span class="error">
        {row.other_data.map((data) => (
          <div key={data.sweep} title={`${data.data_sha256} at ${data.path}; ${data.sweep_data_sha256}`}>
            other data than <Text text={data.sweep} />: {digest(data.data_sha256)} at{" "}
            <Text text={data.path || "an unknown place"} />, not {digest(data.sweep_data_sha256)}
          </div>
        ))}
      </span>
    );
  if (!row.put_aside && row.expected_build)
    return (
      <span class="missed" title="see sweep-coordinator --warn-worker-build">
        build <Text text={row.build || "unknown"} />, older than {row.expected_build}
      </span>
    );
  if (!row.put_aside)
    return <span class="quiet">{row.failed === 0 ? "good" : `${row.failed} failed`}</span>;
  return (
    <span class="missed" title={row.put_aside.reason}>
      {row.put_aside.failures} failures, back at {time(row.put_aside.until_time).slice(11)}:{" "}
      <Text text={row.put_aside.reason} />
    </span>
  );
}

function columnsOf(now: string): Column<WorkerRow>[] {
  return [
    { key: "worker", title: "Worker", cell: (row) => <Text text={row.worker} /> },
    { key: "state", title: "State", cell: (row) => <State state={row.state} /> },
    { key: "health", title: "Health", cell: (row) => <Health row={row} /> },
    {
      key: "slots",
      title: "Slots",
      numeric: true,
      cell: (row) => `${row.trials.length}/${row.slots}`,
    },
    { key: "trials", title: "Trials now", cell: (row) => <TrialLinks trials={row.trials} /> },
    {
      key: "speed",
      title: "Images/s",
      numeric: true,
      cell: (row) => (row.images_per_second > 0 ? integer(row.images_per_second) : NONE),
    },
    { key: "completed", title: "Completed", numeric: true, cell: (row) => integer(row.completed) },
    { key: "failed", title: "Failed", numeric: true, cell: (row) => integer(row.failed) },
    {
      key: "host",
      title: "Host",
      cell: (row) => (
        <>
          <Text text={row.host} /> <span class="quiet">{row.pid}</span>
        </>
      ),
    },
    { key: "device", title: "Devices", cell: (row) => <Text text={row.device} /> },
    { key: "build", title: "Build", cell: (row) => <Text text={row.build} /> },
    {
      key: "labels",
      title: "Labels",
      cell: (row) => (
        <span class="labels">
          {Object.entries(row.labels).map(([key, value]) => (
            <span key={key}>
              <Text text={`${key}=${value}`} />
            </span>
          ))}
        </span>
      ),
    },
    {
      key: "seen",
      title: "Last seen",
      numeric: true,
      cell: (row) => (row.last_seen_time ? `${elapsed(row.last_seen_time, now)} ago` : NONE),
    },
  ];
}

const LEGEND = [
  { kind: "good", text: "completed" },
  { kind: "live", text: "running" },
  { kind: "bad", text: "failed or lost" },
  { kind: "held", text: "diverged" },
  { kind: "idle", text: "given back, held, stopped or cancelled" },
];

function TimelineLegend(): JSX.Element {
  return (
    <span class="legend">
      Every bar is an attempt at a trial:
      {LEGEND.map(({ kind, text }) => (
        <span key={kind} class="nowrap">
          <span class={`swatch ${kind}`} /> {text}
        </span>
      ))}
    </span>
  );
}

const SPANS = [
  { value: "60", label: "1 hour" },
  { value: "360", label: "6 hours" },
  { value: "1440", label: "1 day" },
  { value: "10080", label: "1 week" },
];

export function WorkersPage(): JSX.Element {
  const live = useLive<WorkersView>(apiPath(["workers"]));
  const [minutes, setMinutes] = useState("60");
  const timeline = useLive<TimelineView>(apiPath(["workers", "timeline"], { minutes }), {
    keep: true,
  });
  return (
    <>
      <h1>Workers</h1>
      <Await live={live} what="workers">
        {(view) =>
          view.workers.length === 0 ? (
            <p class="empty">
              No worker is here. <code>sweep-worker --coordinator HOST:PORT</code> starts one on any
              machine.
            </p>
          ) : (
            <DataTable
              caption="Workers"
              columns={columnsOf(view.now)}
              rows={view.workers}
              rowKey={(row) => row.worker}
            />
          )
        }
      </Await>
      <div class="controls">
        <Segments legend="show last" value={minutes} onChange={setMinutes} options={SPANS} />
      </div>
      <Await live={timeline} what="timeline">
        {(view) =>
          view.spans.length === 0 ? (
            <p class="quiet">Nothing ran in this time.</p>
          ) : (
            <Plot
              title="What ran where"
              name="workers timeline"
              height={timelineHeight(view)}
              inputs={[view]}
              build={(palette) => timelinePlot(view, palette)}
              table={() => timelineTable(view)}
              onPick={({ trialName = "" }) => {
                const trial = splitTrial(trialName);
                if (trial) location.hash = trialHref(trial.sweep, trial.trial);
              }}
              summary={`${view.spans.length} attempts from ${time(view.from)} to ${time(view.to)}`}
              note={
                <>
                  <TimelineLegend />
                  {view.left_out > 0 && ` ${integer(view.left_out)} older attempts are left out.`}
                </>
              }
            />
          )
        }
      </Await>
    </>
  );
}
