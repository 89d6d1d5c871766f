// Which gates are met, and by how much the others are missed.

import type { JSX } from "preact";
import type { Measure, RankingRow } from "../api";
import { integer, number } from "../format";
import { findMeasure, SHARE } from "../measure";

type Gate = RankingRow["gates"][number];

function missedBy(gate: Gate, measures: Measure[]): string {
  if (gate.missed_by <= 0) return "";
  if (findMeasure(measures, gate.gate.split(" ")[0] ?? "").unit === SHARE) return ` by ${number(gate.missed_by * 100, 3)} pt`;
  return ` by ${gate.missed_by >= 1 ? integer(gate.missed_by) : number(gate.missed_by, 3)}`;
}

interface Props {
  gates: Gate[];
  measures: Measure[]; // that gates may refer to
}

export function Gates({ gates, measures }: Props): JSX.Element {
  return (
    <ul class="gates">
      {gates.map((gate) => (
        <li key={gate.gate} class={gate.met ? "met" : "missed"} title={gate.gate}>
          <span aria-hidden="true">{gate.met ? "✓" : "✗"}</span>
          <span class="unseen">{gate.met ? "met:" : "missed:"}</span> {gate.gate.split(" ")[0]}
          {gate.met ? "" : missedBy(gate, measures)}
        </li>
      ))}
    </ul>
  );
}

// For a row among many: shows only missed gates, since most are met.
export function MissedGates({ gates, measures }: Props): JSX.Element {
  const missed = gates.filter((gate) => !gate.met);
  if (missed.length > 0) return <Gates gates={missed} measures={measures} />;
  return (
    <span class="met">
      <span aria-hidden="true">✓</span> met
    </span>
  );
}
