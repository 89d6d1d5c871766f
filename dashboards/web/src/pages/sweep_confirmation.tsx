// The best of another sweep with fresh seeds, beside what they were chosen by.

import type { JSX } from "preact";
import type { ConfirmationView, FinalistRow, SweepView } from "../api";
import { Await, Parameters, Text } from "../components/basics";
import { MissedGates } from "../components/gates";
import { DataTable, type Column } from "../components/table";
import { integer, NONE } from "../format";
import { useLive } from "../live";
import { measureText, objectiveOf, titleOf } from "../measure";
import { sweepHref, trialHref } from "../router";
import { apiPath } from "../source";
import {
  alikeText,
  looksText,
  meanIntervalText,
  optimismText,
  qualifyingText,
  runsText,
} from "./confirmed";

// True for a sweep that `sweep confirm` has made: its labels say which trials it trains again.
export function isConfirmation({ labels }: Pick<SweepView, "labels">): boolean {
  return Boolean(labels.confirms && labels.finalists);
}

function Chosen({ view, row }: { view: ConfirmationView; row: FinalistRow }): JSX.Element {
  if (row.trial === null) return <>{NONE}</>;
  const name = `${view.selection}/${row.trial}`;
  if (__REPORT__ || !view.is_there) return <Text text={name} />;
  return (
    <a href={trialHref(view.selection, row.trial)}>
      <Text text={name} />
    </a>
  );
}

export function columnsOf(sweep: SweepView, view: ConfirmationView): Column<FinalistRow>[] {
  const measure = objectiveOf(sweep);
  const number = (key: string, title: string, cell: Column<FinalistRow>["cell"]): Column<FinalistRow> => ({
    key,
    title,
    numeric: true,
    cell,
  });
  const columns: Column<FinalistRow>[] = [
    { key: "rank", title: "#", numeric: true, fixed: true, cell: (row) => row.rank },
    { key: "trial", title: "Finalist", fixed: true, cell: (row) => <Chosen view={view} row={row} /> },
    number("selected", "Selected by", (row) => measureText(measure, row.selected)),
    number("selected_mean", "Of last", (row) => measureText(measure, row.selected_mean)),
    number("confirmed", "Confirmed", (row) => <strong>{measureText(measure, row.confirmed)}</strong>),
    ...(view.finalists.some(({ group }) => group !== null)
      ? [number("group", "Group", ({ group }) => integer(group))]
      : []),
    number("interval", "95 % interval", (row) => meanIntervalText(measure, row.confirmed_interval)),
    number("bound", sweep.maximize ? "Lower bound" : "Upper bound", (row) =>
      measureText(measure, row.confirmed_bound),
    ),
    number("optimism", "Optimism", (row) => optimismText(measure, row)),
    number("runs", "Runs", runsText),
  ];
  if (sweep.gates.length > 0) {
    columns.push(number("qualifying", "That qualify", qualifyingText), {
      key: "criteria",
      title: "Criteria",
      cell: ({ gates }) => (gates.length > 0 ? <MissedGates gates={gates} measures={sweep.measures} /> : NONE),
    });
  }
  columns.push({
    key: "parameters",
    title: "Hyperparameters",
    cell: ({ parameters }) => <Parameters values={parameters} />,
  });
  return columns;
}

function Notes({ sweep, view }: { sweep: SweepView; view: ConfirmationView }): JSX.Element {
  const title = titleOf(objectiveOf(sweep));
  const looks = looksText(view);
  return (
    <>
      {view.finalists
        .filter(({ optimism_note }) => optimism_note !== "")
        .map(({ rank, optimism_note }) => (
          <p key={rank} class="note">
            The optimism of #{rank} is not known: {optimism_note}.
          </p>
        ))}
      <p class="note">
        <em>Selected by</em> is the {title} that ranked it, <em>of last</em> the mean of its last epochs in the
        selection, <em>confirmed</em> that of the fresh runs, and <em>optimism</em> what <em>of last</em> promised too
        much.
      </p>
      {looks && <p class="note">{looks}</p>}
    </>
  );
}

export function SweepConfirmation({ sweep }: { sweep: SweepView }): JSX.Element {
  const live = useLive<ConfirmationView>(apiPath(["sweeps", sweep.name, "confirmation"]));
  return (
    <Await live={live} what="confirmation">
      {(view) =>
        view.finalists.length === 0 ? (
          <p class="empty">This sweep trains no configuration of another one again.</p>
        ) : (
          <>
            <p>
              The best of{" "}
              {__REPORT__ || !view.is_there ? (
                <Text text={view.selection} />
              ) : (
                <a href={sweepHref(view.selection, "ranking")}>
                  <Text text={view.selection} />
                </a>
              )}
              {view.is_there ? "" : ", which was deleted"}, with seeds that had no part in choosing them.{" "}
              {alikeText(view.finalists)}
            </p>
            <DataTable
              caption="Finalists"
              columns={columnsOf(sweep, view)}
              rows={view.finalists}
              rowKey={({ configuration }) => configuration}
              rowClass={(row) => (row.qualifies && sweep.gates.length > 0 ? "qualifies" : "")}
            />
            <Notes sweep={sweep} view={view} />
          </>
        )
      }
    </Await>
  );
}
