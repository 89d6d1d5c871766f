// Chooses the measures that a page plots. The address keeps the choice as "metric".

import type { JSX } from "preact";
import type { Measure } from "../api";
import { titleOf } from "../measure";
import { reportDocuments, reportedMeasures } from "../report";
import { setQuery, type Route } from "../router";
import { Select } from "./basics";

// For a sweep: one measure for all its plots.
export function MeasureSelect(props: {
  sweep: string;
  measures: Measure[];
  chosen: string;
  route: Route;
}): JSX.Element {
  const { sweep, chosen, route } = props;
  const measures = __REPORT__
    ? reportedMeasures(reportDocuments(), sweep, props.measures)
    : props.measures;
  return (
    <Select
      label="measure"
      value={chosen}
      options={measures.map((one) => ({ value: one.name, label: titleOf(one) }))}
      onChange={(metric) => setQuery(route, { metric })}
    />
  );
}

// For trials: any number of measures.
export function MeasureChecks(props: {
  measures: Measure[];
  chosen: Measure[];
  route: Route;
}): JSX.Element | null {
  const { measures, chosen, route } = props;
  if (measures.length < 2) return null;
  const choose = (measure: Measure, isChosen: boolean): void => {
    const next = measures.filter((one) => (one === measure ? isChosen : chosen.includes(one)));
    setQuery(route, { metric: next.map(({ name }) => name).join() });
  };
  return (
    <details class="column-choice">
      <summary class="button">Measures</summary>
      <fieldset>
        {measures.map((one) => (
          <label key={one.name} class="check">
            <input
              type="checkbox"
              checked={chosen.includes(one)}
              onChange={(event) => choose(one, event.currentTarget.checked)}
            />{" "}
            {titleOf(one)}
          </label>
        ))}
      </fieldset>
    </details>
  );
}
