// Routes live behind "#", so that the same page works from a server and from a file. The query
// holds what a reader has set (filter, order, page), so that a link and the back button keep it.

import { useEffect, useState } from "preact/hooks";

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

export function sweepHref(sweep: string, section = ""): string {
  return href(section ? ["sweeps", sweep, section] : ["sweeps", sweep]);
}

export function trialHref(sweep: string, trial: number): string {
  return href(["sweeps", sweep, "trials", trial]);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const update = (): void => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", update);
    return () => removeEventListener("hashchange", update);
  }, []);
  return route;
}

// Changes parts of the query in place. What was typed step by step is one step back.
export function setQuery(route: Route, changes: Record<string, string>): void {
  const target = href(route.parts, { ...route.query, ...changes });
  if (target === location.hash) return;
  history.replaceState(null, "", target);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
