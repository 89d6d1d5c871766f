// Light or dark: the system's choice unless the reader made one.

import { useEffect, useState } from "preact/hooks";
import { recall, remember } from "./storage";

export type Theme = "light" | "dark";

const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<(theme: Theme) => void>();

function chosen(): Theme {
  const stored = recall("theme");
  if (stored === "light" || stored === "dark") return stored;
  return dark.matches ? "dark" : "light";
}

let theme: Theme = chosen();

function apply(next: Theme): void {
  theme = next;
  document.documentElement.dataset.theme = next;
  for (const listener of listeners) listener(next);
}

export function startTheme(): void {
  dark.addEventListener("change", () => apply(chosen()));
  apply(theme);
}

export function toggleTheme(): void {
  const next = theme === "dark" ? "light" : "dark";
  remember("theme", next);
  apply(next);
}

export function useTheme(): Theme {
  const [current, set] = useState(theme);
  useEffect(() => {
    listeners.add(set);
    return () => void listeners.delete(set);
  }, []);
  return current;
}
