// Which criteria are met, and by how much the others are missed.

import type { JSX } from "preact";
import type { RankingRow } from "../api";
import { integer, number } from "../format";

type Gate = RankingRow["gates"][number];

function missedBy(gate: Gate): string {
  if (gate.missed_by <= 0) return "";
  if (gate.gate.startsWith("accuracy")) return ` by ${number(gate.missed_by * 100, 3)} pt`;
  return ` by ${gate.missed_by >= 1 ? integer(gate.missed_by) : number(gate.missed_by, 3)}`;
}

export function Gates({ gates }: { gates: Gate[] }): JSX.Element {
  return (
    <ul class="gates">
      {gates.map((gate) => (
        <li key={gate.gate} class={gate.met ? "met" : "missed"} title={gate.gate}>
          <span aria-hidden="true">{gate.met ? "✓" : "✗"}</span>
          <span class="unseen">{gate.met ? "met:" : "missed:"}</span> {gate.gate.split(" ")[0]}
          {gate.met ? "" : missedBy(gate)}
        </li>
      ))}
    </ul>
  );
}

// In a row of many: only what is missed, since the rest is the rule.
export function MissedGates({ gates }: { gates: Gate[] }): JSX.Element {
  const missed = gates.filter((gate) => !gate.met);
  if (missed.length > 0) return <Gates gates={missed} />;
  return (
    <span class="met">
      <span aria-hidden="true">✓</span> met
    </span>
  );
}
