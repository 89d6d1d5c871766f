// The numbers behind a plot, for readers who cannot see it or want exact values.

export interface PlotTable {
  columns: string[];
  rows: string[][];
}

export const MOST_ROWS = 500;
