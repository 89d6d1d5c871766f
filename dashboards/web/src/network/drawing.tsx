// Draws the network layer by layer: each block is as high as its image and as thick as its
// channels, to show where the picture shrinks and where the parameters are.

import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { NetworkTable } from "../api";
import { integer, number } from "../format";
import { readPalette } from "../plots/palette";
import { fileName, savePng, saveSvg } from "../plots/save";

interface Block {
  title: string;
  shape: [number, number, number];
  parameters: number;
  field: number;
  notes: string[]; // layers that do not change the shape
}

// Layers that only change values are listed under the layer before them.
const QUIET = new Set(["relu", "batch_norm", "dropout", "dropout2d", "log_softmax"]);

export function blocksOf(network: NetworkTable): Block[] {
  const blocks: Block[] = [
    { title: "input", shape: network.input, parameters: 0, field: 1, notes: [] },
  ];
  for (const layer of network.layers) {
    const last = blocks[blocks.length - 1];
    if (QUIET.has(layer.type) && last) {
      last.notes.push(rounded(layer.text));
      last.parameters += layer.parameters;
    } else {
      blocks.push({
        title: rounded(layer.text),
        shape: layer.output,
        parameters: layer.parameters,
        field: layer.receptive_field,
        notes: [],
      });
    }
  }
  return blocks;
}

// A random probability has 16 digits; four suffice for a reader.
function rounded(text: string): string {
  return text.replace(/\d+\.\d{5,}/g, (digits) => number(Number(digits), 4));
}

const NARROWEST = 112;
const LETTER = 6.6; // width of a bold letter, at most
const TOP = 24;
const TALLEST = 96;
const LINE = 15;

function words(block: Block): string[] {
  const [channels, height, width] = block.shape;
  const lines = [block.title, `${channels} × ${height} × ${width}`];
  if (block.parameters > 0) lines.push(`${integer(block.parameters)} parameters`);
  if (block.title !== "input") lines.push(`sees ${block.field} × ${block.field}`);
  return lines;
}

function BlockShape({
  block,
  x,
  tallest,
}: {
  block: Block;
  x: number;
  tallest: number;
}): JSX.Element {
  const [channels, height] = block.shape;
  const side = 6 + (TALLEST - 6) * (height / tallest);
  // A slanted box; its depth is the root of the number of channels, so that 256 still fit.
  const depth = Math.min(34, 3 + Math.sqrt(channels) * 3);
  const left = x - depth / 2;
  const top = TOP + (TALLEST - side) / 2;
  const slant = depth * 0.35;
  const thin = 7;
  const front = `M${left},${top + slant}h${thin}v${side}h${-thin}z`;
  const roof = `M${left},${top + slant}l${depth},${-slant}h${thin}l${-depth},${slant}z`;
  const wall = `M${left + thin},${top + slant}l${depth},${-slant}v${side}l${-depth},${slant}z`;
  return (
    <g class={block.parameters > 0 ? "block weighted" : "block"}>
      <path class="roof" d={roof} />
      <path class="wall" d={wall} />
      <path class="front" d={front} />
    </g>
  );
}

export function NetworkDrawing({
  network,
  name,
}: {
  network: NetworkTable;
  name: string;
}): JSX.Element {
  const svg = useRef<SVGSVGElement>(null);
  const blocks = blocksOf(network);
  const tallest = Math.max(...blocks.map((block) => block.shape[1]));
  const notes = Math.max(...blocks.map((block) => block.notes.length));
  // As wide as the longest line, so that neighbours do not touch.
  const letters = Math.max(...blocks.flatMap((b) => [...words(b), ...b.notes].map((t) => t.length)));
  const column = Math.max(NARROWEST, Math.ceil(letters * LETTER) + 10);
  const width = blocks.length * column;
  const height = TOP + TALLEST + 40 + (4 + notes) * LINE;
  const save = (kind: "svg" | "png"): void => {
    if (!svg.current) return;
    const drawn = withStyles(svg.current);
    const file = fileName(name, "network");
    if (kind === "svg") saveSvg(drawn, readPalette().surface, file);
    else void savePng(drawn, readPalette().surface, file);
    drawn.remove();
  };
  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-title">Network {network.name}</span>
        <span class="plot-buttons">
          <button
            type="button"
            class="small"
            onClick={() => save("svg")}
            aria-label="Save the network as SVG"
          >
            SVG
          </button>
          <button
            type="button"
            class="small"
            onClick={() => save("png")}
            aria-label="Save the network as PNG"
          >
            PNG
          </button>
        </span>
      </figcaption>
      <p class="note">
        {integer(network.parameters)} parameters · {number(network.forward_mflop, 3)} MFLOP forward,{" "}
        {number(network.train_mflop, 3)} in training · receptive field {network.receptive_field} ×{" "}
        {network.receptive_field} ·{" "}
        {network.fully_connected ? "fully connected layer" : "no fully connected layer"}
      </p>
      <div
        class="scroll"
        tabIndex={0}
        role="region"
        aria-label={`network ${network.name}, layer by layer`}
      >
        <svg
          ref={svg}
          class="network"
          viewBox={`0 0 ${width} ${height}`}
          width={width}
          height={height}
          role="img"
          aria-label={blocks.map((block) => words(block).join(", ")).join("; then ")}
        >
          {blocks.map((block, i) => {
            const x = (i + 0.5) * column;
            const base = TOP + TALLEST + 34;
            return (
              <g key={i}>
                {i > 0 && (
                  <path
                    class="arrow"
                    d={`M${x - column + 30},${TOP + TALLEST / 2}H${x - 30}m-5,-4l5,4l-5,4`}
                  />
                )}
                <BlockShape block={block} x={x} tallest={tallest} />
                {words(block).map((text, line) => (
                  <text
                    key={line}
                    class={line === 0 ? "title" : ""}
                    x={x}
                    y={base + line * LINE}
                    text-anchor="middle"
                  >
                    {text}
                  </text>
                ))}
                {block.notes.map((text, line) => (
                  <text
                    key={text + line}
                    class="faint"
                    x={x}
                    y={base + (words(block).length + line) * LINE}
                    text-anchor="middle"
                  >
                    {text}
                  </text>
                ))}
              </g>
            );
          })}
        </svg>
      </div>
    </figure>
  );
}

const STYLED = [
  "fill",
  "stroke",
  "stroke-width",
  "font-size",
  "font-weight",
  "font-family",
  "opacity",
];

// A copy with its styles as attributes: a file has no style sheet.
function withStyles(svg: SVGSVGElement): SVGSVGElement {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const originals = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, i) => {
    const original = originals[i];
    if (!original) return;
    const style = getComputedStyle(original);
    for (const name of STYLED) element.setAttribute(name, style.getPropertyValue(name));
  });
  svg.parentElement?.append(copy);
  return copy;
}
