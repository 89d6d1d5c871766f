// Routes follow "#", so that the same page works from a server and from a file. The query has the
// reader's settings (filter, order, page), so that a link and the back button keep them.

import { useEffect, useState } from "preact/hooks";
import { onSelection, readSelection, SELECTION_KEY, selectedTrials, setSelected } from "./selection";

export interface Route {
  parts: string[];
  query: Record<string, string>;
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decode);
  return { parts, query: Object.fromEntries(new URLSearchParams(query)) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a mistyped "%" leads to an unknown page, not to a crash
  }
}

export function href(
  parts: (string | number)[],
  query: Record<string, string | number> = {},
): string {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== "") words.set(key, String(value));
  const tail = words.toString();
  return `#/${parts.map((part) => encodeURIComponent(String(part))).join("/")}${tail ? `?${tail}` : ""}`;
}

export function sweepHref(
  sweep: string,
  section = "",
  query: Record<string, string> = {},
): string {
  return href(section ? ["sweeps", sweep, section] : ["sweeps", sweep], query);
}

export function trialHref(sweep: string, trial: number): string {
  return href(["sweeps", sweep, "trials", trial]);
}

// Marks history entries written by this page.
const OURS = "sweep";

function replace(hash: string): void {
  history.replaceState(OURS, "", hash);
}

// The selected trials at an address. An address from outside names them; links of the page and
// history entries that it left keep the reader's present selection.
export function selectionAt(route: Route, chosen: readonly string[], ours: boolean): readonly string[] {
  const named = route.query[SELECTION_KEY];
  return named === undefined || ours ? chosen : readSelection(named);
}

function withSelection(route: Route, chosen: readonly string[]): string {
  return href(route.parts, { ...route.query, [SELECTION_KEY]: chosen.join() });
}

let isLoaded = false; // after a reload only the address is known

function arrive(): Route {
  const route = parseRoute(location.hash);
  const chosen = selectionAt(route, selectedTrials(), isLoaded && history.state === OURS);
  isLoaded = true;
  setSelected(chosen);
  const target = withSelection(route, chosen);
  const isThere = (route.query[SELECTION_KEY] ?? "") === chosen.join();
  if (!isThere) replace(target);
  return parseRoute(isThere ? location.hash : target);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(arrive);
  useEffect(() => {
    const update = (): void => setRoute(arrive());
    const forget = onSelection((chosen) => {
      replace(withSelection(parseRoute(location.hash), chosen));
      setRoute(parseRoute(location.hash));
    });
    addEventListener("hashchange", update);
    return () => {
      removeEventListener("hashchange", update);
      forget();
    };
  }, []);
  return route;
}

// Changes parts of the query in place, so that typing adds no history entries.
export function setQuery(route: Route, changes: Record<string, string>): void {
  const target = href(route.parts, { ...route.query, ...changes });
  if (target === location.hash) return;
  replace(target);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
