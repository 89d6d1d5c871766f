// The log of a trial: its trainer's output between the starts, epochs and ends of attempts.

import type { EpochRow, LogsView, TrialView } from "../api";
import { outcomeText } from "../attempts";
import { measureText, titleOf } from "../measure";

export interface LogEntry {
  key: string;
  time: string;
  text: string;
  printed: boolean; // by the trainer, not an event
}

function epochText(row: EpochRow, { epochs, reported }: TrialView): string {
  const values = reported
    .filter(({ name, unit }) => name in row.values && unit !== "s")
    .map((one) => `${titleOf(one)} ${measureText(one, row.values[one.name])}`);
  return [`epoch ${row.epoch}/${epochs}`, ...values].join("  ");
}

// Times are ISO 8601 in UTC with equally many digits, so their texts sort by time. At equal times
// an attempt's start comes first and its end last.
export function trialLog(trial: TrialView, lines: LogsView["lines"]): LogEntry[] {
  const several = trial.attempts.length > 1;
  const mark = (attempt: number): string => (several ? `#${attempt} ` : "");
  const told = (key: string, time: string, text: string, printed = false): LogEntry => ({
    key,
    time,
    text,
    printed,
  });
  const entries = [
    ...trial.attempts.map((one) =>
      told(`start ${one.attempt}`, one.start_time, `attempt ${one.attempt} on ${one.worker}`),
    ),
    ...lines.map((one) =>
      told(`${one.attempt} ${one.line}`, one.time, mark(one.attempt) + one.text, true),
    ),
    ...trial.epoch_rows.map((one) =>
      told(
        `epoch ${one.attempt} ${one.epoch}`,
        one.report_time,
        mark(one.attempt) + epochText(one, trial),
      ),
    ),
    ...trial.attempts.flatMap((one) =>
      one.end_time === null
        ? []
        : [
            told(
              `end ${one.attempt}`,
              one.end_time,
              `attempt ${one.attempt} ended: ${outcomeText(one.outcome)}${one.reason ? `, ${one.reason}` : ""}`,
            ),
          ],
    ),
  ];
  return entries
    .map((entry, place) => ({ entry, place }))
    .sort((a, b) => a.entry.time.localeCompare(b.entry.time) || a.place - b.place)
    .map(({ entry }) => entry);
}
