// Chooses how the axes of measures are drawn: logarithmic (of the error) or linear, and the lower
// end for shares. The choice applies to all plots and is remembered.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Measure } from "../api";
import { titleOf } from "../measure";
import { canBeLog, isByError, type ScaleKind } from "../plots/metric_scale";
import { recall, remember } from "../storage";
import { Segments } from "./basics";

export interface ScaleChoice {
  scale: ScaleKind;
  floor: number;
}

const FLOORS = [
  { value: "0", label: "all" },
  { value: "0.9", label: "90 %" },
  { value: "0.98", label: "98 %" },
  { value: "0.99", label: "99 %" },
];

function recalled(): ScaleChoice {
  const floor = recall("floor");
  return {
    scale: recall("scale") === "linear" ? "linear" : "log",
    floor: FLOORS.some(({ value }) => value === floor) ? Number(floor) : 0,
  };
}

let choice = recalled();
const listeners = new Set<(choice: ScaleChoice) => void>();
function change(next: ScaleChoice): void {
  choice = next;
  remember("scale", next.scale);
  remember("floor", String(next.floor));
  for (const listener of listeners) listener(next);
}

export function useScale(): ScaleChoice {
  const [current, set] = useState(choice);
  useEffect(() => {
    listeners.add(set);
    return () => void listeners.delete(set);
  }, []);
  return current;
}

// The choices that apply to plots of these measures.
export function ScaleControls({ measures }: { measures: Measure[] }): JSX.Element {
  const { scale, floor } = useScale();
  const share = measures.find((one) => isByError([one]));
  return (
    <>
      {measures.some(canBeLog) && (
        <Segments
          legend="axis"
          value={scale}
          onChange={(value) => change({ scale: value, floor })}
          options={[
            { value: "log", label: share ? "log of error" : "log" },
            { value: "linear", label: "linear" },
          ]}
        />
      )}
      {share && (
        <Segments
          legend={`${titleOf(share)} from`}
          value={String(floor)}
          onChange={(value) => change({ scale, floor: Number(value) })}
          options={FLOORS}
        />
      )}
    </>
  );
}
