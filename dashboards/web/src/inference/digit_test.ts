import { expect, it } from "vitest";
import { normalise, toDigit, type Ink } from "./digit";

function drawn(
  width: number,
  height: number,
  left: number,
  top: number,
  right: number,
  bottom: number,
): Ink {
  const values = new Float32Array(width * height);
  for (let y = top; y < bottom; y += 1) values.fill(1, y * width + left, y * width + right);
  return { width, height, values };
}

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}

// A bar of 40 × 100 at any place becomes 8 × 20 in the middle of 28 × 28.
it.each([
  [5, 10],
  [200, 150],
  [0, 0],
])("fits and centres a bar drawn at %i, %i", (left, top) => {
  const digit = toDigit(drawn(280, 280, left, top, left + 40, top + 100));
  for (let y = 0; y < 28; y += 1) {
    for (let x = 0; x < 28; x += 1) {
      const inside = x >= 10 && x < 18 && y >= 4 && y < 24;
      expect(digit?.[y * 28 + x]).toBeCloseTo(inside ? 1 : 0, 5);
    }
  }
});

it("puts the centre of mass, not of the box, into the middle", () => {
  const ink = drawn(280, 280, 100, 50, 130, 250);
  for (let y = 230; y < 250; y += 1) ink.values.fill(1, y * 280 + 100, y * 280 + 220);
  const digit = toDigit(ink)!;
  let [mx, my] = [0, 0];
  digit.forEach((value, i) => {
    mx += value * ((i % 28) + 0.5);
    my += value * (Math.floor(i / 28) + 0.5);
  });
  expect(mx / sum(digit)).toBeCloseTo(14, 1);
  expect(my / sum(digit)).toBeCloseTo(14, 1);
});

it("keeps ink as ink when it scales: a thin line turns grey, not absent", () => {
  const digit = toDigit(drawn(280, 280, 100, 40, 102, 240))!;
  expect(sum(digit)).toBeCloseTo((2 * 200) / 100, 3); // 10 × 10 drawn pixels per small pixel
});

it("says that nothing is drawn", () => {
  expect(toDigit({ width: 280, height: 280, values: new Float32Array(280 * 280) })).toBeNull();
});

it("normalises as the trainer does", () => {
  expect(normalise(Float32Array.of(0, 1), 0.5, 0.25)).toEqual(Float32Array.of(-2, 2));
});
