// Saves a plot as a file: the SVG on the screen, or that SVG drawn by the browser.

const SVG = "http://www.w3.org/2000/svg";
const PNG_SCALE = 2; // sharp in a document

export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement("a");
  const url = URL.createObjectURL(blob);
  link.href = url;
  link.download = name;
  link.click();
  // By then the download has its own reference.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function fileName(...words: string[]): string {
  const text = words.filter(Boolean).join("-");
  return (
    text
      .normalize("NFKD")
      .replace(/[^\w.-]+/g, "-")
      .slice(0, 100) || "plot"
  );
}

// A standalone copy, with its size and the page's background.
export function standaloneSvg(svg: SVGSVGElement, background: string): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const { width, height } = svg.getBoundingClientRect();
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("width", String(Math.round(width)));
  copy.setAttribute("height", String(Math.round(height)));
  if (!copy.hasAttribute("viewBox"))
    copy.setAttribute("viewBox", `0 0 ${Math.round(width)} ${Math.round(height)}`);
  const box = copy.getAttribute("viewBox")?.split(/[ ,]+/) ?? [];
  const ground = document.createElementNS(SVG, "rect");
  const values = { x: box[0], y: box[1], width: box[2], height: box[3], fill: background };
  for (const [key, value] of Object.entries(values)) ground.setAttribute(key, value ?? "0");
  copy.insertBefore(ground, copy.firstChild);
  return new XMLSerializer().serializeToString(copy);
}

export function saveSvg(svg: SVGSVGElement, background: string, name: string): void {
  saveBlob(new Blob([standaloneSvg(svg, background)], { type: "image/svg+xml" }), `${name}.svg`);
}

export async function savePng(svg: SVGSVGElement, background: string, name: string): Promise<void> {
  const { width, height } = svg.getBoundingClientRect();
  const url = URL.createObjectURL(
    new Blob([standaloneSvg(svg, background)], { type: "image/svg+xml" }),
  );
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * PNG_SCALE);
    canvas.height = Math.round(height * PNG_SCALE);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
    if (blob === null) throw new Error("the browser made no PNG of it");
    saveBlob(blob, `${name}.png`);
  } finally {
    URL.revokeObjectURL(url);
  }
}
