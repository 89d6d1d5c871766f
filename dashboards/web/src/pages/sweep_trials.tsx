// All trials, filtered and sorted by the server.

import type { JSX } from "preact";
import type { SweepView, TrialRow, TrialsView } from "../api";
import { Select, Text } from "../components/basics";
import { DataTable, Pager, type Column } from "../components/table";
import { WhereField } from "../components/where_field";
import { integer, percent, shorten, valueText } from "../format";
import { useLive } from "../live";
import { setQuery, type Route } from "../router";
import { apiPath } from "../source";
import { LeftOut } from "./left_out";
import { compareColumn, LAST, LOSS, SIZE, STATE, TO_TARGET, trialColumn } from "./trial_columns";

const PAGE = 50;
const STATES = ["pending", "running", "completed", "stopped", "failed", "diverged", "cancelled"];

function columnsOf(sweep: SweepView): Column<TrialRow>[] {
  const columns: Column<TrialRow>[] = [
    compareColumn(sweep.name),
    trialColumn(sweep.name),
    STATE,
    {
      key: "epoch",
      title: "Epoch",
      sort: "epoch",
      numeric: true,
      cell: (row) => `${row.epoch}/${row.epochs}`,
    },
    {
      key: "best",
      title: "Best",
      sort: "best_accuracy",
      numeric: true,
      cell: (row) => <span class={row.qualifies ? "met" : ""}>{percent(row.best_accuracy)}</span>,
    },
    {
      key: "at",
      title: "At",
      sort: "best_epoch",
      numeric: true,
      cell: (row) => integer(row.best_epoch || null),
    },
    LAST,
    LOSS,
    TO_TARGET,
  ];
  for (const dimension of sweep.dimensions) {
    columns.push({
      key: `parameter ${dimension.name}`,
      title: shorten(dimension.name, 24),
      sort: `parameters.${dimension.name}`, // a trial's own field may have the same name
      numeric: dimension.categories.every((value) => typeof value === "number"),
      cell: (row) => (
        <Text
          text={valueText(
            row.parameters[dimension.name] ?? (dimension.name === "model" ? row.model : undefined),
          )}
        />
      ),
    });
  }
  columns.push(
    SIZE,
    { key: "worker", title: "Worker", sort: "worker", cell: (row) => <Text text={row.worker} /> },
    {
      key: "failures",
      title: "Failures",
      sort: "failures",
      numeric: true,
      cell: (row) => row.failures || "",
    },
    { key: "reason", title: "Reason", cell: (row) => <Text text={row.reason} /> },
  );
  return columns;
}

export function SweepTrials({ sweep, route }: { sweep: SweepView; route: Route }): JSX.Element {
  const { where = "", state = "", sort = "" } = route.query;
  const offset = Number(route.query.offset) || 0;
  const live = useLive<TrialsView>(
    apiPath(["sweeps", sweep.name, "trials"], { where, state, sort, offset, limit: PAGE }),
    { keep: true },
  );
  const view = live.data;
  return (
    <>
      <div class="controls">
        <WhereField route={route} />
        <Select
          label="state"
          value={state}
          onChange={(value) => setQuery(route, { state: value, offset: "" })}
          options={[
            { value: "", label: "all" },
            ...STATES.map((value) => ({ value, label: value })),
          ]}
        />
      </div>
      {live.error && (
        <p class="error" role="alert">
          {shorten(live.error.message, 500)}
        </p>
      )}
      {view && (
        <>
          <DataTable
            caption="Trials"
            columns={columnsOf(sweep)}
            rows={view.rows}
            rowKey={(row) => row.trial}
            sort={sort}
            onSort={(next) => setQuery(route, { sort: next, offset: "" })}
            empty={where || state ? "no trial matches" : "no trials yet"}
          />
          <Pager
            offset={offset}
            limit={PAGE}
            shown={view.rows.length}
            total={view.total}
            waiting={live.waiting}
            onChange={(next) => setQuery(route, { offset: next ? String(next) : "" })}
            what="trials"
          />
          <LeftOut view={view} />
        </>
      )}
      {!view && !live.error && (
        <p class="quiet" aria-busy="true">
          Loading trials…
        </p>
      )}
    </>
  );
}
