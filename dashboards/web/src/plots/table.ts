// The numbers behind a plot, for readers who cannot see it and for those who want them exact.

export interface PlotTable {
  columns: string[];
  rows: string[][];
}

export const MOST_ROWS = 500;
