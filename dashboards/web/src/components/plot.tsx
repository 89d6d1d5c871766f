// A plot with its title, its text alternative, and its files.

import type { ECharts } from "echarts/core";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PlotOption } from "../plots/echarts";
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
  name: string; // of its files
  summary: string; // what a reader who cannot see it should know
  inputs: unknown[]; // what `build` depends on
  build: (palette: Palette) => PlotOption;
  table: () => PlotTable;
  height: number;
  zoomable?: boolean;
  onPick?: (data: PlotData) => void;
  onChart?: (chart: ECharts) => void; // once, for events of its own
  note?: ComponentChildren;
  children?: ComponentChildren; // controls
}

// Plots are drawn one after the other, each in a task of its own, so that the first is seen, and the
// page obeys, while those further down are still to come.
let turn: Promise<unknown> = Promise.resolve();
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(() => new Promise((resolve) => setTimeout(resolve))).then(work);
  turn = mine.catch(() => undefined); // one that fails does not hold up the others
  return mine;
}

export function Plot(props: Props): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<ECharts>();
  const [failed, setFailed] = useState("");
  const [tableShown, showTable] = useState(false);
  const theme = useTheme();
  const pick = useRef(props.onPick);
  pick.current = props.onPick;

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    let made: ECharts | undefined;
    let gone = false;
    const observer = new ResizeObserver(() => made?.resize());
    void inTurn(() => import("../plots/echarts")).then(({ makeChart }) => {
      if (gone) return;
      made = makeChart(element);
      made.on("click", (event) => pick.current?.((event.data ?? {}) as PlotData));
      props.onChart?.(made);
      observer.observe(element);
      setChart(made);
    });
    return () => {
      gone = true;
      observer.disconnect();
      made?.dispose();
    };
  }, []);

  useEffect(() => {
    if (!chart) return;
    try {
      // Series are replaced, so that one that is gone goes; zoom and brush are not named and stay.
      chart.setOption(props.build(readPalette()), { replaceMerge: ["series"] });
      setFailed("");
    } catch (error) {
      setFailed(String(error)); // a plot that cannot be drawn must not take the page with it
    }
  }, [chart, theme, ...props.inputs]);

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
    chart?.dispatchAction({
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
      <div
        ref={frame}
        class="plot-frame"
        style={{ height: `${props.height}px` }}
        role="img"
        aria-label={`${props.title}: ${props.summary}`}
      />
      {failed && <p class="error">This plot could not be drawn: {failed}</p>}
      {props.note && <p class="note">{props.note}</p>}
      {tableShown && <NumbersTable title={props.title} table={props.table()} />}
    </figure>
  );
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
