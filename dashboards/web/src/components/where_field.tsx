// A filter as an expression, docs/expressions.md.

import type { JSX } from "preact";
import { setQuery, type Route } from "../router";
import { useDraft } from "./draft";

// Sends the filter on Enter or when the field loses focus, since half an expression is an error.
// Absent in a report, which has no server to filter.
export function WhereField({ route }: { route: Route }): JSX.Element | null {
  const { where: value = "" } = route.query;
  const [text, setText] = useDraft(value);
  if (__REPORT__) return null;
  const onChange = (where: string): void => setQuery(route, { where, offset: "" });
  return (
    <form
      class="where"
      onSubmit={(event) => {
        event.preventDefault();
        onChange(text.trim());
      }}
    >
      <label class="field grow">
        <span>where</span>
        <input
          type="text"
          value={text}
          spellcheck={false}
          autocomplete="off"
          placeholder="best >= 0.9 and lr < 0.1"
          onInput={(event) => setText(event.currentTarget.value)}
          onBlur={() => text.trim() !== value && onChange(text.trim())}
        />
      </label>
      <button type="submit">Filter</button>
      {value !== "" && (
        <button type="button" onClick={() => onChange("")}>
          Clear
        </button>
      )}
    </form>
  );
}
