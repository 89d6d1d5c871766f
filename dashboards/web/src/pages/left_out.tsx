// Notes that a report's table is incomplete.

import type { JSX } from "preact";
import { integer } from "../format";
import { leftOut } from "../report";

export function LeftOut({ view }: { view: object }): JSX.Element | null {
  const count = leftOut(view);
  if (!__REPORT__ || count === 0) return null;
  return (
    <p class="note">
      {integer(count)} more are not in this report, and nothing here looks at them;{" "}
      <code>sweep report --rows</code> says how many it takes.
    </p>
  );
}
