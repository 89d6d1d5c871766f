import { expect, it } from "vitest";
import {
  aligned,
  bytes,
  compareValues,
  elapsed,
  integer,
  intervalText,
  number,
  percent,
  plural,
  seconds,
  shorten,
  splitTrial,
  time,
  timeWithZone,
  valueText,
  visible,
} from "./format";

it("shows what is missing or not finite as a dash", () => {
  for (const show of [integer, percent, number, seconds]) {
    for (const value of [null, undefined, NaN, Infinity, -Infinity]) expect(show(value)).toBe("–");
  }
  expect(valueText(null)).toBe("–");
  expect(time(null)).toBe("–");
  expect(time("no time")).toBe("–");
  expect(elapsed(null, null)).toBe("–");
});

it("shows numbers as a person compares them", () => {
  expect(percent(0.9948)).toBe("99.48 %");
  expect(integer(18718)).toBe("18,718");
  expect(number(0.014567)).toBe("0.01457");
  expect(number(0.00001234)).toBe("1.23e-5");
  expect(number(1e-7)).toBe("1e-7");
  expect(number(2.5e8 + 0.5)).toBe("2.5e+8");
  expect(number(64)).toBe("64");
  expect(valueText(true)).toBe("true");
  expect(bytes(81234)).toBe("81 kB");
  expect(bytes(999)).toBe("999 B");
});

it("never says all of what is nearly all, or nothing of what is little", () => {
  expect(percent(1)).toBe("100.00 %");
  expect(percent(0)).toBe("0.00 %");
  expect(percent(0.99999)).toBe("99.999 %");
  expect(percent(0.99995)).toBe("99.995 %");
  expect(percent(0.000004)).toBe("0.0004 %");
  expect(percent(1 - 1e-9)).toBe("> 99.9999 %");
  expect(percent(1e-9)).toBe("< 0.0001 %");
  expect(number(0.999999)).toBe("0.999999");
  expect(valueText(0.99999)).toBe("0.99999");
  expect(intervalText([0.99996, 1])).toBe("99.996–100.00");
});

it("shows what would turn or hide text", () => {
  expect(visible("a\u202eb\u0007\n\tc\u200b")).toBe("a\\u202eb\\x07\n\tc\\u200b");
  expect(visible("ünïcødé 数字 🙂")).toBe("ünïcødé 数字 🙂");
  expect(visible("\u{e0001}")).toBe("\\U000e0001");
  expect(shorten("x\u202ey")).toBe("x\\u202ey");
  expect(valueText("x\u202ey")).toBe("x\\u202ey");
});

it("shows times in units that fit", () => {
  expect(seconds(0.25)).toBe("250 ms");
  expect(seconds(4.25)).toBe("4.3 s");
  expect(seconds(1234)).toBe("21 min");
  expect(seconds(9000)).toBe("2 h 30 min");
  expect(seconds(400000)).toBe("5 days");
  expect(elapsed("2026-11-25T16:00:00Z", "2026-11-25T16:05:00Z")).toBe("5 min");
});

it("shortens by characters, never through one", () => {
  expect(shorten("abc", 3)).toBe("abc");
  expect(shorten("x".repeat(10000), 10)).toBe("xxxxxxxxx…");
  expect(shorten("😀😀😀😀", 3)).toBe("😀😀…");
  expect(shorten("😀😀", 2)).toBe("😀😀");
});

it("orders numbers by size, words by alphabet, what is missing last", () => {
  for (const descending of [false, true]) {
    const sorted = [null, 10, 9].sort((a, b) => compareValues(a, b, descending));
    expect(sorted).toEqual(descending ? [10, 9, null] : [9, 10, null]);
  }
  expect(["b", "a10", "a9"].sort((a, b) => compareValues(a, b))).toEqual(["a9", "a10", "b"]);
});

it("takes a trial's name apart", () => {
  expect(splitTrial(" mnist-994/12 ")).toEqual({ sweep: "mnist-994", trial: 12 });
  for (const wrong of ["", "a", "a/", "/1", "a/b", "a/1/2"]) expect(splitTrial(wrong)).toBeNull();
});

it("writes a column with the points below each other", () => {
  const column = (values: (number | null)[]): string[] => values.map(aligned(values));
  expect(column([0.0029757, 0.029244, 0.097767])).toEqual(["0.002976", "0.029244", "0.097767"]);
  expect(column([0.05, 0.1, 0.2])).toEqual(["0.05", "0.10", "0.20"]);
  expect(column([16, 32, null])).toEqual(["16", "32", "–"]);
  expect(column([0, 0.5, 12.25])).toEqual(["0.00", "0.50", "12.25"]);
  expect(column([1e-9, 1])).toEqual(["1.000e-9", "1.000e+0"]);
  expect(column([])).toEqual([]);
});

it("counts one as one", () => {
  expect(plural(1, "trial")).toBe("1 trial");
  expect(plural(1200, "trial")).toBe("1,200 trials");
});

it("says in which zone a time is that stands alone", () => {
  expect(timeWithZone("2026-11-25T16:40:02Z")).toMatch(/^2026-11-2\d \d\d:\d\d:02 \S+$/);
  expect(timeWithZone(null)).toBe("–");
});

it("tells values of a column apart, and writes losses without exponents", () => {
  const quality = [0.5, 0.9, 0.99999, 1];
  expect(quality.map(aligned(quality))).toEqual(["0.50000", "0.90000", "0.99999", "1.00000"]);
  const losses = [1.0001 - 1, 0.08344, 0.1751, 2e-9];
  expect(losses.map(aligned(losses, 4, 1e-3))).toEqual(["0.000100", "0.083440", "0.175100", "2.000e-9"]);
});
