// Prepares a drawn digit as in MNIST: fits it into 20 × 20 with its proportions, anti-aliased, and
// puts its centre of mass in the middle of 28 × 28.

export interface Ink {
  width: number;
  height: number;
  values: Float32Array; // 0 background to 1 ink, by rows
}

const SIDE = 28;
const BOX = 20;

interface Box {
  left: number;
  top: number;
  right: number; // exclusive
  bottom: number;
}

function boundingBox(ink: Ink): Box | null {
  const box = { left: ink.width, top: ink.height, right: 0, bottom: 0 };
  for (let y = 0; y < ink.height; y += 1) {
    for (let x = 0; x < ink.width; x += 1) {
      if (ink.values[y * ink.width + x]! <= 0.05) continue;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y + 1);
    }
  }
  return box.right > box.left ? box : null;
}

// The mean ink in the area of a small pixel, which anti-aliases.
function meanOf(ink: Ink, left: number, top: number, size: number): number {
  let sum = 0;
  for (let y = Math.floor(top); y < Math.ceil(top + size); y += 1) {
    const rows = Math.min(y + 1, top + size) - Math.max(y, top);
    if (y < 0 || y >= ink.height) continue;
    for (let x = Math.floor(left); x < Math.ceil(left + size); x += 1) {
      if (x < 0 || x >= ink.width) continue;
      sum +=
        ink.values[y * ink.width + x]! * rows * (Math.min(x + 1, left + size) - Math.max(x, left));
    }
  }
  return sum / (size * size);
}

// 28 × 28 from 0 to 1; null when nothing is drawn.
export function toDigit(ink: Ink): Float32Array | null {
  const box = boundingBox(ink);
  if (!box) return null;
  const scale = Math.max(box.right - box.left, box.bottom - box.top) / BOX; // drawn pixels per pixel
  const [cx, cy] = centreOfMass(ink, box);
  const digit = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      digit[y * SIDE + x] = meanOf(
        ink,
        cx + (x - SIDE / 2) * scale,
        cy + (y - SIDE / 2) * scale,
        scale,
      );
    }
  }
  return digit;
}

function centreOfMass(ink: Ink, box: Box): [number, number] {
  let [mass, mx, my] = [0, 0, 0];
  for (let y = box.top; y < box.bottom; y += 1) {
    for (let x = box.left; x < box.right; x += 1) {
      const value = ink.values[y * ink.width + x]!;
      mass += value;
      mx += value * (x + 0.5);
      my += value * (y + 0.5);
    }
  }
  return [mx / mass, my / mass];
}

export function normalise(digit: Float32Array, mean: number, stddev: number): Float32Array {
  return digit.map((value) => (value - mean) / stddev);
}
