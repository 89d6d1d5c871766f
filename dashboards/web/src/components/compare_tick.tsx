// A check box that adds a trial to the comparison, and the bar that links there.

import type { JSX } from "preact";
import { plural } from "../format";
import { href } from "../router";
import {
  addSelected,
  MOST_COMPARED,
  removeSelected,
  SELECTION_KEY,
  setSelected,
  useSelected,
} from "../selection";

export function CompareTick({ trial }: { trial: string }): JSX.Element {
  const selected = useSelected();
  const ticked = selected.includes(trial);
  return (
    <input
      type="checkbox"
      aria-label={`compare ${trial}`}
      checked={ticked}
      disabled={!ticked && selected.length >= MOST_COMPARED}
      onChange={() => (ticked ? removeSelected(trial) : addSelected(trial))}
    />
  );
}

export function CompareBar(): JSX.Element | null {
  const selected = useSelected();
  if (selected.length === 0) return null;
  return (
    <div class="compare-bar" role="status">
      <span>
        {plural(selected.length, "trial")} chosen to compare, of at most {MOST_COMPARED}
      </span>
      <a
        class="button primary"
        href={href(["compare"], { [SELECTION_KEY]: selected.join(",") })}
      >
        Compare
      </a>
      <button type="button" onClick={() => setSelected([])}>
        Clear
      </button>
    </div>
  );
}
