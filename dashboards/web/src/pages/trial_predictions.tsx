// The errors of the trained network: their counts, and the pictures.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { PredictionsView, TrialView } from "../api";
import { decodeBase64 } from "../base64";
import { Plot } from "../components/plot";
import { integer, percent, plural } from "../format";
import { useLive } from "../live";
import { confusionPlot, confusionTable } from "../plots/confusion";
import { apiPath } from "../source";

export function TrialPredictions({ trial }: { trial: TrialView }): JSX.Element | null {
  const there = trial.artifacts.some((artifact) => artifact.role === "predictions");
  const path =
    there || __REPORT__
      ? apiPath(["sweeps", trial.sweep, "trials", trial.trial, "predictions"])
      : "";
  const { data } = useLive<PredictionsView>(path);
  if (!data) return null;
  return (
    <>
      <h2>Predictions of the best epoch</h2>
      <p class="note">
        {integer(data.right)} of {integer(data.images)} right (
        {percent(data.images > 0 ? data.right / data.images : null)}),{" "}
        {plural(data.mistakes_total, "mistake")}.
      </p>
      <div class="plots">
        <Plot
          title="Confusion matrix"
          name={`${trial.sweep} ${trial.trial} confusion`}
          height={380}
          inputs={[data]}
          build={(palette) => confusionPlot(data, palette)}
          table={() => confusionTable(data)}
          summary={`${data.right} of ${data.images} right`}
          note="Colour shows mistakes only."
        />
        <Mistakes view={data} />
      </div>
    </>
  );
}

function Mistakes({ view }: { view: PredictionsView }): JSX.Element {
  const size = view.shape[0] * view.shape[1] * view.shape[2];
  const pixels = decodeBase64(view.pictures);
  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-title">Mistakes</span>
      </figcaption>
      <p class="note">
        True digit → predicted digit.
        {view.mistakes.length < view.mistakes_total && ` The first ${view.mistakes.length}.`}
      </p>
      <ul class="digits" tabIndex={0} aria-label="misclassified pictures">
        {view.mistakes.map((mistake, i) => (
          <li key={mistake.index} title={`picture ${mistake.index}`}>
            <Digit
              pixels={pixels.subarray(i * size, (i + 1) * size)}
              shape={view.shape}
              label={`picture ${mistake.index}: a ${mistake.label}, taken for ${mistake.predicted}`}
            />
            <span aria-hidden="true">
              {mistake.label} → <b>{mistake.predicted}</b>
            </span>
          </li>
        ))}
      </ul>
    </figure>
  );
}

// One picture, ink on paper as written; three channels are colours.
export function Digit(props: {
  pixels: Uint8Array;
  shape: [number, number, number];
  label: string;
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [channels, height, width] = props.shape;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || props.pixels.length < channels * height * width) return;
    const picture = context.createImageData(width, height);
    const plane = width * height;
    for (let i = 0; i < plane; i += 1) {
      for (let c = 0; c < 3; c += 1) {
        const value = props.pixels[(channels === 3 ? c * plane : 0) + i] ?? 0;
        picture.data[i * 4 + c] = channels === 3 ? value : 255 - value;
      }
      picture.data[i * 4 + 3] = 255;
    }
    context.putImageData(picture, 0, 0);
  }, [props.pixels, channels, height, width]);
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={props.label} />;
}
