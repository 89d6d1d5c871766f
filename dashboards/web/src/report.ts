// An offline report: one HTML file that contains the documents of one sweep, written by `sweep
// report`. Keys are the coordinator's paths. The lists of ranking and trials are whole and have no
// query; pages are cut here.

import type { Measure, MeasureSummary, RankingRow, ReportInfo, TrialRow } from "./api";
import { effectiveValue } from "./effective";
import { compareValues } from "./format";
import { RequestError } from "./request_error";
import type { Answer, DocumentSource } from "./source";

export type Documents = Record<string, unknown>;

// Parses the documents from the element's text, which is data, never markup. The writer must escape
// "<" as \u003c, so that no string in it can end the element.
export function readDocuments(text: string): Documents {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error("the report's documents are no JSON object");
  }
  return value as Documents;
}

// The sweep of a report; "" when there is none.
export function reportedSweep(documents: Documents): string {
  for (const path of Object.keys(documents)) {
    const match = /^\/api\/sweeps\/([^/?]+)$/.exec(path);
    if (match?.[1] !== undefined) return decodeURIComponent(match[1]);
  }
  return "";
}

interface Rows {
  rows: unknown[];
  total: number;
  left_out?: number; // number of rows that the report omits
}
function hasRows(document: unknown): document is Rows {
  return (
    typeof document === "object" && document !== null && "rows" in document && "total" in document
  );
}

// Finds a column by the names of the expression language.
function columnOf(row: TrialRow, key: string): unknown {
  if (key === "number") return row.trial;
  const PREFIX = "parameters."; // a hyperparameter, whatever the row's own fields are called
  if (key.startsWith(PREFIX)) {
    const name = key.slice(PREFIX.length);
    return row.parameters[name] ?? (name === "model" ? row.model : undefined);
  }
  if (key === "parameters") return row.network_parameters;
  if ("values" in row && key in (row as unknown as RankingRow).values)
    return (row as unknown as RankingRow).values[key];
  const [, part, name = ""] = /^(last|low|high)\.(.+)$/.exec(key) ?? [];
  if (part) return row.measures[name]?.[part as keyof MeasureSummary];
  if (key in row) return row[key as keyof TrialRow];
  return effectiveValue(row, key);
}

// Cuts the part of a list that a query requests.
function page(document: Rows, query: URLSearchParams): Rows {
  let rows = document.rows;
  const state = query.get("state");
  if (state) rows = rows.filter((row) => (row as TrialRow).state === state);
  if (query.get("qualifying")) rows = rows.filter((row) => (row as TrialRow).qualifies);
  const [key, direction] = (query.get("sort") ?? "").split(" ");
  if (key) {
    rows = [...rows].sort((a, b) =>
      compareValues(
        columnOf(a as TrialRow, key),
        columnOf(b as TrialRow, key),
        direction === "desc",
      ),
    );
  }
  const offset = Number(query.get("offset") ?? 0);
  const limit = Number(query.get("limit") ?? 50);
  return {
    ...document,
    rows: rows.slice(offset, offset + limit),
    total: rows.length,
    left_out: document.total - document.rows.length,
  };
}

// Number of rows of a list that the report omits.
export function leftOut(view: object): number {
  return (view as Partial<Rows>).left_out ?? 0;
}

export function lookUp(documents: Documents, path: string): unknown {
  if (path in documents) return documents[path];
  const [bare = "", query = ""] = path.split("?");
  const words = new URLSearchParams(query);
  const metric = words.get("metric");
  const document = documents[metric ? `${bare}?metric=${metric}` : bare];
  if (document === undefined) return undefined;
  return hasRows(document) && words.has("limit") && !("columns" in document)
    ? page(document, words)
    : document;
}

// The measures whose curves and points the report contains.
export function reportedMeasures(documents: Documents, sweep: string, measures: Measure[]): Measure[] {
  const path = `/api/sweeps/${encodeURIComponent(sweep)}/points`;
  return measures.filter(({ name }) => `${path}?metric=${name}` in documents);
}

let loaded: Documents | undefined;
export function reportDocuments(): Documents {
  loaded ??= readDocuments(document.getElementById("sweep-report")?.textContent ?? "{}");
  return loaded;
}

// The time when the report was written, which is "now" for running trials.
export function reportTime(documents: Documents): number {
  return Date.parse((documents["/api/report"] as Partial<ReportInfo> | undefined)?.time ?? "");
}

// Explains a missing document: only the best trials have their own page.
export function whatIsMissing(path: string): string {
  const trial = /^\/api\/sweeps\/([^/?]+)\/trials\/\d+$/.exec(path);
  const more = trial ? `; sweep report ${trial[1]} --details N has the best N trials` : "";
  return `this report does not have it${more}`;
}

export function reportSource(): DocumentSource {
  return {
    async get(path, known): Promise<Answer | null> {
      if (known !== "") return null;
      const document = lookUp(reportDocuments(), path);
      if (document === undefined) throw new RequestError(whatIsMissing(path), 404);
      return { document, version: path };
    },
  };
}
