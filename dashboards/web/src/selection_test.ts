import { describe, expect, it } from "vitest";
import { parseRoute, selectionAt } from "./router";
import {
  addSelected,
  MOST_COMPARED,
  readSelection,
  removeSelected,
  selectedTrials,
  setSelected,
} from "./selection";

describe("the trials chosen to compare", () => {
  it("are one list to which each page adds", () => {
    setSelected([]);
    for (const name of ["a/1", "b/2", "a/1", "a/01"]) addSelected(name);
    expect(selectedTrials()).toEqual(["a/1", "b/2"]);
    removeSelected("a/1");
    expect(selectedTrials()).toEqual(["b/2"]);
  });

  it("are read from an address, as many as can be told apart", () => {
    expect(readSelection("s/01, s/2,,nonsense,s/1")).toEqual(["s/1", "s/2"]);
    expect(readSelection("")).toEqual([]);
    const many = Array.from({ length: 9 }, (_, i) => `s/${i + 1}`);
    expect(readSelection(many.join())).toHaveLength(MOST_COMPARED);
  });

  it("come with the reader to the next page, and from an address that names others", () => {
    const chosen = ["a/1", "b/2"];
    const at = (hash: string, ours: boolean): readonly string[] =>
      selectionAt(parseRoute(hash), chosen, ours);
    expect(at("#/compare", false)).toEqual(chosen);
    expect(at("#/compare?trials=c%2F3", false)).toEqual(["c/3"]);
    // A history entry that the page has left does not undo later selections.
    expect(at("#/sweeps/a/ranking?trials=a%2F1", true)).toEqual(chosen);
    expect(selectionAt(parseRoute("#/compare?trials=a%2F1"), [], true)).toEqual([]);
  });
});
