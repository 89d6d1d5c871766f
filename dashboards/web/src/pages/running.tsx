// The running trials: their values, progress, results, workers and remaining time.

import type { JSX } from "preact";
import type { ProgressRow, ProgressView, SweepView } from "../api";
import { Text } from "../components/basics";
import { DataTable, type Column } from "../components/table";
import { integer, NONE, number, percent, seconds, shorten } from "../format";
import { useLive } from "../live";
import { objectiveOf } from "../measure";
import { trialHref } from "../router";
import { apiPath } from "../source";
import { measureColumn, valueCell } from "./trial_columns";

// The share of the whole trial.
export function shareDone(row: ProgressRow): number {
  const within = row.steps > 0 ? row.step / row.steps : 0;
  return row.epochs > 0 ? Math.min(1, (Math.max(0, row.epoch - 1) + within) / row.epochs) : 0;
}

function Bar({ row }: { row: ProgressRow }): JSX.Element {
  const share = shareDone(row);
  return (
    <>
      <progress
        max={1}
        value={share}
        aria-label={`trial ${row.trial}, in epoch ${row.epoch} of ${row.epochs}`}
      />{" "}
      <span class="quiet">{percent(share, 0)}</span>
    </>
  );
}

// Columns shown only if a trainer reports them.
const SPEED: Column<ProgressRow>[] = [
  { key: "loss", title: "Loss", numeric: true, cell: (row) => number(row.loss) },
  {
    key: "speed",
    title: "Images/s",
    numeric: true,
    cell: (row) => integer(row.images_per_second || null),
  },
];

function columnsOf(sweep: SweepView, rows: ProgressRow[]): Column<ProgressRow>[] {
  return [
    {
      key: "trial",
      title: "Trial",
      numeric: true,
      fixed: true,
      cell: (row) => <a href={trialHref(sweep.name, row.trial)}>{row.trial}</a>,
    },
    measureColumn(objectiveOf(sweep), rows, (row) => row.best, { title: "Best", fixed: true }),
    {
      key: "epoch",
      title: "Epoch",
      numeric: true,
      fixed: true,
      cell: (row) => `${row.epoch}/${row.epochs}`,
    },
    { key: "bar", title: "Done", cell: (row) => <Bar row={row} /> },
    { key: "left", title: "Time left", numeric: true, cell: (row) => seconds(row.seconds_left) },
    ...sweep.dimensions.map((dimension): Column<ProgressRow> => {
      const of = (row: ProgressRow): ProgressRow["parameters"][string] | undefined =>
        row.parameters[dimension.name] ?? (dimension.name === "model" ? row.model : undefined);
      return {
        key: `parameter ${dimension.name}`,
        title: shorten(dimension.name, 24),
        ...valueCell(rows.map(of), of),
      };
    }),
    { key: "worker", title: "Worker", cell: (row) => <Text text={row.worker} /> },
    ...SPEED.filter((column) => rows.some((row) => column.cell(row) !== NONE)),
  ];
}

export function Running({ sweep }: { sweep: SweepView }): JSX.Element | null {
  const { data } = useLive<ProgressView>(apiPath(["sweeps", sweep.name, "progress"]));
  if (!data || data.progress.length === 0) return null;
  return (
    <>
      <h2>Running</h2>
      <DataTable
        caption="Running trials"
        columns={columnsOf(sweep, data.progress)}
        rows={data.progress}
        rowKey={(row) => row.trial}
      />
    </>
  );
}
