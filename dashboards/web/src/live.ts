// Documents that stay fresh: every document on the page is asked for again while the tab is seen,
// and the answer reaches the page only when it differs.

import { useEffect, useRef, useState } from "preact/hooks";
import { RequestError } from "./request_error";
import { source } from "./source";

const PERIOD_MS = 2000;
const LONGEST_PAUSE_MS = 30000;

export interface Live<T> {
  data: T | undefined;
  error: RequestError | undefined; // a refusal; when the coordinator is silent, `data` stays
  waiting: boolean; // `data` is the old path's, kept in sight until the new one's comes
  refresh: () => void;
}

// The connection as a whole, for the banner: how many documents could not be fetched just now.
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

// Twice as long after every failure, within its upper half at random, so that pages do not come back
// in step after a restart.
export function pauseAfter(failures: number, random = Math.random()): number {
  if (failures === 0) return PERIOD_MS;
  return Math.min(LONGEST_PAUSE_MS, PERIOD_MS * 2 ** failures) * (0.5 + random / 2);
}

// Asks for one path again and again until it is stopped.
class Poller {
  private version = "";
  private failures = 0;
  private pause = 0; // as the server asked for; 0: as pauseAfter says
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
    this.version = ""; // the page drops what it has: the next answer is news even if it is the same
    this.onError(known);
  }
}

interface Kept<T> {
  path: string;
  data: T | undefined;
  error: RequestError | undefined;
}

// `path` "" asks for nothing. With `keep`, the old document stays in sight until the new path's
// has come, as a table does that is sorted anew.
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
