// The columns shared by the ranking and the table of trials: first the judged measures, which stay
// visible, then one for each hyperparameter.

import type { ComponentChildren, JSX } from "preact";
import type { Measure, MeasureSummary, RankingRow, SweepView, TrialRow, Value } from "../api";
import { Parameters, State, Text } from "../components/basics";
import type { ChosenColumn } from "../components/column_choice";
import { CompareTick } from "../components/compare_tick";
import { defaultsOf, effectiveValue } from "../effective";
import { aligned, integer, shorten, valueText } from "../format";
import {
  bestPart,
  bestValue,
  columnText,
  findMeasure,
  gatedMeasures,
  headingOf,
  objectiveOf,
  titleOf,
} from "../measure";
import { trialHref } from "../router";

type AnyRow = RankingRow | TrialRow;

const RESULTS = "Results";
const MEASURES = "Measures";
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

// A result's column, which can be hidden. Its key has a dot, which no hyperparameter's name has.
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

// A measure's column. Its key has a colon, which no hyperparameter's name has.
export function measureColumn<R>(
  measure: Measure,
  rows: R[],
  value: (row: R) => number | null,
  column: Partial<ChosenColumn<R>> = {},
): ChosenColumn<R> {
  const text = columnText(measure, rows.map(value));
  return {
    key: `:${measure.name}`,
    title: headingOf(measure),
    numeric: true,
    cell: (row) => text(value(row)),
    ...column,
  };
}

// The server's sort key for a trial's best value.
export function bestSort(measure: Measure): string {
  return `${bestPart(measure)}.${measure.name}`;
}

export function lastColumn<R extends AnyRow>(sweep: SweepView, rows: R[]): ChosenColumn<R> {
  const measure = objectiveOf(sweep);
  return measureColumn(measure, rows, (row) => row.last, {
    key: ".last",
    title: "Last",
    name: `Last ${titleOf(measure)}`,
    group: RESULTS,
    sort: `last.${measure.name}`,
  });
}

function bestColumn<R extends AnyRow>(
  measure: Measure,
  rows: R[],
  value = (row: R): number | null => bestValue(row.measures[measure.name], measure),
): ChosenColumn<R> {
  const part: Record<keyof MeasureSummary, string> = { high: "Best", low: "Best", last: "Last" };
  return measureColumn(measure, rows, value, {
    name: `${part[bestPart(measure)]} ${titleOf(measure)}`,
    group: MEASURES,
    sort: bestSort(measure),
  });
}

// The value that gates judge: the configuration's in a ranking, else the trial's best.
export function heldValue(row: AnyRow, measure: Measure): number | null {
  if ("values" in row) return row.values[measure.name] ?? null;
  return bestValue(row.measures[measure.name], measure);
}

// The other measures in gates, and the other reported ones, which are shown on request.
export function otherMeasures<R extends AnyRow>(
  sweep: SweepView,
  rows: R[],
): { gated: ChosenColumn<R>[]; others: ChosenColumn<R>[] } {
  const gated = gatedMeasures(sweep);
  const judged = new Set([...sweep.objective_measures, ...gated].map(({ name }) => name));
  const others = [...new Set(rows.flatMap((row) => Object.keys(row.measures)))]
    .filter((name) => !judged.has(name))
    .map((name) => findMeasure(sweep.measures, name));
  return {
    gated: gated.map((one) => bestColumn(one, rows, (row) => heldValue(row, one))),
    others: others.map((one) => ({ ...bestColumn(one, rows), extra: true })),
  };
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

// The epoch that reached the target, if there is one, and the network's size, if known.
export function goalColumns(sweep: SweepView): ChosenColumn<AnyRow>[] {
  return [
    ...(Object.keys(sweep.target.measures).length === 0 ? [] : [TO_TARGET]),
    ...(sweep.program.length > 0 ? [] : [SIZE]),
  ];
}

function parameterOf(row: AnyRow, name: string): Value | undefined {
  return name === "model" && !("model" in row.parameters) ? row.model : row.parameters[name];
}

// The names that are no dimension of the sweep, split by whether all rows have the same value.
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

// Lists once the hyperparameters that are the same in every row.
export function ConstantsNote(props: {
  sweep: SweepView;
  rows: AnyRow[];
  children?: ComponentChildren; // further equal facts, if `hasMore`
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

// Shows a hyperparameter's values in a column: numbers have their points aligned.
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

// One column for each varying hyperparameter. The others are shown on request, with their values in
// effect.
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
