// What is being typed into a field, until it is sent or replaced from outside.

import { useState, type StateUpdater, type Dispatch } from "preact/hooks";

// `value` when it changes, and in between what was set. Set while drawing: an effect comes after the
// first frame, and would take away what was typed by then.
export function useDraft(value: string): [string, Dispatch<StateUpdater<string>>] {
  const [text, setText] = useState(value);
  const [known, setKnown] = useState(value);
  if (value !== known) {
    setKnown(value);
    setText(value);
    return [value, setText];
  }
  return [text, setText];
}
