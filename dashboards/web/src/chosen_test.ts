import { expect, it } from "vitest";
import { chosenText, sourceText } from "./chosen";

it("what is not known is empty", () => {
  expect(sourceText(null)).toBe("");
  expect(sourceText(undefined)).toBe("");
  expect(chosenText({ chosen_by: null, chosen_source: null })).toBe("");
});

it("method and source in words, also a source of a later coordinator", () => {
  expect(chosenText({ chosen_by: "gp", chosen_source: "model" })).toBe("gp: its model");
  expect(chosenText({ chosen_by: "gp", chosen_source: "start_up" })).toBe("gp: start-up point");
  expect(chosenText({ chosen_by: "gp", chosen_source: "oracle" })).toBe("gp: oracle");
});
