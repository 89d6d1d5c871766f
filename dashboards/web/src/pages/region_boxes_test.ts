import { describe, expect, it } from "vitest";
import { answer } from "../../fixtures/answers";
import type { RegionView } from "../api";
import { parseRoute } from "../router";
import { boxesOf, chosenShare } from "./region_boxes";

const view = answer("/api/sweeps/mnist-994/region?share=0.8") as RegionView;

describe("regions", () => {
  it("are one of a sweep with one network", () => {
    const boxes = boxesOf({ ...view, networks: [] });
    expect(boxes.map(({ model }) => model)).toEqual([""]);
    expect(boxes[0]?.view.ranges.map(({ name }) => name)).toContain("model");
  });
  it("are one of each of several networks, without a range of networks", () => {
    const boxes = boxesOf(view);
    expect(boxes.map(({ model }) => model)).toEqual(["cnn-18718", "cnn-9874"]);
    expect(boxes[0]?.view.share).toBe(0.8);
    expect(boxes[0]?.view.ranges.map(({ name }) => name)).toEqual(
      view.ranges.map(({ name }) => name).filter((name) => name !== "model"),
    );
    expect(boxes[1]?.view.answer).toBe("none_qualifies");
  });
  it("are of a share that can be chosen, and of no other", () => {
    expect(chosenShare(parseRoute("#/sweeps/s/model?share=0.95"))).toBe("0.95");
    expect(chosenShare(parseRoute("#/sweeps/s/model"))).toBe("0.9");
    expect(chosenShare(parseRoute("#/sweeps/s/model?share=2"))).toBe("0.9");
  });
});
