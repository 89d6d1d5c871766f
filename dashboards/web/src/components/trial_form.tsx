// Asks for a trial by its name, SWEEP/NUMBER.

import type { JSX } from "preact";
import { splitTrial } from "../format";
import { useDraft } from "./draft";

interface Props {
  name?: string; // initial text
  action: string; // label of the button
  disabled?: boolean;
  onTrial: (name: string) => void;
}

export function TrialForm({ name = "", action, disabled = false, onTrial }: Props): JSX.Element {
  const [text, setText] = useDraft(name);
  return (
    <form
      class="where"
      onSubmit={(event) => {
        event.preventDefault();
        if (disabled || !splitTrial(text)) return;
        onTrial(text.trim());
        setText(name);
      }}
    >
      <label class="field">
        <span>trial</span>
        <input
          type="text"
          value={text}
          placeholder="mnist-994/3"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={disabled || !splitTrial(text)}>
        {action}
      </button>
    </form>
  );
}
