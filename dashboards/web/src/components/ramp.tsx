// The meaning of a plot's colours.

import type { JSX } from "preact";
import { valueText, shorten } from "../format";
import type { Value } from "../api";

// The ramp of colours from low to high. `thin`: without the palest colour, as for lines.
export function Ramp(props: { low: string; high: string; thin?: boolean }): JSX.Element {
  return (
    <span class="legend">
      {props.low} <span class={props.thin ? "ramp thin" : "ramp"} aria-hidden="true" /> {props.high}
    </span>
  );
}

const MOST = 12;

// The categories, each with the style that categoryStyle gives its position.
export function CategoryKeys({ values }: { values: Value[] }): JSX.Element {
  return (
    <span class="legend">
      {values.slice(0, MOST).map((value, i) => (
        <span key={i} class="legend-item">
          <span
            class={`key key-${(i % 6) + 1} dash-${Math.floor(i / 6) % 3}`}
            aria-hidden="true"
          />{" "}
          {shorten(valueText(value), 24)}
        </span>
      ))}
      {values.length > MOST && ` and ${values.length - MOST} more`}
    </span>
  );
}
