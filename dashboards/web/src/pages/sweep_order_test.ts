import { expect, it } from "vitest";
import type { SweepSummary } from "../api";
import { inOrder } from "./sweep_order";

const sweeps = [
  { name: "b10", create_time: "2026-01-03T00:00:00.000Z", best_value: 0.9, metric: "accuracy", seconds_left: null },
  { name: "b9", create_time: "2026-01-02T00:00:00.000Z", best_value: 0.3, metric: "loss", seconds_left: 5 },
  { name: "a", create_time: "2026-01-01T00:00:00.000Z", best_value: 0.95, metric: "accuracy", seconds_left: 60 },
] as SweepSummary[];
const names = (sort: string): string => inOrder(sweeps, sort).map(({ name }) => name).join();

it("orders sweeps by what a column shows, and what is not known last", () => {
  expect(names("")).toBe("b10,b9,a");
  expect(names("submitted")).toBe("a,b9,b10");
  expect(names("name")).toBe("a,b9,b10");
  expect(names("left desc")).toBe("a,b9,b10");
  expect(names("left")).toBe("b9,a,b10");
  expect(names("nonsense")).toBe("b10,b9,a");
});

it("does not hold a loss against an accuracy", () => {
  expect(names("best desc")).toBe("a,b10,b9");
  expect(names("best")).toBe("b10,a,b9");
});
