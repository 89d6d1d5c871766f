// The ranking: every configuration with its gates.

import type { JSX } from "preact";
import type { RankingRow, RankingView, SweepView } from "../api";
import { Await, Select } from "../components/basics";
import { ColumnChoice, isShown, type ChosenColumn } from "../components/column_choice";
import { MissedGates } from "../components/gates";
import { DataTable, Pager } from "../components/table";
import { WhereField } from "../components/where_field";
import { integer, intervalText } from "../format";
import { useLive } from "../live";
import { measureText, objectiveOf, SHARE, titleOf } from "../measure";
import { setQuery, type Route } from "../router";
import { apiPath } from "../source";
import { LeftOut } from "./left_out";
import {
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

type RankingColumn = ChosenColumn<RankingRow>;

// One column for each objective.
function objectiveColumns(sweep: SweepView, rows: RankingRow[]): RankingColumn[] {
  return sweep.objective_measures.map((one, i) => {
    const { cell, ...column } = measureColumn(one, rows, (row) => heldValue(row, one));
    return {
      ...column,
      sort: one.name,
      fixed: i === 0 || "wide",
      cell: (row) => <strong>{cell(row)}</strong>,
    };
  });
}

function columnsOf(sweep: SweepView, rows: RankingRow[]): RankingColumn[] {
  const { gated, others } = otherMeasures(sweep, rows);
  const columns: RankingColumn[] = [
    compareColumn(sweep.name),
    { key: "rank", title: "#", sort: "rank", numeric: true, fixed: true, cell: (row) => row.rank },
    trialColumn(sweep.name),
    ...objectiveColumns(sweep, rows),
    ...(sweep.objective_measures.length > 1 ? [FRONT] : []),
    ...goalColumns(sweep),
    ...hyperparameterColumns(sweep, rows),
  ];
  if (rows.some((row) => row.gates.some((gate) => !gate.met))) columns.push(gatesColumn(sweep));
  if (rows.some((row) => row.group !== null)) columns.push(groupColumn(rows));
  columns.push(...detailColumns(sweep, rows), ...gated, ...others);
  if (sweep.replicates > 1) columns.push(meanColumn(sweep), replicatesColumn(sweep));
  if (sweep.replicates > 1 && sweep.gates.length > 0) columns.push(QUALIFYING_RUNS);
  if (new Set(rows.map((row) => row.state)).size > 1) columns.push(STATE);
  return columns;
}

// A bracket around the rows that cannot be told apart from the first of their group.
function groupColumn(rows: RankingRow[]): RankingColumn {
  return resultColumn({
    key: "group",
    title: "Group",
    name: "Group of those that cannot be told apart",
    cell: (row) => {
      if (row.group === null) return integer(null);
      const at = rows.indexOf(row);
      const above = rows[at - 1]?.group === row.group;
      const below = rows[at + 1]?.group === row.group;
      const bracket = above ? (below ? "│" : "└") : below ? "┌" : " ";
      return (
        <>
          <span class="bracket" aria-hidden="true">
            {bracket}
          </span>
          {integer(row.group)}
        </>
      );
    },
  });
}

// Front 1: configurations that no other dominates.
const FRONT: RankingColumn = resultColumn({
  key: "front",
  title: "Front",
  name: "Pareto front",
  numeric: true,
  cell: (row) => integer(row.front),
});

function gatesColumn({ measures }: SweepView): RankingColumn {
  return resultColumn({
    key: "gates",
    title: "Criteria",
    cell: (row) => <MissedGates gates={row.gates} measures={measures} />,
  });
}

function detailColumns(sweep: SweepView, rows: RankingRow[]): RankingColumn[] {
  const interval: RankingColumn = resultColumn({
    key: "interval",
    title: "95 % interval",
    numeric: true,
    cell: (row) => rangeText(sweep, row.interval),
  });
  const epoch: RankingColumn = resultColumn({
    key: "epoch",
    title: "Epoch",
    name: `Epoch of the ${titleOf(objectiveOf(sweep))}`,
    numeric: true,
    cell: (row) => integer(row.value_epoch),
  });
  return [
    ...(rows.some((row) => row.interval) ? [interval] : []),
    epoch,
    lastColumn(sweep, rows),
  ];
}

// An interval of the objective: percent without their sign, or other numbers.
function rangeText(sweep: SweepView, interval: [number, number] | null): string {
  const objective = objectiveOf(sweep);
  if (interval === null || objective.unit === SHARE) return intervalText(interval);
  return interval.map((end) => measureText(objective, end)).join("–");
}

function meanColumn(sweep: SweepView): RankingColumn {
  return resultColumn({
    key: "mean",
    title: "Mean of last (95 %)",
    numeric: true,
    cell: (row) =>
      `${measureText(objectiveOf(sweep), row.mean_last)}${row.mean_interval === null ? "" : ` (${rangeText(sweep, row.mean_interval)})`}`,
  });
}

// Of a race, configurations get different numbers of runs.
function replicatesColumn(sweep: SweepView): RankingColumn {
  const most = sweep.min_replicates < sweep.replicates ? ` of at most ${sweep.replicates}` : "";
  return resultColumn({
    key: "replicates",
    title: "Replicates",
    numeric: true,
    cell: (row) => `${row.replicates}${most}`,
  });
}

const QUALIFYING_RUNS: RankingColumn = resultColumn({
  key: "runs",
  title: "Runs that qualify",
  numeric: true,
  cell: (row) =>
    row.ended_runs === null
      ? "–"
      : `${integer(row.qualifying_runs)} of ${integer(row.ended_runs)} (${intervalText(row.qualifying_interval)} %)`,
});

function SharedNote({ sweep, rows }: { sweep: SweepView; rows: RankingRow[] }): JSX.Element {
  const first = rows[0];
  const met = (first?.gates ?? [])
    .filter(({ gate }) => rows.every((row) => row.gates.some((own) => own.gate === gate && own.met)))
    .map((gate) => gate.gate);
  const states = new Set(rows.map((row) => row.state));
  const state = first && states.size === 1 && first.state !== "completed" ? first.state : "";
  return (
    <ConstantsNote sweep={sweep} rows={rows} hasMore={state !== "" || met.length > 0}>
      {state && <span>{state}</span>}
      {met.length > 0 && (
        <span class="met">
          <span aria-hidden="true">✓</span> {met.join(", ")}
        </span>
      )}
    </ConstantsNote>
  );
}

export function BestTable({ sweep, limit }: { sweep: SweepView; limit: number }): JSX.Element {
  const live = useLive<RankingView>(apiPath(["sweeps", sweep.name, "ranking"], { limit }));
  return (
    <Await live={live} what="ranking">
      {(view) => <Rows sweep={sweep} rows={view.rows} empty={noResult(sweep)} />}
    </Await>
  );
}

function noResult(sweep: SweepView): string {
  return `no configuration has a result${sweep.end_time === null ? " yet" : ""}`;
}

function Rows(props: {
  sweep: SweepView;
  rows: RankingRow[];
  empty: string;
  route?: Route; // of a page with a choice of columns
  sort?: string;
  onSort?: (sort: string) => void;
}): JSX.Element {
  const { sweep, rows, route, ...order } = props;
  const columns = columnsOf(sweep, rows);
  return (
    <>
      <DataTable
        caption="Ranking, best first"
        columns={columns.filter((column) => isShown(column, route?.query ?? {}))}
        rows={rows}
        rowKey={(row) => row.configuration}
        rowClass={(row) => (row.qualifies && sweep.gates.length > 0 ? "qualifies" : "")}
        {...order}
      />
      <SharedNote sweep={sweep} rows={rows} />
    </>
  );
}

export function SweepRanking({ sweep, route }: { sweep: SweepView; route: Route }): JSX.Element {
  const { where = "", qualifying = "", sort = "" } = route.query;
  const offset = Number(route.query.offset) || 0;
  const live = useLive<RankingView>(
    apiPath(["sweeps", sweep.name, "ranking"], { where, qualifying, sort, offset, limit: PAGE }),
    { keep: true },
  );
  return (
    <>
      <div class="controls">
        <WhereField route={route} />
        {sweep.gates.length > 0 && (
          <Select
            label="configurations"
            value={qualifying}
            onChange={(value) => setQuery(route, { qualifying: value, offset: "" })}
            options={[
              { value: "", label: "all" },
              { value: "1", label: "that meet the criteria" },
            ]}
          />
        )}
        <ColumnChoice columns={columnsOf(sweep, live.data?.rows ?? [])} route={route} />
      </div>
      <Await live={live} what="ranking">
        {(view) => (
          <>
            <Rows
              sweep={sweep}
              rows={view.rows}
              route={route}
              empty={where || qualifying ? "no configuration matches" : noResult(sweep)}
              sort={sort || "rank"}
              onSort={(next) => setQuery(route, { sort: next, offset: "" })}
            />
            <Pager
              offset={offset}
              limit={PAGE}
              shown={view.rows.length}
              total={view.total}
              waiting={live.waiting}
              onChange={(next) => setQuery(route, { offset: next ? String(next) : "" })}
              what="configurations"
            />
            <LeftOut view={view} />
          </>
        )}
      </Await>
    </>
  );
}
