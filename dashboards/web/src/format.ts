// Numbers, times and words as the pages show them. A missing value is an en dash.

import type { Value } from "./api";

export const NONE = "–";
export type Maybe = number | null | undefined;

function finite(value: Maybe): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

const MOST_DECIMALS = 7;
const grouped = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

export function integer(value: Maybe): string {
  return finite(value) ? grouped.format(value) : NONE;
}

const MOST_DIGITS = 4;

// In percent, without the sign. Rounds neither an incomplete share to 100 nor a positive one to 0.
function share(value: number, digits: number): string {
  const text = (value * 100).toFixed(digits);
  const isLie = (value < 1 && Number(text) >= 100) || (value > 0 && Number(text) <= 0);
  if (!isLie) return text;
  if (digits < MOST_DIGITS) return share(value, digits + 1);
  return value > 0.5 ? "> 99.9999" : "< 0.0001";
}

// 0.9948 → "99.48 %"
export function percent(value: Maybe, digits = 2): string {
  return finite(value) ? `${share(value, digits)} %` : NONE;
}

// "1.00e-7" → "1e-7"
function exponential(value: number, digits: number): string {
  return value.toExponential(digits).replace(/\.?0+e/, "e");
}

// Three significant digits, enough for comparing losses and rates.
export function number(value: Maybe, digits = 4): string {
  if (!finite(value)) return NONE;
  if (value === 0 || Number.isInteger(value))
    return Math.abs(value) < 1e9 ? String(value) : exponential(value, 2);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return exponential(value, 2);
  const rounded = Number(value.toPrecision(digits));
  // 0.999999 must not become 1 when every digit may count.
  if (size < 10 && Number.isInteger(rounded) && digits < MOST_DECIMALS)
    return number(value, digits + 1);
  return String(rounded);
}

function decimalsOf(value: number): number {
  const [digits = "", exponent = "0"] = String(value).split("e");
  return Math.max(0, (digits.split(".")[1]?.length ?? 0) - Number(exponent));
}


// The format of a column of numbers: the same number of decimals in every row, so that the points
// align. Enough for `digits` of the smallest number and to distinguish all, but no more than any of
// them has. Values below `floor` are not compared digit by digit.
export function aligned(values: Maybe[], digits = 4, floor = 0): (value: Maybe) => string {
  const numbers = values.filter(finite);
  const sizes = numbers.map(Math.abs);
  const least = Math.max(floor, Math.min(...sizes.filter((size) => size > 0)));
  const wanted = Number.isFinite(least) ? digits - 1 - Math.floor(Math.log10(least)) : 0;
  const most = Math.max(0, ...sizes.map(decimalsOf));
  let decimals = Math.min(Math.max(0, wanted), most);
  const different = new Set(numbers).size;
  const told = (): number => new Set(numbers.map((value) => value.toFixed(decimals))).size;
  while (decimals < Math.min(most, MOST_DECIMALS) && told() < different) decimals += 1;
  const long = decimals > MOST_DECIMALS || Math.max(0, ...sizes) >= 1e9;
  return (value) => {
    if (!finite(value)) return NONE;
    const text = value.toFixed(decimals);
    const vanishes = value !== 0 && Number(text) === 0;
    return long || vanishes ? value.toExponential(digits - 1) : text;
  };
}

// "1 trial", "2 trials"
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${integer(count)} ${count === 1 ? one : many}`;
}

// For shares, "99.32–99.60"; NONE without evaluated images.
export function intervalText(interval: [number, number] | null): string {
  if (!interval || interval[1] <= interval[0]) return NONE;
  return interval.map((end) => share(end, 2)).join("–");
}

export function valueText(value: Value | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  return typeof value === "number" ? number(value, 5) : visible(String(value));
}

export function seconds(value: Maybe): string {
  if (!finite(value)) return NONE;
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 60) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}

const sizes = ["B", "kB", "MB", "GB"];
export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < sizes.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(size < 10 ? 1 : 0)} ${sizes[unit]}`;
}

const dateAndTime = new Intl.DateTimeFormat("en-GB", {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
// In the reader's time zone: "2026-11-25 16:40:02".
export function time(text: string | null | undefined): string {
  if (!text) return NONE;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return NONE;
  const part: Record<string, string> = {};
  for (const { type, value } of dateAndTime.formatToParts(date)) part[type] = value;
  return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}:${part.second}`;
}

const zones = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });
// The reader's time zone at that time: "CET", "GMT+8".
export function zone(text?: string | null): string {
  const date = text ? new Date(text) : new Date();
  if (Number.isNaN(date.getTime())) return "";
  return zones.formatToParts(date).find((part) => part.type === "timeZoneName")?.value ?? "";
}

// For a time that stands alone: "2026-11-25 16:40:02 CET".
export function timeWithZone(text: string | null | undefined): string {
  const shown = time(text);
  return shown === NONE ? shown : `${shown} ${zone(text)}`;
}

export function elapsed(from: string | null, to: string | null, now = Date.now()): string {
  if (!from) return NONE;
  const end = to ? new Date(to).getTime() : now;
  return seconds(Math.max(0, (end - new Date(from).getTime()) / 1000));
}

// Control and format characters, line separators and fillers, as escaped on the terminal
// (common/base/printable.cc). Keeps line feeds and tabs.
const UNPRINTABLE =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\uffa0]/gu;

// Escapes characters that would turn the direction of writing or be invisible.
export function visible(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    if (character === "\n" || character === "\t") return character;
    const point = character.codePointAt(0) ?? 0;
    const hex = (digits: number): string => point.toString(16).padStart(digits, "0");
    if (point < 0x100) return `\\x${hex(2)}`;
    return point < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
  });
}

// Shortens text for plots and their tables, which cannot hold 10,000 characters. Counts code
// points, so that no character is cut.
export function shorten(whole: string, length = 60): string {
  const text = visible(whole);
  if (text.length <= length) return text;
  const points = Array.from(text.slice(0, length * 2 + 2));
  return points.length <= length ? text : `${points.slice(0, length - 1).join("")}…`;
}

// Orders numbers by size, words by alphabet, and missing values last in both directions.
export function compareValues(a: unknown, b: unknown, descending = false): number {
  const aMissing = a === null || a === undefined;
  const bMissing = b === null || b === undefined;
  if (aMissing || bMissing) return Number(aMissing) - Number(bMissing);
  const sign = descending ? -1 : 1;
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  return sign * String(a).localeCompare(String(b), "en", { numeric: true });
}

// Splits "NAME/12"; a sweep's name has no slash.
export function splitTrial(text: string): { sweep: string; trial: number } | null {
  const match = /^([^/]+)\/(\d+)$/.exec(text.trim());
  return match?.[1] && match[2] ? { sweep: match[1], trial: Number(match[2]) } : null;
}
