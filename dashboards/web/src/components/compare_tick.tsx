// A tick that adds a trial to those to compare, and the bar that leads there.

import type { JSX } from "preact";
import { href } from "../router";
import { clearSelected, MOST_COMPARED, toggleSelected, useSelected } from "../selection";

export function CompareTick({ trial }: { trial: string }): JSX.Element {
  const selected = useSelected();
  const ticked = selected.includes(trial);
  return (
    <input
      type="checkbox"
      aria-label={`compare ${trial}`}
      checked={ticked}
      disabled={!ticked && selected.length >= MOST_COMPARED}
      onChange={() => toggleSelected(trial)}
    />
  );
}

export function CompareBar(): JSX.Element | null {
  const selected = useSelected();
  if (selected.length === 0) return null;
  return (
    <div class="compare-bar" role="status">
      <span>
        {selected.length} of at most {MOST_COMPARED} trials chosen
      </span>
      {selected.length > 1 && (
        <a class="button primary" href={href(["compare"], { trials: selected.join(",") })}>
          Compare
        </a>
      )}
      <button type="button" onClick={clearSelected}>
        Clear
      </button>
    </div>
  );
}
