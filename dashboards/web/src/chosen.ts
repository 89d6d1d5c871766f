// How the values of a trial were chosen, in words.

import type { Value } from "./api";

const SOURCES: Record<string, string> = {
  try_first: "tried first",
  sequence: "next of its sequence",
  start_up: "start-up point",
  model: "its model",
  random: "random point",
  stand_in: "start-up point because its model had not answered",
  went_on: "going on with its values",
  copied: "copy of a better member with changed values",
};

// Empty when it is not known.
export function sourceText(source: Value | null | undefined): string {
  return typeof source === "string" ? (SOURCES[source] ?? source) : "";
}

// "gp: its model"
export function chosenText(row: {
  chosen_by: string | null;
  chosen_source: string | null;
}): string {
  const source = sourceText(row.chosen_source);
  return source && row.chosen_by ? `${row.chosen_by}: ${source}` : source;
}
