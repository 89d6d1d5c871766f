// The commands that repeat the training of a sweep's best trial.

import type { JSX } from "preact";
import type { SweepView, TrialView } from "../api";
import { Await, CopyButton } from "../components/basics";
import { splitTrial } from "../format";
import { useLive } from "../live";
import { trialHref } from "../router";
import { apiPath } from "../source";

export function Winner({ sweep }: { sweep: SweepView }): JSX.Element | null {
  const best = splitTrial(sweep.best_trial);
  const live = useLive<TrialView>(best ? apiPath(["sweeps", best.sweep, "trials", best.trial]) : "");
  if (!best) return null;
  return (
    <Await live={live} what={`trial ${sweep.best_trial}`}>
      {(trial) => trial.replay.length === 0 ? null : (
        <>
          <h2>Repeat the best, <a href={trialHref(best.sweep, best.trial)}>{sweep.best_trial}</a> <CopyButton text={trial.replay.join("\n")} label="Copy commands" /></h2>
          <pre tabIndex={0}>{trial.replay.join("\n")}</pre>
        </>
      )}
    </Await>
  );
}
