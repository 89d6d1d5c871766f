// Routes live behind "#", so that the same page works from a server and from a file. The query
// holds what a reader has set (filter, order, page), so that a link and the back button keep it.

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
    return part; // a mistyped "%": no such page then, but no crash
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

// Of entries of the history that this page has written.
const OURS = "sweep";

function replace(hash: string): void {
  history.replaceState(OURS, "", hash);
}

// Which trials are chosen at an address: those that it names, when it comes from outside; those that
// the reader has chosen, when it is one of the page's links or an entry that the page has left.
export function selectionAt(route: Route, chosen: readonly string[], ours: boolean): readonly string[] {
  const named = route.query[SELECTION_KEY];
  return named === undefined || ours ? chosen : readSelection(named);
}

function withSelection(route: Route, chosen: readonly string[]): string {
  return href(route.parts, { ...route.query, [SELECTION_KEY]: chosen.join() });
}

let isLoaded = false; // a page that is loaded again knows no more than its address

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

// Changes parts of the query in place. What was typed step by step is one step back.
export function setQuery(route: Route, changes: Record<string, string>): void {
  const target = href(route.parts, { ...route.query, ...changes });
  if (target === location.hash) return;
  replace(target);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
