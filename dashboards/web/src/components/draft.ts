// The text being typed into a field, until it is sent or replaced from outside.

import { useState, type StateUpdater, type Dispatch } from "preact/hooks";

// Starts as `value` and keeps what was typed until `value` changes. Set while rendering: an effect
// would run after the first frame and discard text typed by then.
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
