// The source of documents: the coordinator that served the page, or the report that contains it.

import type { ApiError } from "./api";
import { reportDocuments, reportSource, reportTime } from "./report";
import { RequestError } from "./request_error";

export interface Answer {
  document: unknown;
  version: string; // equal versions mean equal documents; "" when unknown
}

export interface DocumentSource {
  // `known` is the caller's version: the answer is null when nothing has changed.
  get(path: string, known: string): Promise<Answer | null>;
}

async function errorOf(response: Response): Promise<RequestError> {
  const text = await response.text();
  const again = Number(response.headers.get("retry-after")) || 0;
  try {
    const body = JSON.parse(text) as Partial<ApiError>;
    if (body.error?.message) return new RequestError(body.error.message, response.status, again);
  } catch {
    // Not JSON: a proxy answered instead of the coordinator.
  }
  return new RequestError(
    `the server answered ${response.status} ${response.statusText}`.trim(),
    response.status,
  );
}

export async function request(path: string, options: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(besidePage(path), { ...options, credentials: "same-origin" });
  } catch {
    throw new RequestError("coordinator unreachable", 0);
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

// Makes paths relative to the page, which a proxy may have put below a prefix.
export function besidePage(path: string): string {
  return path.replace(/^\//, "./");
}

// A dead machine never answers; the browser alone would wait for minutes.
const LONGEST_WAIT_MS = 15000;

const serverSource: DocumentSource = {
  async get(path, known) {
    // "no-cache" asks the server each time, but a 304 uses the browser's cache.
    const response = await request(path, {
      cache: "no-cache",
      signal: AbortSignal.timeout(LONGEST_WAIT_MS),
    });
    const version = response.headers.get("etag") ?? "";
    if (version !== "" && version === known) return null;
    return { document: await response.json(), version };
  },
};

export const source: DocumentSource = __REPORT__ ? reportSource() : serverSource;

function requestId(): string {
  // randomUUID exists only on secure origins, and a coordinator's page may come over plain HTTP.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

// Makes a change; see "Actions" in api.ts.
export async function act(path: string, body: Record<string, boolean>): Promise<void> {
  await request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...body, request_id: requestId() }),
  });
}

const MOST_TRIES = 10;

// Retries while the server is busy with other downloads.
export async function fetchBytes(path: string): Promise<ArrayBuffer> {
  for (let tries = 1; ; tries += 1) {
    try {
      const response = await request(path, { cache: "no-cache" });
      return await response.arrayBuffer();
    } catch (error) {
      if (!(error instanceof RequestError && error.busy) || tries === MOST_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, (error.retrySeconds || 1) * 1000));
    }
  }
}

// The present, to which durations of running trials are counted.
export function now(): number {
  return __REPORT__ ? reportTime(reportDocuments()) : Date.now();
}

// "/api/sweeps/a%20b?limit=5": escapes every part and omits empty values.
export function apiPath(
  parts: (string | number)[],
  query: Record<string, string | number> = {},
): string {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== "") words.set(key, String(value));
  }
  const tail = words.toString();
  return (
    ["/api", ...parts.map((part) => encodeURIComponent(String(part)))].join("/") +
    (tail ? `?${tail}` : "")
  );
}
