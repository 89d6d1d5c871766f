import { describe, expect, it } from "vitest";
import { answer } from "../fixtures/answers";
import type { RankingView, TrialsView } from "./api";
import { findMeasure } from "./measure";
import {
  leftOut,
  lookUp,
  readDocuments,
  reportedMeasures,
  reportedSweep,
  reportTime,
  type Documents,
  whatIsMissing,
} from "./report";

const hostile = "</script><script>alert(1)</script><!--";

describe("a report's documents", () => {
  it("are read from text with every < escaped", () => {
    const text = JSON.stringify({ "/api/x": hostile }).replace(/</g, "\\u003c");
    expect(text).not.toContain("<");
    expect(readDocuments(text)["/api/x"]).toBe(hostile);
  });

  it("say how a report has more trials", () => {
    expect(whatIsMissing("/api/sweeps/night/trials/12")).toBe(
      "this report does not have it; sweep report night --details N has the best N trials",
    );
    expect(whatIsMissing("/api/workers")).toBe("this report does not have it");
  });

  it("are refused when they are no object", () => {
    for (const text of ["[]", "null", "3", "{", ""]) expect(() => readDocuments(text)).toThrow();
  });

  it("name their sweep", () => {
    expect(reportedSweep({ "/api/sweeps/a%20b/ranking": {}, "/api/sweeps/a%20b": {} })).toBe("a b");
    expect(reportedSweep({})).toBe("");
  });

  it("say when it was written", () => {
    expect(reportTime({ "/api/report": { time: "2026-11-27T18:00:00Z", version: "1" } })).toBe(
      Date.UTC(2026, 10, 27, 18),
    );
  });
});

describe("looking a path up", () => {
  const bare = "/api/sweeps/mnist-994";
  const documents: Documents = {
    [`${bare}/curves?metric=val/f1`]: "f1",
    [`${bare}/curves?metric=validation_accuracy`]: "accuracies",
    [`${bare}/trials`]: answer(`${bare}/trials?limit=200`),
    [`${bare}/points?metric=val/f1`]: answer(`${bare}/points`),
  };
  const trials = (query: string): TrialsView =>
    lookUp(documents, `${bare}/trials?${query}`) as TrialsView;

  it("minds the measure and no other limit", () => {
    const asked = (path: string): unknown => lookUp(documents, `${bare}/${path}&limit=60`);
    expect(asked("curves?metric=val%2Ff1")).toBe("f1");
    expect(asked("curves?metric=validation_accuracy")).toBe("accuracies");
    expect(asked("curves?metric=validation_loss")).toBeUndefined();
    expect(asked("points?metric=val%2Ff1")).toBe(documents[`${bare}/points?metric=val/f1`]);
    const all = ["val/f1", "lr"].map((name) => findMeasure([], name));
    expect(reportedMeasures(documents, "mnist-994", all).map(({ name }) => name)).toEqual(["val/f1"]);
    expect(lookUp(documents, `${bare}/logs`)).toBeUndefined();
  });

  it("cuts pages, filters and sorts as the server would", () => {
    expect(trials("offset=50&limit=50").rows).toHaveLength(10);
    expect(trials("limit=50").total).toBe(60);
    expect(leftOut(trials("limit=50"))).toBe(0);
    expect(trials("state=failed&limit=50").rows.map((row) => row.trial)).toEqual([7]);
    const best = trials("sort=best+desc&limit=3").rows.map((row) => row.best ?? 0);
    expect(best).toEqual([...best].sort((a, b) => b - a));
    const losses = trials("sort=low.validation_loss&limit=50").rows.map(
      (row) => row.measures.validation_loss?.low ?? 9,
    );
    expect(losses).toEqual([...losses].sort((a, b) => a - b));
    expect(new Set(losses).size).toBeGreaterThan(40);
    const whole = documents[`${bare}/trials`] as TrialsView;
    const cut = { [`${bare}/trials`]: { ...whole, rows: whole.rows.slice(0, 40) } };
    expect(leftOut(lookUp(cut, `${bare}/trials?limit=50`) as TrialsView)).toBe(20);
    const rates = trials("sort=lr&limit=50").rows.map((row) => Number(row.parameters.lr));
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
  });

  it("orders a ranking by what it shows, and leaves out what misses the criteria", () => {
    const ranking = (query: string): RankingView =>
      lookUp(
        { [`${bare}/ranking`]: answer(`${bare}/ranking?limit=200`) },
        `${bare}/ranking?${query}&limit=50`,
      ) as RankingView;
    const ranks = ranking("sort=rank+desc").rows.map((row) => row.rank);
    expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
    const values = ranking("sort=validation_accuracy").rows.map((row) => row.value ?? 2);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(new Set(values).size).toBeGreaterThan(40);
    const met = ranking("qualifying=1");
    expect(met.rows.length).toBeGreaterThan(0);
    expect(met.total).toBeLessThan(ranking("").total);
    expect(met.rows.every((row) => row.qualifies)).toBe(true);
  });
});
