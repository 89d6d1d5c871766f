// All leases granted on trials of the sweep, and how they ended.

import type { JSX } from "preact";
import type { AttemptRow, AttemptsView, SweepView } from "../api";
import { Await } from "../components/basics";
import { Pager, DataTable, type Column } from "../components/table";
import { useLive } from "../live";
import { setQuery, trialHref, type Route } from "../router";
import { apiPath } from "../source";
import { ATTEMPT_COLUMNS } from "./trial";

const PAGE = 50;

export function SweepAttempts({ sweep, route }: { sweep: SweepView; route: Route }): JSX.Element {
  const offset = Number(route.query.offset) || 0;
  const live = useLive<AttemptsView>(apiPath(["sweeps", sweep.name, "attempts"], { offset, limit: PAGE }), { keep: true });
  const columns: Column<AttemptRow>[] = [
    { key: "trial", title: "Trial", numeric: true, cell: (row) => <a href={trialHref(sweep.name, row.trial)}>{row.trial}</a> },
    ...ATTEMPT_COLUMNS,
  ];
  return (
    <Await live={live} what="attempts">
      {(view) => (
        <>
          <DataTable caption="Attempts" columns={columns} rows={view.rows} rowKey={(row) => `${row.trial} ${row.attempt}`} empty="no trial has been granted yet" />
          <Pager offset={offset} limit={PAGE} shown={view.rows.length} total={view.total} waiting={live.waiting} onChange={(next) => setQuery(route, { offset: next ? String(next) : "" })} what="attempts" />
        </>
      )}
    </Await>
  );
}
