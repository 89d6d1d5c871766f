// The ranking: every configuration against the gates.

import type { JSX } from "preact";
import type { RankingRow, RankingView, SweepView } from "../api";
import { Await, Parameters, Select } from "../components/basics";
import { Gates } from "../components/gates";
import { DataTable, Pager, type Column } from "../components/table";
import { WhereField } from "../components/where_field";
import { integer, intervalText, percent } from "../format";
import { useLive } from "../live";
import { setQuery, type Route } from "../router";
import { apiPath } from "../source";
import { LeftOut } from "./left_out";
import { compareColumn, LAST, LOSS, SIZE, STATE, TO_TARGET, trialColumn } from "./trial_columns";

const PAGE = 50;

function columnsOf(sweep: SweepView, rows: RankingRow[]): Column<RankingRow>[] {
  const replicated = sweep.replicates > 1;
  const models = new Set(rows.map((row) => row.model)).size > 1;
  const columns: Column<RankingRow>[] = [
    compareColumn(sweep.name),
    { key: "rank", title: "#", sort: "rank", numeric: true, cell: (row) => row.rank },
    trialColumn(sweep.name),
    STATE,
    { key: "gates", title: "Gates", cell: (row) => <Gates gates={row.gates} /> },
    {
      key: "accuracy",
      title: "Accuracy",
      sort: "accuracy",
      numeric: true,
      cell: (row) => <strong>{percent(row.accuracy)}</strong>,
    },
    {
      key: "interval",
      title: "95 % interval",
      numeric: true,
      cell: (row) => intervalText(row.interval),
    },
    { key: "epoch", title: "Epoch", numeric: true, cell: (row) => integer(row.best_epoch || null) },
    TO_TARGET,
    LAST,
    LOSS,
  ];
  if (replicated) {
    columns.push({
      key: "mean",
      title: "Mean of last",
      numeric: true,
      cell: (row) =>
        `${percent(row.mean_last_accuracy)}${row.mean_interval === null ? "" : ` (${row.mean_interval.map((end) => (end * 100).toFixed(2)).join("–")})`}`,
    });
    columns.push({ key: "replicates", title: "Of", numeric: true, cell: (row) => row.replicates });
  }
  columns.push(SIZE);
  if (models) columns.push({ key: "model", title: "Model", sort: "model", cell: (row) => row.model });
  columns.push({
    key: "parameters",
    title: "Parameters",
    cell: (row) => <Parameters values={row.parameters} hide={shared(rows)} />,
  });
  return columns;
}

// Parameters that are the same in every row say nothing in a row.
function shared(rows: RankingRow[]): string[] {
  const first = rows[0];
  if (!first || rows.length < 2) return [];
  return Object.keys(first.parameters).filter((name) =>
    rows.every((row) => row.parameters[name] === first.parameters[name]),
  );
}

function SharedNote({ rows }: { rows: RankingRow[] }): JSX.Element | null {
  const first = rows[0];
  const names = shared(rows);
  if (!first || names.length === 0) return null;
  const values = Object.fromEntries(names.map((name) => [name, first.parameters[name] ?? ""]));
  return (
    <p class="note">
      In every row: <Parameters values={values} />
    </p>
  );
}

export function BestTable({ sweep, limit }: { sweep: SweepView; limit: number }): JSX.Element {
  const live = useLive<RankingView>(apiPath(["sweeps", sweep.name, "ranking"], { limit }));
  return (
    <Await live={live} what="ranking">
      {(view) => <Rows sweep={sweep} rows={view.rows} empty={NO_RESULT} />}
    </Await>
  );
}

const NO_RESULT = "no configuration has a result yet";

function Rows(props: {
  sweep: SweepView;
  rows: RankingRow[];
  empty: string;
  sort?: string;
  onSort?: (sort: string) => void;
}): JSX.Element {
  const { sweep, rows, ...order } = props;
  return (
    <>
      <DataTable
        caption="Ranking, best first"
        columns={columnsOf(sweep, rows)}
        rows={rows}
        rowKey={(row) => row.configuration}
        rowClass={(row) => (row.qualifies ? "qualifies" : "")}
        {...order}
      />
      <SharedNote rows={rows} />
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
      </div>
      <Await live={live} what="ranking">
        {(view) => (
          <>
            <Rows
              sweep={sweep}
              rows={view.rows}
              empty={where || qualifying ? "no configuration matches" : NO_RESULT}
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
