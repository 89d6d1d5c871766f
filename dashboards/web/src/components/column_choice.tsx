// Chooses the columns of a table. The address keeps the choice: "hide" names default columns that
// are hidden, "show" extra columns that are shown.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { shorten } from "../format";
import { setQuery, type Route } from "../router";
import type { Column } from "./table";

export interface ChosenColumn<R> extends Column<R> {
  name?: string; // in the list of columns; without a name: always shown
  group?: string; // in that list
  extra?: boolean; // shown only on request
}

const SEPARATOR = " ";

function words(text: string | undefined): string[] {
  return (text ?? "").split(SEPARATOR).filter(Boolean);
}

export function isShown<R>(column: ChosenColumn<R>, query: Record<string, string>): boolean {
  if (column.name === undefined) return true;
  return column.extra
    ? words(query.show).includes(column.key)
    : !words(query.hide).includes(column.key);
}

// The query with one column shown or hidden.
export function withColumn<R>(
  column: ChosenColumn<R>,
  shown: boolean,
  query: Record<string, string>,
): Record<string, string> {
  const key = column.extra ? "show" : "hide";
  const others = words(query[key]).filter((other) => other !== column.key);
  const named = column.extra ? shown : !shown;
  return { [key]: (named ? [...others, column.key] : others).join(SEPARATOR) };
}

export function ColumnChoice<R>({
  columns,
  route,
}: {
  columns: ChosenColumn<R>[];
  route: Route;
}): JSX.Element {
  const choosable = columns.filter((column) => column.name !== undefined);
  const groups = [...new Set(choosable.map((column) => column.group ?? ""))];
  const changed = Boolean(route.query.hide || route.query.show);
  const [open, setOpen] = useState(false);
  return (
    <details class="column-choice" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="button">Columns</summary>
      {(open ? groups : []).map((group) => (
        <fieldset key={group}>
          <legend>{group}</legend>
          {choosable
            .filter((column) => (column.group ?? "") === group)
            .map((column) => (
              <label key={column.key} class="check">
                <input
                  type="checkbox"
                  checked={isShown(column, route.query)}
                  onChange={(event) =>
                    setQuery(route, withColumn(column, event.currentTarget.checked, route.query))
                  }
                />{" "}
                {shorten(column.name ?? "", 40)}
              </label>
            ))}
        </fieldset>
      ))}
      {open && changed && (
        <button type="button" class="small" onClick={() => setQuery(route, { hide: "", show: "" })}>
          As at first
        </button>
      )}
    </details>
  );
}
