// Finds the curve that a reader points at.

export interface PixelCurve {
  trial: number;
  points: [number, number][]; // in pixels, in order of epochs
}

export interface Nearest {
  trial: number;
  distance: number; // in pixels
}

// The distance of a position from the line between two points.
function distanceTo(
  [x, y]: [number, number],
  [ax, ay]: [number, number],
  [bx, by]: [number, number],
): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : ((x - ax) * dx + (y - ay) * dy) / length;
  const inside = Math.min(1, Math.max(0, share));
  return Math.hypot(x - ax - inside * dx, y - ay - inside * dy);
}

// The nearest curve; of several equally near the later one, which is drawn on top. null when there
// is none.
export function nearestCurve(curves: PixelCurve[], x: number, y: number): Nearest | null {
  let nearest: Nearest | null = null;
  for (const { trial, points } of curves) {
    points.forEach((point, i) => {
      const distance = distanceTo([x, y], points[i - 1] ?? point, point);
      if (!nearest || distance <= nearest.distance) nearest = { trial, distance };
    });
  }
  return nearest;
}
