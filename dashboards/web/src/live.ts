// Documents that stay fresh: requests every document of the page again while the tab is visible,
// and passes an answer on only when it differs.

import { useEffect, useRef, useState } from "preact/hooks";
import { RequestError } from "./request_error";
import { source } from "./source";

const PERIOD_MS = 2000;
const LONGEST_PAUSE_MS = 30000;

export interface Live<T> {
  data: T | undefined;
  error: RequestError | undefined; // a refusal; `data` stays while the coordinator is silent
  waiting: boolean; // `data` is still the old path's, until the new one arrives
  refresh: () => void;
}

// The state of the connection, for the banner: the documents whose last request failed.
type Listener = (unreachable: boolean) => void;
const failing = new Set<string>();
const listeners = new Set<Listener>();
function setFailing(path: string, fails: boolean): void {
  const before = failing.size > 0;
  if (fails) failing.add(path);
  else failing.delete(path);
  const after = failing.size > 0;
  if (before !== after) for (const listener of listeners) listener(after);
}

export function useUnreachable(): boolean {
  const [unreachable, set] = useState(failing.size > 0);
  useEffect(() => {
    listeners.add(set);
    return () => void listeners.delete(set);
  }, []);
  return unreachable;
}

// Doubles after every failure; random within its upper half, so that pages do not return in step
// after a restart.
export function pauseAfter(failures: number, random = Math.random()): number {
  if (failures === 0) return PERIOD_MS;
  return Math.min(LONGEST_PAUSE_MS, PERIOD_MS * 2 ** failures) * (0.5 + random / 2);
}

// Requests one path again and again until stopped.
class Poller {
  private version = "";
  private failures = 0;
  private pause = 0; // requested by the server; 0: use pauseAfter
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;
  private asking = false;

  constructor(
    private readonly path: string,
    private readonly once: boolean,
    private readonly onData: (document: unknown) => void,
    private readonly onError: (error: RequestError | undefined) => void,
  ) {
    document.addEventListener("visibilitychange", this.onVisible);
    this.ask();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onVisible);
    setFailing(this.path, false);
  }

  readonly ask = (): void => {
    clearTimeout(this.timer);
    if (!this.asking) void this.fetch();
  };

  private readonly onVisible = (): void => {
    if (document.visibilityState !== "visible") clearTimeout(this.timer);
    else if (!this.once || this.failures > 0) this.ask();
  };

  private async fetch(): Promise<void> {
    this.asking = true;
    try {
      const answer = await source.get(this.path, this.version);
      if (this.stopped) return;
      this.failures = 0;
      this.pause = 0;
      if (answer) {
        this.version = answer.version;
        this.onData(answer.document);
      }
      this.onError(undefined);
      setFailing(this.path, false);
    } catch (error) {
      if (this.stopped) return;
      this.fail(error);
    } finally {
      this.asking = false;
    }
    const done = this.once && this.failures === 0;
    if (!done && document.visibilityState === "visible") {
      this.timer = setTimeout(this.ask, this.pause || pauseAfter(this.failures));
    }
  }

  private fail(error: unknown): void {
    const known = error instanceof RequestError ? error : new RequestError(String(error), 0);
    this.failures += 1;
    this.pause = known.busy ? known.retrySeconds * 1000 || PERIOD_MS : 0;
    setFailing(this.path, known.unreachable);
    if (known.busy || known.unreachable) return;
    this.version = ""; // the page drops its data, so an equal answer is news
    this.onError(known);
  }
}

interface Kept<T> {
  path: string;
  data: T | undefined;
  error: RequestError | undefined;
}

// `path` "" requests nothing. With `keep`, the old document stays visible until the new path's
// arrives, as for a table that is re-sorted.
export function useLive<T>(
  path: string,
  options: { once?: boolean; keep?: boolean } = {},
): Live<T> {
  const { once = false, keep = false } = options;
  const [kept, setKept] = useState<Kept<T>>({ path, data: undefined, error: undefined });
  const poller = useRef<Poller>();
  useEffect(() => {
    if (path === "") return;
    const current = new Poller(
      path,
      once,
      (document) => setKept({ path, data: document as T, error: undefined }),
      (error) =>
        setKept((old) => {
          if (old.path === path && old.error === error) return old;
          return { path, data: old.path === path && !error ? old.data : undefined, error };
        }),
    );
    poller.current = current;
    return () => current.stop();
  }, [path, once]);
  const fresh = kept.path === path && path !== "";
  return {
    data: fresh || (keep && path !== "") ? kept.data : undefined,
    error: fresh ? kept.error : undefined,
    waiting: keep && path !== "" && !fresh,
    refresh: () => poller.current?.ask(),
  };
}
