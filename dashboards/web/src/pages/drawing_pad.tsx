// A canvas for mouse, finger and pen.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Ink } from "../inference/digit";

const SIDE = 280;
const PEN = 20; // relative to the digit's size as thick as in MNIST

type Stroke = { x: number; y: number }[];

export function DrawingPad({ onInk }: { onInk: (ink: Ink | undefined) => void }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const strokes = useRef<Stroke[]>([]);
  const drawing = useRef(false);

  const redraw = (): void => {
    const context = canvas.current?.getContext("2d", { willReadFrequently: true });
    if (!context) return;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SIDE, SIDE);
    context.strokeStyle = "#111";
    context.lineWidth = PEN;
    context.lineCap = "round";
    context.lineJoin = "round";
    for (const stroke of strokes.current) {
      context.beginPath();
      stroke.forEach(({ x, y }, i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
      const only = stroke.length === 1 ? stroke[0] : undefined;
      if (only) context.lineTo(only.x + 0.1, only.y); // a dot
      context.stroke();
    }
    onInk(strokes.current.length > 0 ? inkOf(context) : undefined);
  };
  useEffect(redraw, []); // white paper, in the dark theme too
  const place = (event: PointerEvent): { x: number; y: number } => {
    const box = canvas.current?.getBoundingClientRect();
    if (!box) return { x: 0, y: 0 };
    return {
      x: ((event.clientX - box.left) * SIDE) / box.width,
      y: ((event.clientY - box.top) * SIDE) / box.height,
    };
  };
  const start = (event: PointerEvent): void => {
    event.preventDefault();
    canvas.current?.setPointerCapture(event.pointerId);
    drawing.current = true;
    strokes.current.push([place(event)]);
    redraw();
  };
  const move = (event: PointerEvent): void => {
    if (!drawing.current) return;
    strokes.current[strokes.current.length - 1]?.push(place(event));
    redraw();
  };
  const undo = (all: boolean): void => {
    strokes.current = all ? [] : strokes.current.slice(0, -1);
    redraw();
  };
  return (
    <div class="pad">
      <canvas
        ref={canvas}
        width={SIDE}
        height={SIDE}
        role="img"
        aria-label="a pad to draw a digit on, with mouse, finger or pen"
        onPointerDown={start}
        onPointerMove={move}
        onPointerUp={() => {
          drawing.current = false;
        }}
        onPointerCancel={() => {
          drawing.current = false;
        }}
      />
      <div class="actions">
        <button type="button" onClick={() => undo(true)}>
          Clear
        </button>
        <button type="button" onClick={() => undo(false)}>
          Undo
        </button>
      </div>
    </div>
  );
}

function inkOf(context: CanvasRenderingContext2D): Ink {
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  const values = new Float32Array(SIDE * SIDE);
  for (let i = 0; i < values.length; i += 1) values[i] = (255 - (data[i * 4] ?? 255)) / 238; // #fff is 0, #111 is 1
  return { width: SIDE, height: SIDE, values };
}
