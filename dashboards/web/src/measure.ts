// How measures are shown: the only place that knows units and directions.

import type { Measure, MeasureSummary, SweepView, TrialView } from "./api";
import { aligned, integer, NONE, number, percent, seconds, shorten, type Maybe } from "./format";

export const SHARE = "share";
const UNITS: Record<string, (value: Maybe) => string> = {
  [SHARE]: percent,
  s: seconds,
  "/s": integer,
};
const TITLE = 40; // characters of a name

type Unit = Pick<Measure, "unit">;

export function measureText({ unit }: Unit, value: Maybe): string {
  const text = UNITS[unit]?.(value) ?? number(value);
  return text === NONE || unit === "" || unit in UNITS ? text : `${text} ${shorten(unit, 12)}`;
}

// The values of a column: numbers have their points aligned.
export function columnText({ unit }: Unit, values: Maybe[]): (value: Maybe) => string {
  return UNITS[unit] ?? aligned(values, 4, 1e-3);
}

// As text, for example in "best accuracy".
export function titleOf(measure: Measure): string {
  return shorten(measure.title, TITLE);
}

// For the head of a column or a plot: "Accuracy"; a program's own names keep their spelling.
export function headingOf(measure: Measure): string {
  const title = titleOf(measure);
  return measure.title === measure.name ? title : title.charAt(0).toUpperCase() + title.slice(1);
}

// For an axis: "latency, ms".
export function axisName({ title, unit }: Measure, what = ""): string {
  const name = what ? `${what} ${shorten(title, TITLE)}` : shorten(title, TITLE);
  return unit === "" || unit === SHARE || unit === "/s" ? name : `${name}, ${shorten(unit, 12)}`;
}

// For a value that stands alone: "loss 0.9135", "accuracy 99.48 %".
export function namedText(measure: Measure, value: Maybe): string {
  const text = measureText(measure, value);
  return text === NONE ? text : `${titleOf(measure)} ${text}`;
}

// Finds a measure by its name or by the short one in files and gates. An unknown measure is a plain
// number.
export function findMeasure(measures: Measure[], name: string): Measure {
  const found = measures.find((one) => one.name === name) ?? measures.find(({ title }) => title === name);
  return found ?? { name, title: name, unit: "", direction: 0 };
}

export function objectiveOf(sweep: Pick<SweepView, "objective_measures" | "metric">): Measure {
  return sweep.objective_measures[0] ?? findMeasure([], sweep.metric);
}

// The measures in gates, besides the objectives.
export function gatedMeasures(sweep: SweepView): Measure[] {
  return Object.keys(sweep.target.measures)
    .filter((name) => sweep.objective_measures.every((one) => one.name !== name))
    .map((name) => findMeasure(sweep.measures, name));
}

// The part of a summary that is the best.
export function bestPart({ direction }: Measure): keyof MeasureSummary {
  return direction > 0 ? "high" : direction < 0 ? "low" : "last";
}

export function bestValue(summary: MeasureSummary | undefined, measure: Measure): number | null {
  return summary?.[bestPart(measure)] ?? null;
}

// The best of a row of values; null when there is none.
export function bestIn(values: (number | null)[], { direction }: Measure): number | null {
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) return null;
  if (direction === 0) return known[known.length - 1] ?? null;
  return direction > 0 ? Math.max(...known) : Math.min(...known);
}

// -1 when less is better, else 1, also when the direction is unknown.
export function signOf({ direction }: Measure): 1 | -1 {
  return direction < 0 ? -1 : 1;
}

// The bound of a gate on the measure.
export function targetOf(target: SweepView["target"], { name }: Measure): number | null {
  return target.measures[name] ?? null;
}

export function judgedMeasures(trial: TrialView): Measure[] {
  return trial.reported.filter(({ name }) => trial.judged.includes(name));
}

function isTime({ unit }: Measure): boolean {
  return unit === "s" || unit === "/s";
}

// The measures shown for a trial by default: those that its sweep judges, and others with a better
// direction.
export function defaultMeasures(trial: TrialView): Measure[] {
  const judged = judgedMeasures(trial);
  return trial.reported.filter(
    (one) => judged.includes(one) || (one.direction !== 0 && !isTime(one)),
  );
}

// The measures in an address, "a,b"; `otherwise` when it names none of them.
export function chosenMeasures(
  measures: Measure[],
  named: string | undefined,
  otherwise: Measure[],
): Measure[] {
  const names = (named ?? "").split(",");
  const chosen = measures.filter(({ name }) => names.includes(name));
  return chosen.length > 0 ? chosen : otherwise;
}

// Removes repeated names.
export function oneOfEach(measures: Measure[]): Measure[] {
  return [...new Map(measures.map((one) => [one.name, one])).values()];
}

// Groups measures that share an axis, each group in the order of `measures`.
export function byUnit(measures: Measure[]): Measure[][] {
  return [...new Set(measures.map(({ unit }) => unit))].map((unit) =>
    measures.filter((one) => one.unit === unit),
  );
}
