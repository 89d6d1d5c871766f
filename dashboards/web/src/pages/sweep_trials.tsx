// All trials, filtered and sorted by the server.

import type { JSX } from "preact";
import type { SweepView, TrialRow, TrialsView } from "../api";
import { endFirst } from "../attempts";
import { chosenText } from "../chosen";
import { Select, Text } from "../components/basics";
import { ColumnChoice, isShown, type ChosenColumn } from "../components/column_choice";
import { DataTable, Pager } from "../components/table";
import { WhereField } from "../components/where_field";
import { integer, number, shorten } from "../format";
import { useLive } from "../live";
import { headingOf } from "../measure";
import { setQuery, type Route } from "../router";
import { apiPath } from "../source";
import { LeftOut } from "./left_out";
import {
  bestSort,
  compareColumn,
  ConstantsNote,
  goalColumns,
  heldValue,
  hyperparameterColumns,
  lastColumn,
  measureColumn,
  otherMeasures,
  resultColumn,
  STATE,
  trialColumn,
} from "./trial_columns";

const PAGE = 50;
const STATES = ["pending", "running", "on_hold", "completed", "stopped", "failed", "diverged", "cancelled"];

type TrialColumn = ChosenColumn<TrialRow>;

function objectiveColumns(sweep: SweepView, rows: TrialRow[]): TrialColumn[] {
  const judged = sweep.gates.length > 0;
  return sweep.objective_measures.map((one, i) => {
    const { cell, ...column } = measureColumn(one, rows, (row) => heldValue(row, one));
    return {
      ...column,
      title: sweep.objective_measures.length === 1 ? "Best" : headingOf(one),
      sort: i === 0 ? "best" : bestSort(one),
      fixed: i === 0 || "wide",
      cell: (row) => <span class={judged && row.qualifies ? "met" : ""}>{cell(row)}</span>,
    };
  });
}

const PROGRESS: TrialColumn[] = [
  STATE,
  resultColumn({
    key: "epoch",
    title: "Epoch",
    sort: "epoch",
    numeric: true,
    cell: (row) => `${row.epoch}/${row.epochs}`,
  }),
];

const BEST_EPOCH: TrialColumn = resultColumn({
  key: "at",
  title: "Best epoch",
  sort: "best_epoch",
  numeric: true,
  cell: (row) => integer(row.best_epoch),
});

const LEDGER: TrialColumn[] = [
  resultColumn({
    key: "chosen",
    title: "Chosen",
    name: "How its values were chosen",
    sort: "chosen_source",
    extra: true,
    cell: (row) => <Text text={chosenText(row)} />,
  }),
  resultColumn({
    key: "improvement",
    title: "Expected",
    name: "Expected improvement",
    sort: "expected_improvement",
    numeric: true,
    extra: true,
    cell: (row) => number(row.expected_improvement, 3),
  }),
  resultColumn({
    key: "worker",
    title: "Worker",
    sort: "worker",
    cell: (row) => <Text text={row.worker} />,
  }),
  resultColumn({
    key: "failures",
    title: "Failures",
    sort: "failures",
    numeric: true,
    cell: (row) => row.failures || "",
  }),
  resultColumn({ key: "reason", title: "Reason", cell: (row) => <Reason reason={row.reason} /> }),
];

function Reason({ reason }: { reason: string }): JSX.Element {
  return (
    <span class="text reason" title={shorten(reason, 500)}>
      {shorten(endFirst(reason), 300)}
    </span>
  );
}

function columnsOf(sweep: SweepView, rows: TrialRow[]): TrialColumn[] {
  const { gated, others } = otherMeasures(sweep, rows);
  return [
    compareColumn(sweep.name),
    trialColumn(sweep.name),
    ...objectiveColumns(sweep, rows),
    ...goalColumns(sweep),
    ...PROGRESS,
    ...hyperparameterColumns(sweep, rows),
    BEST_EPOCH,
    lastColumn(sweep, rows),
    ...gated,
    ...others,
    ...LEDGER,
  ];
}

export function SweepTrials({ sweep, route }: { sweep: SweepView; route: Route }): JSX.Element {
  const { where = "", state = "", sort = "" } = route.query;
  const offset = Number(route.query.offset) || 0;
  const live = useLive<TrialsView>(
    apiPath(["sweeps", sweep.name, "trials"], { where, state, sort, offset, limit: PAGE }),
    { keep: true },
  );
  const view = live.data;
  const columns = columnsOf(sweep, view?.rows ?? []);
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
            ...STATES.map((value) => ({ value, label: value.replace("_", " ") })),
          ]}
        />
        <ColumnChoice columns={columns} route={route} />
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
            columns={columns.filter((column) => isShown(column, route.query))}
            rows={view.rows}
            rowKey={(row) => row.trial}
            sort={sort}
            onSort={(next) => setQuery(route, { sort: next, offset: "" })}
            empty={where || state ? "no trial matches" : "no trials yet"}
          />
          <ConstantsNote sweep={sweep} rows={view.rows} />
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
