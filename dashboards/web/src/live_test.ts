import { expect, it } from "vitest";
import { pauseAfter } from "./live";

it("asks every two seconds, and backs off to half a minute when it fails", () => {
  expect(pauseAfter(0, 0.5)).toBe(2000);
  const least = [1, 2, 3, 4, 10].map((failures) => pauseAfter(failures, 0));
  const most = [1, 2, 3, 4, 10].map((failures) => pauseAfter(failures, 1));
  expect(least).toEqual([2000, 4000, 8000, 15000, 15000]);
  expect(most).toEqual([4000, 8000, 16000, 30000, 30000]);
});
