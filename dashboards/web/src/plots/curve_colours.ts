// The colours of learning curves: by rank, or by the value of a hyperparameter.

import type { CurvesView, Dimension, Measure, Value } from "../api";
import { bestIn, signOf } from "../measure";
import type { Palette } from "./palette";
import { position } from "./points";

export const BY_RANK = ""; // no hyperparameter has this name

export interface Colouring {
  dimension: Dimension | null; // null: by rank
  values: Map<number, Value | null>; // of that hyperparameter, by trial
}

export interface CurveStyle {
  colour: string;
  dash: "solid" | "dashed" | "dotted";
}

const DASHES = ["solid", "dashed", "dotted"] as const;

// The dash of the curve at this position, for readers who cannot distinguish colours.
export function dashOf(place: number): CurveStyle["dash"] {
  return DASHES[Math.floor(place / 2) % DASHES.length] ?? "solid";
}

// The style of the category at this position; dashes distinguish categories beyond the number of
// colours.
export function categoryStyle(palette: Palette, place: number): CurveStyle {
  const colours = palette.series;
  return {
    colour: colours[place % colours.length] ?? palette.accent,
    dash: DASHES[Math.floor(place / colours.length) % DASHES.length] ?? "solid",
  };
}

// A colour of the ramp, without its palest, which is invisible in a thin line.
export function rampColour(palette: Palette, share: number): string {
  const steps = palette.sequence.slice(1);
  const at = Math.min(1, Math.max(0, share)) * (steps.length - 1);
  const below = Math.floor(at);
  return mix(steps[below] ?? palette.accent, steps[below + 1] ?? steps[below] ?? "", at - below);
}

function mix(from: string, to: string, share: number): string {
  const parse = (text: string): number[] =>
    [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16));
  const [a, b] = [parse(from), parse(to)];
  if ([...a, ...b].some((channel) => !Number.isFinite(channel))) return from;
  return `#${a
    .map((channel, i) =>
      Math.round(channel + ((b[i] ?? channel) - channel) * share)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}

// The curves from worst to best, so that the best are drawn on top.
export function fromWorst(curves: CurvesView, measure: Measure): CurvesView["curves"] {
  const key = (curve: CurvesView["curves"][number]): number => {
    const best = bestIn(curve.values, measure);
    return best === null ? -Infinity : signOf(measure) * best;
  };
  return [...curves.curves].sort((a, b) => key(a) - key(b) || b.trial - a.trial);
}

// The style of the curve at `place` of `count` from worst to best.
export function styleOf(
  trial: number,
  place: number,
  count: number,
  colouring: Colouring,
  palette: Palette,
): CurveStyle {
  const { dimension, values } = colouring;
  if (!dimension)
    return { colour: rampColour(palette, count < 2 ? 1 : place / (count - 1)), dash: "solid" };
  const at = position(dimension, values.get(trial) ?? null);
  if (at === null) return { colour: palette.muted, dash: "dotted" };
  if (dimension.kind === "category") return categoryStyle(palette, at);
  return { colour: rampColour(palette, shareOf(dimension, at)), dash: "solid" };
}

// The position of a number between the ends of its search space.
function shareOf(dimension: Dimension, value: number): number {
  const { min, max } = dimension;
  if (min === null || max === null || !(max > min)) return 0.5;
  if (dimension.kind === "log" && min > 0) return Math.log(value / min) / Math.log(max / min);
  return (value - min) / (max - min);
}
