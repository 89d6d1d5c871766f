// The style sheet's colours, for plots. The style sheet alone defines them.

export interface Palette {
  ink: string;
  muted: string;
  line: string;
  surface: string;
  accent: string;
  target: string;
  good: string;
  bad: string;
  held: string;
  live: string;
  series: string[]; // distinguishable for colour-blind readers too
  sequence: string[]; // from low to high
}

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: colour("ink"),
    muted: colour("muted"),
    line: colour("line"),
    surface: colour("surface"),
    accent: colour("accent"),
    target: colour("target"),
    good: colour("good"),
    bad: colour("bad"),
    held: colour("held"),
    live: colour("live"),
    series: [1, 2, 3, 4, 5, 6].map((n) => colour(`series-${n}`)),
    sequence: [1, 2, 3, 4, 5].map((n) => colour(`sequence-${n}`)),
  };
}
