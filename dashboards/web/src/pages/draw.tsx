// Draw a digit, and the trained network recognises it, here in the browser.

import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { SweepsView, TrialView } from "../api";
import { Await } from "../components/basics";
import { TrialForm } from "../components/trial_form";
import { integer, percent, splitTrial } from "../format";
import { normalise, toDigit, type Ink } from "../inference/digit";
import { InferenceNetwork, readNetworkSpec } from "../inference/network";
import { readSafeTensors } from "../inference/safetensors";
import { useLive } from "../live";
import { namedText } from "../measure";
import { setQuery, trialHref, type Route } from "../router";
import { apiPath, fetchBytes } from "../source";
import { DrawingPad } from "./drawing_pad";
import { Digit } from "./trial_predictions";

export function DrawPage({ route }: { route: Route }): JSX.Element {
  const { trial: name = "" } = route.query;
  const trial = splitTrial(name);
  return (
    <>
      <h1>Draw a digit</h1>
      <TrialForm
        name={name}
        action="Use its weights"
        onTrial={(chosen) => setQuery(route, { trial: chosen })}
      />
      {trial ? (
        <Trained key={name} sweep={trial.sweep} number={trial.trial} />
      ) : name !== "" ? (
        <p class="empty">A trial is named as SWEEP/NUMBER.</p>
      ) : (
        <Newest />
      )}
    </>
  );
}

const MOST_LOOKED_AT = 10;

// Opens the best trial of the newest sweep whose network can run here.
function Newest(): JSX.Element {
  const sweeps = useLive<SweepsView>(apiPath(["sweeps"], { page_size: 50 }), { once: true });
  return (
    <Await live={sweeps} what="sweeps">
      {(view) => (
        <FirstThatRuns
          names={view.sweeps
            .map((sweep) => sweep.best_trial)
            .filter((name) => name !== "")
            .slice(0, MOST_LOOKED_AT)}
        />
      )}
    </Await>
  );
}

function FirstThatRuns({ names }: { names: string[] }): JSX.Element {
  const [place, setPlace] = useState(0);
  const trial = splitTrial(names[place] ?? "");
  const live = useLive<TrialView>(
    trial ? apiPath(["sweeps", trial.sweep, "trials", trial.trial]) : "",
    { once: true },
  );
  const { data, error } = live;
  const unfit = error !== undefined || (data !== undefined && whyNot(data) !== "");
  useEffect(() => {
    if (unfit) setPlace(place + 1);
  }, [unfit, place]);
  if (!trial)
    return (
      <p class="empty">
        {names.length === 0
          ? "No trained trial yet."
          : "No best trial of the newest sweeps is a network for 28 × 28 digits with stored weights."}{" "}
        Name one as SWEEP/NUMBER.
      </p>
    );
  if (!data || unfit)
    return (
      <p class="quiet" aria-busy="true">
        Looking for a network…
      </p>
    );
  return <Reader key={names[place]} trial={data} />;
}

// Why a trial's weights cannot recognise a drawing; "" when they can.
export function whyNot(trial: TrialView): string {
  if (!trial.network) return "it was trained by a program of its own, which has no network to run here";
  const [channels, height, width] = trial.network.input;
  if (channels !== 1 || height !== 28 || width !== 28)
    return `its pictures are ${channels} × ${height} × ${width}; a drawing is 1 × 28 × 28`;
  return trial.artifacts.some((artifact) => artifact.role === "weights_best")
    ? ""
    : "it has no weights yet";
}

function Trained({ sweep, number }: { sweep: string; number: number }): JSX.Element {
  const live = useLive<TrialView>(apiPath(["sweeps", sweep, "trials", number]), { once: true });
  return (
    <Await live={live} what={`trial ${sweep}/${number}`}>
      {(trial) => <Reader trial={trial} />}
    </Await>
  );
}

function specNumber(trial: TrialView, name: string, otherwise: number): number {
  const value = trial.spec[name];
  return typeof value === "number" ? value : otherwise;
}

function useNetwork(trial: TrialView): { network: InferenceNetwork | undefined; problem: string } {
  const [network, setNetwork] = useState<InferenceNetwork>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let gone = false;
    const load = async (): Promise<void> => {
      try {
        const unfit = whyNot(trial);
        if (unfit !== "") throw new Error(unfit);
        const spec = readNetworkSpec(trial.spec.network);
        const file = await fetchBytes(
          apiPath(["sweeps", trial.sweep, "trials", trial.trial, "weights"], { which: "best" }),
        );
        const made = InferenceNetwork.create(spec, readSafeTensors(file));
        if (!gone) setNetwork(made);
      } catch (error) {
        if (!gone) setProblem(error instanceof Error ? error.message : String(error));
      }
    };
    void load();
    return () => {
      gone = true;
    };
  }, [trial]);
  return { network, problem };
}

function Reader({ trial }: { trial: TrialView }): JSX.Element {
  const { network, problem } = useNetwork(trial);
  const [ink, setInk] = useState<Ink>();
  const digit = useMemo(() => (ink ? toDigit(ink) : null), [ink]);
  const probabilities = useMemo(() => {
    if (!network || !digit) return null;
    const image = normalise(
      digit,
      specNumber(trial, "normalize_mean", 0.1307),
      specNumber(trial, "normalize_stddev", 0.3081),
    );
    return Array.from(network.run(image), Math.exp);
  }, [network, digit, trial]);
  return (
    <>
      <p class="note">
        Weights of the best epoch of{" "}
        <a href={trialHref(trial.sweep, trial.trial)}>
          {trial.sweep}/{trial.trial}
        </a>
        {trial.best !== null &&
          trial.reported[0] &&
          `, ${namedText(trial.reported[0], trial.best)}${trial.evaluation_images ? ` on ${integer(trial.evaluation_images)} test images` : ""}`}
        . They run here, in your browser; nothing is sent.
      </p>
      {problem && (
        <p class="error" role="alert">
          It cannot be run here: {problem}
        </p>
      )}
      <div class="draw">
        <DrawingPad onInk={setInk} />
        <div>
          <h2>What the network sees</h2>
          <Digit
            pixels={Uint8Array.from(digit ?? new Float32Array(784), (value) =>
              Math.round(value * 255),
            )}
            shape={[1, 28, 28]}
            label="the drawing as 28 × 28 pixels"
          />
        </div>
        <Probabilities values={probabilities} classes={10} />
      </div>
    </>
  );
}

function Probabilities({
  values,
  classes,
}: {
  values: number[] | null;
  classes: number;
}): JSX.Element {
  const list = values ?? new Array<number>(classes).fill(0);
  const best = values ? values.indexOf(Math.max(...values)) : -1;
  return (
    <div class="probabilities">
      <h2>
        <span role="status">{best < 0 ? "Draw something" : `It says ${best}`}</span>
      </h2>
      <table>
        <caption class="unseen">Probability of each digit</caption>
        <tbody>
          {list.map((value, i) => (
            <tr key={i} class={i === best ? "best" : ""}>
              <th scope="row">{i}</th>
              <td class="bar-cell">
                <span class="bar" style={{ width: `${value * 100}%` }} />
              </td>
              <td class="number">{values ? percent(value, 1) : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
