// Which regions a page shows: for what share of runs, and of which network.

import type { RegionView } from "../api";
import type { Route } from "../router";

// Of the runs, that are to meet the criteria. A report has that of the coordinator's default only.
export const SHARES = ["0.8", "0.9", "0.95", "0.99"];
export const DEFAULT_SHARE = "0.9";

export function chosenShare(route: Route): string {
  const { share = "" } = route.query;
  return SHARES.includes(share) ? share : DEFAULT_SHARE;
}

// One box: of the sweep, or of one of its networks, which then needs no range of networks.
export interface Box {
  model: string; // "" of the sweep
  view: RegionView;
}

export function boxesOf(view: RegionView): Box[] {
  if (view.networks.length === 0) return [{ model: "", view }];
  const isOwn = ({ name }: { name: string }): boolean => name !== "model";
  return view.networks.map(({ model, ...region }) => ({
    model,
    view: {
      ...view,
      ...region,
      // The model has learned from those of all.
      runs: view.runs,
      configurations: view.configurations,
      ranges: region.ranges.filter(isOwn),
      slices: region.slices.filter(isOwn),
    },
  }));
}
