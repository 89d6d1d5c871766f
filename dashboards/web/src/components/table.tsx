// Tables: captions, headers that sort on click, pages. The server sorts and pages.

import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { integer } from "../format";

export interface Column<R> {
  key: string;
  title: ComponentChildren;
  sort?: string; // the server's sort key; none: not sortable
  numeric?: boolean;
  // Stays visible while other columns scroll sideways; "wide": only if the screen has room for it.
  // Fixed columns come first.
  fixed?: true | "wide";
  cell: (row: R) => ComponentChildren;
}

interface Props<R> {
  caption: string;
  columns: Column<R>[];
  rows: R[];
  rowKey: (row: R) => string | number;
  rowClass?: (row: R) => string;
  sort?: string; // "KEY" or "KEY desc"
  onSort?: (sort: string) => void;
  empty?: string;
}

function classOf<R>(column: Column<R>): string {
  const fixed = column.fixed ? (column.fixed === "wide" ? "fixed wide-only" : "fixed") : "";
  return [column.numeric ? "number" : "", fixed].filter(Boolean).join(" ");
}

// Places each fixed column after the previous ones, which are as wide as their content.
function placeFixed(table: HTMLTableElement): void {
  let left = 0;
  [...(table.tHead?.rows[0]?.cells ?? [])].forEach((cell, i) => {
    if (!cell.classList.contains("fixed")) return;
    table.style.setProperty(`--left-${i + 1}`, `${left}px`);
    left += cell.getBoundingClientRect().width;
  });
}

function useFixedColumns(keys: string): (table: HTMLTableElement | null) => void {
  const table = useRef<HTMLTableElement | null>(null);
  useLayoutEffect(() => {
    const shown = table.current;
    const head = shown?.tHead?.rows[0];
    if (!shown || !head) return;
    const observer = new ResizeObserver(() => placeFixed(shown));
    for (const cell of [...head.cells]) {
      if (cell.classList.contains("fixed")) observer.observe(cell);
    }
    placeFixed(shown);
    return () => observer.disconnect();
  }, [keys]);
  return (element) => void (table.current = element);
}

export function Header<R>({
  column,
  sort,
  onSort,
}: {
  column: Column<R>;
  sort: string;
  onSort: ((sort: string) => void) | undefined;
}): JSX.Element {
  const [key, direction] = sort.split(" ");
  const active = column.sort !== undefined && column.sort === key;
  const order = active ? (direction === "desc" ? "descending" : "ascending") : undefined;
  const kind = classOf(column);
  if (!column.sort || !onSort)
    return (
      <th scope="col" class={kind}>
        {column.title}
      </th>
    );
  // The first click sorts numbers from the highest, words from A.
  const next = active
    ? direction === "desc"
      ? column.sort
      : `${column.sort} desc`
    : column.numeric
      ? `${column.sort} desc`
      : column.sort;
  return (
    <th scope="col" class={kind} aria-sort={order}>
      <button type="button" class="sort" onClick={() => onSort(next)}>
        {column.title}
        <span aria-hidden="true">{active ? (direction === "desc" ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}

export function DataTable<R>(props: Props<R>): JSX.Element {
  const { columns, rows } = props;
  const table = useFixedColumns(columns.map((column) => column.key).join());
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.caption}>
      <table ref={table}>
        <caption class="unseen">{props.caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Header
                key={column.key}
                column={column}
                sort={props.sort ?? ""}
                onSort={props.onSort}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={props.rowKey(row)} class={props.rowClass?.(row)}>
              {columns.map((column) => (
                <td key={column.key} class={classOf(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {rows.length === 0 && (
            <tr>
              <td colSpan={columns.length} class="quiet">
                {props.empty ?? "nothing here"}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

// Pages through a list. An answer may have fewer rows than requested if they are large: the next
// page begins after the `shown` ones. While a page is loading, nothing is said of the old one.
// Inactive buttons keep the focus, unlike disabled ones.
export function Pager(props: {
  offset: number;
  limit: number;
  shown: number;
  total: number;
  waiting: boolean;
  onChange: (offset: number) => void;
  what: string;
}): JSX.Element {
  const { offset, limit, shown, total, waiting } = props;
  const last = Math.min(total, offset + shown);
  const button = (text: string, to: number, none: boolean): JSX.Element => (
    <button
      type="button"
      class="small"
      aria-disabled={none || waiting}
      onClick={() => !none && !waiting && props.onChange(to)}
    >
      {text}
    </button>
  );
  return (
    <nav class="pager" aria-label={`pages of ${props.what}`} aria-busy={waiting || undefined}>
      <span class="quiet">
        {waiting
          ? `from ${integer(offset + 1)} …`
          : total === 0
            ? `no ${props.what}`
            : `${integer(offset + 1)}–${integer(last)} of ${integer(total)} ${props.what}`}
      </span>
      {(offset > 0 || last < total) && (
        <>
          {button("Previous", Math.max(0, offset - limit), offset === 0)}
          {button("Next", last, last >= total)}
        </>
      )}
    </nav>
  );
}
