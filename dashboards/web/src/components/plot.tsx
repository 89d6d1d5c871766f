// A plot with its title, text alternative and files to download.

import type { ECharts } from "echarts/core";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PlotOption } from "../plots/echarts";
import { tickValues, type MetricAxis } from "../plots/metric_scale";
import { readPalette, type Palette } from "../plots/palette";
import { fileName, savePng, saveSvg } from "../plots/save";
import type { PlotTable } from "../plots/table";
import { useTheme } from "../theme";

export interface PlotData {
  trial?: number;
  trialName?: string;
}

interface Props {
  title: string;
  name: string; // for its files
  summary: string; // for readers who cannot see the plot
  inputs: unknown[]; // what `build` depends on
  build: (palette: Palette) => PlotOption;
  table: () => PlotTable;
  height: number;
  zoomable?: boolean;
  onPick?: (data: PlotData) => void;
  onChart?: (chart: ECharts) => void; // once, to add event handlers
  overlay?: ComponentChildren; // over the drawing, placed by its pixels
  note?: ComponentChildren;
  children?: ComponentChildren; // controls
}

interface Zoom {
  start: number;
  end: number;
}

interface ZoomChange extends Partial<Zoom> {
  dataZoomId?: string;
}

interface ZoomEvent extends ZoomChange {
  batch?: ZoomChange[];
}

// Draws plots one after the other with a frame between, so that the first appears and the page
// stays responsive while later ones are pending.
let turn: Promise<unknown> = Promise.resolve();
function inTurn(work: () => Promise<void>): void {
  turn = turn
    .then(work)
    .catch(() => undefined) // a failed plot does not block the others
    .then(nextFrame);
}

// Resolves after the next frame is on the screen. A hidden page has no frames.
function nextFrame(): Promise<void> {
  return new Promise((resolve) => {
    const hidden = setTimeout(resolve, 100);
    requestAnimationFrame(() => {
      clearTimeout(hidden);
      setTimeout(resolve);
    });
  });
}

export function Plot(props: Props): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts>();
  const drawn = useRef<PlotOption>({});
  const zoom = useRef<Zoom>({ start: 0, end: 100 });
  const [failed, setFailed] = useState("");
  const [tableShown, showTable] = useState(false);
  const theme = useTheme();
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const observer = new ResizeObserver(() => fit(chart.current, frame.current));
    if (frame.current) observer.observe(frame.current);
    return () => {
      observer.disconnect();
      chart.current?.dispose();
      chart.current = undefined;
    };
  }, []);

  useEffect(() => {
    let stale = false; // a newer drawing replaces this one, or the plot is gone
    inTurn(async () => {
      try {
        const { makeChart } = await import("../plots/echarts");
        if (stale || !frame.current) return;
        if (!chart.current) {
          const made = makeChart(frame.current);
          made.on("click", (event) => latest.current.onPick?.((event.data ?? {}) as PlotData));
          made.on("datazoom", (event) => {
            zoom.current = zoomOf(event as ZoomEvent, zoom.current);
            const ticks = zoomedTicks(drawn.current, zoom.current);
            if (ticks) made.setOption(ticks);
          });
          latest.current.onChart?.(made);
          chart.current = made;
        }
        // Replaces the series, so that removed ones disappear; zoom and brush are not named and
        // stay.
        drawn.current = latest.current.build(readPalette());
        chart.current.setOption(drawn.current, { replaceMerge: ["series"] });
        const ticks = zoomedTicks(drawn.current, zoom.current);
        if (ticks && zoom.current.end - zoom.current.start < 100) chart.current.setOption(ticks);
        setFailed("");
      } catch (error) {
        setFailed(String(error)); // a failed plot must not break the page
      }
    });
    return () => {
      stale = true;
    };
  }, [theme, ...props.inputs]);

  const save = (kind: "svg" | "png"): void => {
    const svg = frame.current?.querySelector("svg");
    if (!svg) return;
    const name = fileName(...props.name.split(" "));
    if (kind === "svg") saveSvg(svg, readPalette().surface, name);
    else
      void savePng(svg, readPalette().surface, name).catch((error: unknown) =>
        setFailed(String(error)),
      );
  };
  const resetZoom = (): void => {
    chart.current?.dispatchAction({
      type: "dataZoom",
      batch: ["zoom-x", "zoom-y"].map((dataZoomId) => ({ dataZoomId, start: 0, end: 100 })),
    });
  };

  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-title">{props.title}</span>
        <span class="plot-buttons">
          {props.zoomable && (
            <button
              type="button"
              class="small"
              title="Shift and the wheel zoom; dragging moves"
              onClick={resetZoom}
              aria-label={`Reset zoom of ${props.title}`}
            >
              Reset zoom
            </button>
          )}
          <button
            type="button"
            class="small"
            aria-pressed={tableShown}
            onClick={() => showTable(!tableShown)}
            aria-label={`${props.title} as a table`}
          >
            Table
          </button>
          <button
            type="button"
            class="small"
            onClick={() => save("svg")}
            aria-label={`Save ${props.title} as SVG`}
          >
            SVG
          </button>
          <button
            type="button"
            class="small"
            onClick={() => save("png")}
            aria-label={`Save ${props.title} as PNG`}
          >
            PNG
          </button>
        </span>
      </figcaption>
      {props.children && <div class="controls">{props.children}</div>}
      <div class="plot-stage">
        <div
          ref={frame}
          class="plot-frame"
          style={{ height: `${props.height}px` }}
          role="img"
          aria-label={`${props.title}: ${props.summary}`}
        />
        {props.overlay}
      </div>
      {failed && <p class="error">This plot could not be drawn: {failed}</p>}
      {props.note && <p class="note">{props.note}</p>}
      {tableShown && <NumbersTable title={props.title} table={props.table()} />}
    </figure>
  );
}

// Resizing costs as much as drawing, so only when the size has changed.
function fit(chart: ECharts | undefined, frame: HTMLDivElement | null): void {
  if (!chart || !frame) return;
  if (chart.getWidth() !== frame.clientWidth || chart.getHeight() !== frame.clientHeight)
    chart.resize();
}

// The shown part of the vertical axis, in percent of it.
function zoomOf(event: ZoomEvent, before: Zoom): Zoom {
  return (event.batch ?? [event]).reduce((zoom, change) => {
    const { dataZoomId, start, end } = change;
    return dataZoomId === "zoom-y" && start !== undefined && end !== undefined
      ? { start, end }
      : zoom;
  }, before);
}

// Ticks at round values of the shown part.
function zoomedTicks(option: PlotOption, zoom: Zoom): PlotOption | undefined {
  const { min, max, ticksBetween } = (option.yAxis ?? {}) as MetricAxis;
  if (!ticksBetween || typeof min !== "number" || typeof max !== "number") return undefined;
  const at = (percent: number): number => min + ((max - min) * percent) / 100;
  return { yAxis: tickValues(ticksBetween(at(zoom.start), at(zoom.end))) } as PlotOption;
}

function NumbersTable({ title, table }: { title: string; table: PlotTable }): JSX.Element {
  return (
    <div class="scroll short" tabIndex={0} role="region" aria-label={`${title}, numbers`}>
      <table>
        <caption class="unseen">{title}</caption>
        <thead>
          <tr>
            {table.columns.map((column, i) => (
              <th key={i} scope="col" class="number">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, j) => (
                <td key={j} class="number">
                  <span class="text">{cell}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
