// Columns that the ranking and the table of trials have in common.

import type { RankingRow, TrialRow } from "../api";
import { State } from "../components/basics";
import { CompareTick } from "../components/compare_tick";
import type { Column } from "../components/table";
import { integer, number, percent } from "../format";
import { trialHref } from "../router";

type AnyRow = RankingRow | TrialRow;

export function compareColumn(sweep: string): Column<AnyRow> {
  return {
    key: "compare",
    title: <span class="unseen">Compare</span>,
    cell: (row) => <CompareTick trial={`${sweep}/${row.trial}`} />,
  };
}

export function trialColumn(sweep: string): Column<AnyRow> {
  return {
    key: "trial",
    title: "Trial",
    sort: "number",
    numeric: true,
    cell: (row) => <a href={trialHref(sweep, row.trial)}>{row.trial}</a>,
  };
}

export const STATE: Column<AnyRow> = {
  key: "state",
  title: "State",
  sort: "state",
  cell: (row) => <State state={row.state} />,
};

export const TO_TARGET: Column<AnyRow> = {
  key: "target",
  title: "To target",
  sort: "epochs_to_target",
  numeric: true,
  cell: (row) => integer(row.epochs_to_target || null),
};

export const LAST: Column<AnyRow> = {
  key: "last",
  title: "Last",
  sort: "last_accuracy",
  numeric: true,
  cell: (row) => percent(row.last_accuracy),
};

export const LOSS: Column<AnyRow> = {
  key: "loss",
  title: "Loss",
  sort: "best_loss",
  numeric: true,
  cell: (row) => number(row.best_loss),
};

export const SIZE: Column<AnyRow> = {
  key: "size",
  title: "Params",
  sort: "parameters",
  numeric: true,
  cell: (row) => integer(row.network_parameters || null),
};
