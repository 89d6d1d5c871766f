// Columns that the ranking and the table of trials have in common: first what decides, which stays in
// sight, then one for each hyperparameter.

import type { ComponentChildren, JSX } from "preact";
import type { RankingRow, SweepView, TrialRow, Value } from "../api";
import { Parameters, State, Text } from "../components/basics";
import type { ChosenColumn } from "../components/column_choice";
import { CompareTick } from "../components/compare_tick";
import { defaultsOf, effectiveValue } from "../effective";
import { aligned, integer, percent, shorten, valueText } from "../format";
import { trialHref } from "../router";

type AnyRow = RankingRow | TrialRow;

const RESULTS = "Results";
const HYPERPARAMETERS = "Hyperparameters";
const DEFAULTS = "Hyperparameters that the sweep does not vary";

export function compareColumn(sweep: string): ChosenColumn<AnyRow> {
  return {
    key: "compare",
    title: <span class="unseen">Compare</span>,
    fixed: true,
    cell: (row) => <CompareTick trial={`${sweep}/${row.trial}`} />,
  };
}

export function trialColumn(sweep: string): ChosenColumn<AnyRow> {
  return {
    key: "trial",
    title: "Trial",
    sort: "number",
    numeric: true,
    fixed: true,
    cell: (row) => <a href={trialHref(sweep, row.trial)}>{row.trial}</a>,
  };
}

// One of the results, that can be hidden. Its key has a dot, which no hyperparameter's name has.
export function resultColumn<R>(
  column: Omit<ChosenColumn<R>, "group" | "name"> & { title: string; name?: string },
): ChosenColumn<R> {
  return { name: column.title, group: RESULTS, ...column, key: `.${column.key}` };
}

export const STATE: ChosenColumn<AnyRow> = resultColumn({
  key: "state",
  title: "State",
  sort: "state",
  cell: (row) => <State state={row.state} />,
});

const TO_TARGET: ChosenColumn<AnyRow> = resultColumn({
  key: "target",
  title: "To target",
  name: "Epochs to the target",
  sort: "epochs_to_target",
  numeric: true,
  fixed: "wide",
  cell: (row) => integer(row.epochs_to_target),
});

export const LAST: ChosenColumn<AnyRow> = resultColumn({
  key: "last",
  title: "Last",
  name: "Last accuracy",
  sort: "last_accuracy",
  numeric: true,
  cell: (row) => percent(row.last_accuracy),
});

export function lossColumn(rows: AnyRow[], decides: boolean): ChosenColumn<AnyRow> {
  const text = aligned(
    rows.map((row) => row.best_loss),
    4,
    1e-3,
  );
  const cell = (row: AnyRow): JSX.Element | string =>
    decides ? <strong>{text(row.best_loss)}</strong> : text(row.best_loss);
  const column = { title: "Loss", sort: "best_loss", numeric: true, cell };
  return decides
    ? { key: "loss", fixed: true, ...column }
    : resultColumn({ key: "loss", name: "Lowest loss", ...column });
}

const SIZE: ChosenColumn<AnyRow> = resultColumn({
  key: "size",
  title: "Params",
  name: "Parameters of the network",
  sort: "parameters",
  numeric: true,
  fixed: "wide",
  cell: (row) => integer(row.network_parameters || null),
});

// How soon the target was reached, where there is one, and by how large a network, where there is one.
export function goalColumns(sweep: SweepView): ChosenColumn<AnyRow>[] {
  return [
    ...(sweep.target.accuracy === null ? [] : [TO_TARGET]),
    ...(sweep.program.length > 0 ? [] : [SIZE]),
  ];
}

function parameterOf(row: AnyRow, name: string): Value | undefined {
  return name === "model" && !("model" in row.parameters) ? row.model : row.parameters[name];
}

// Names that are no dimension of the sweep, and whether they are the same in all rows.
export function constantsOf(sweep: SweepView, rows: AnyRow[]): { same: string[]; others: string[] } {
  const varied = new Set(sweep.dimensions.map((dimension) => dimension.name));
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.parameters)))].filter(
    (name) => !varied.has(name),
  );
  const first = rows[0];
  const isSame = (name: string): boolean =>
    rows.every((row) => row.parameters[name] === first?.parameters[name]);
  return { same: names.filter(isSame), others: names.filter((name) => !isSame(name)) };
}

// The hyperparameters that are the same in every row, once.
export function ConstantsNote(props: {
  sweep: SweepView;
  rows: AnyRow[];
  children?: ComponentChildren; // what else is, if `hasMore`
  hasMore?: boolean;
}): JSX.Element | null {
  const { sweep, rows, children, hasMore } = props;
  const first = rows[0];
  if (!first || rows.length < 2) return null;
  const { same } = constantsOf(sweep, rows);
  if (same.length === 0 && !hasMore) return null;
  const values = Object.fromEntries(same.map((name) => [name, first.parameters[name] ?? ""]));
  return (
    <p class="note shared">
      In every row: {children} <Parameters values={values} />
    </p>
  );
}

// How a column shows values of a hyperparameter: numbers with their points below each other.
export function valueCell<R>(
  values: (Value | undefined)[],
  value: (row: R) => Value | undefined,
): Pick<ChosenColumn<R>, "numeric" | "cell"> {
  const known = values.filter((one) => one !== undefined);
  const text = aligned(known.map((one) => (typeof one === "number" ? one : null)));
  return {
    numeric: known.length > 0 && known.every((one) => typeof one === "number"),
    cell: (row) => {
      const own = value(row);
      if (own === undefined) return <span class="quiet">{valueText(own)}</span>;
      return <Text text={typeof own === "number" ? text(own) : valueText(own)} />;
    },
  };
}

function valueColumn(
  rows: AnyRow[],
  name: string,
  sort: string,
  value: (row: AnyRow) => Value | undefined,
): ChosenColumn<AnyRow> {
  return {
    key: name,
    title: shorten(name, 24),
    name,
    sort,
    ...valueCell(rows.map(value), value),
  };
}

// One for each hyperparameter that varies; those that do not are there when they are asked for, with
// the value that was in force.
export function hyperparameterColumns(sweep: SweepView, rows: AnyRow[]): ChosenColumn<AnyRow>[] {
  const varied = [
    ...sweep.dimensions.map((dimension) => dimension.name),
    ...constantsOf(sweep, rows).others,
  ];
  const fixed = [
    ...new Set(rows.flatMap((row) => [...Object.keys(row.parameters), ...Object.keys(defaultsOf(row))])),
  ]
    .filter((name) => !varied.includes(name))
    .sort();
  return [
    ...varied.map((name) => ({
      ...valueColumn(rows, name, `parameters.${name}`, (row) => parameterOf(row, name)),
      group: HYPERPARAMETERS,
    })),
    ...fixed.map((name) => ({
      ...valueColumn(rows, name, name, (row) => effectiveValue(row, name)),
      group: DEFAULTS,
      extra: true,
    })),
  ];
}
