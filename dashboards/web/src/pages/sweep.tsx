// One sweep: a summary, and sections of which only the visible one is fetched.

import type { JSX } from "preact";
import type { SweepView } from "../api";
import { SweepActions } from "../components/actions";
import { Await, CopyButton, Facts, SweepStateText, Text } from "../components/basics";
import { bytes, integer, plural, seconds, timeWithZone, visible } from "../format";
import { useLive } from "../live";
import { sweepHref, trialHref, type Route } from "../router";
import { apiPath } from "../source";
import { BestRun, Criteria, Labels, ProgressBar } from "./sweeps";
import { SweepAttempts } from "./sweep_attempts";
import { isConfirmation, SweepConfirmation } from "./sweep_confirmation";
import { SweepModel } from "./sweep_model";
import { SweepOverview } from "./sweep_overview";
import { SweepParameters } from "./sweep_parameters";
import { SweepPopulation } from "./sweep_population";
import { SweepRanking } from "./sweep_ranking";
import { SweepTrials } from "./sweep_trials";

const SECTIONS = [
  { key: "", title: "Overview" },
  { key: "parameters", title: "Parameters" },
  { key: "model", title: "Model" },
  { key: "ranking", title: "Ranking" },
  { key: "trials", title: "Trials" },
  { key: "attempts", title: "Attempts" },
  { key: "file", title: "File" },
];

// A population has a lineage in the place of a model.
const POPULATION = { key: "population", title: "Population" };

const CONFIRMATION = { key: "confirmation", title: "Confirmation" };

export function sectionsOf(sweep: Pick<SweepView, "method" | "labels">): typeof SECTIONS {
  const sections = SECTIONS.map((section) =>
    section.key === "model" && sweep.method === "pbt" ? POPULATION : section,
  );
  if (isConfirmation(sweep)) sections.splice(1, 0, CONFIRMATION);
  return sections;
}

export function SweepPage({
  name,
  section,
  route,
}: {
  name: string;
  section: string;
  route: Route;
}): JSX.Element {
  const live = useLive<SweepView>(apiPath(["sweeps", name]));
  return (
    <Await live={live} what={`sweep ${name}`}>
      {(sweep) => (
        <>
          <div class="title-row">
            <h1>
              <Text text={sweep.name} wide />{" "}
              <span>
                <SweepStateText sweep={sweep} />
              </span>
            </h1>
            <SweepActions sweep={sweep} onDone={live.refresh} />
          </div>
          {sweep.description && (
            <p class="described">
              <Text text={sweep.description} wide />
            </p>
          )}
          <Facts
            facts={[
              ["trials", <ProgressBar sweep={sweep} />],
              ["best", <BestRun sweep={sweep} />],
              [
                "criteria",
                <span class="criteria">
                  <Criteria sweep={sweep} />
                  {sweep.gates.length > 0 && (
                    <span class="quiet">: {sweep.gates.join(", ")}</span>
                  )}
                </span>,
              ],
              ...(sweep.state === "active"
                ? [["time left", seconds(sweep.seconds_left)] as [string, string]]
                : []),
            ]}
          />
          <Meta sweep={sweep} />
          {sweep.file_refusal && (
            <p class="error">
              <Text
                text={`This build of the coordinator does not accept its file, so it does not run: ${sweep.file_refusal}`}
                wide
              />
            </p>
          )}
          {sweep.pause_reason && (
            <p class="error">
              <Text text={sweep.pause_reason} wide />
            </p>
          )}
          {sweep.search_reason && (
            <p class="note">
              <Text text={sweep.search_reason} wide />
            </p>
          )}
          <nav class="sections" aria-label="sections of the sweep">
            {sectionsOf(sweep).map(({ key, title }) => (
              <a
                key={key}
                href={sweepHref(name, key, { metric: route.query.metric ?? "" })}
                aria-current={key === section ? "page" : undefined}
              >
                {title}
              </a>
            ))}
          </nav>
          <Section sweep={sweep} section={section} route={route} />
        </>
      )}
    </Await>
  );
}

const SHORT = 12; // number of digest digits shown

// The number and kind of trials; `planned_trials` counts each replicate.
export function planText(sweep: SweepView): string {
  if (sweep.file_refusal !== "") return "what was planned is in its file only";
  const epochs = `of ${plural(sweep.epochs, "epoch")}`;
  if (sweep.min_replicates < sweep.replicates) {
    const first = sweep.most_trials > sweep.planned_trials ? `${integer(sweep.planned_trials)} to ` : "";
    return `${sweep.method}, ${sweep.min_replicates} to ${sweep.replicates} replicates, ${first}${plural(sweep.most_trials, "trial")} ${epochs}`;
  }
  if (sweep.replicates < 2) return `${sweep.method}, ${plural(sweep.planned_trials, "trial")} ${epochs}`;
  const configurations = Math.round(sweep.planned_trials / sweep.replicates);
  return `${sweep.method}, ${plural(configurations, "configuration")} × ${sweep.replicates} replicates = ${plural(sweep.planned_trials, "trial")} ${epochs}`;
}

function Meta({ sweep }: { sweep: SweepView }): JSX.Element {
  return (
    <p class="meta">
      <span>{planText(sweep)}</span>
      <span>submitted {timeWithZone(sweep.create_time)}</span>
      {sweep.end_time && <span>ended {timeWithZone(sweep.end_time)}</span>}
      {sweep.archived && <span>archived</span>}
      {sweep.trained_by === "callers" && <span>trained by callers</span>}
      {sweep.revision > 1 && <span>file changed, revision {sweep.revision}</span>}
      {sweep.warm_starts.map(({ source, taken, left_out, reason }) => (
        <span key={source} title={left_out > 0 ? `${left_out} left out because ${reason}` : undefined}>
          knows {plural(taken, "configuration")} of <Text text={source} />
        </span>
      ))}
      <Confirms labels={sweep.labels} />
      {sweep.data_sha256 !== "" && (
        <span title={`SHA-256 of what it is trained on: ${sweep.data_sha256}`}>
          data {sweep.data_sha256.slice(0, SHORT)}…
        </span>
      )}
      {sweep.disk_bytes > 0 && <span>{bytes(sweep.disk_bytes)} on disk</span>}
      {Object.keys(sweep.labels).length > 0 && (
        <span>
          labels <Labels labels={sweep.labels} />
        </span>
      )}
    </p>
  );
}

// Of a sweep that `sweep confirm` has made: its labels say which trials it trains again.
function Confirms({ labels }: { labels: Record<string, string> }): JSX.Element | null {
  const { confirms, finalists } = labels;
  if (!confirms || !finalists) return null;
  return (
    <span class="confirms">
      confirms{" "}
      {finalists.split(" ").map((number, i) => (
        <span key={number}>
          {i > 0 && ", "}
          {__REPORT__ ? (
            `${confirms}/${number}`
          ) : (
            <a href={trialHref(confirms, Number(number))}>
              <Text text={`${confirms}/${number}`} />
            </a>
          )}
        </span>
      ))}{" "}
      with fresh seeds
    </span>
  );
}

function Section({
  sweep,
  section,
  route,
}: {
  sweep: SweepView;
  section: string;
  route: Route;
}): JSX.Element {
  switch (section) {
    case "":
      return <SweepOverview key={sweep.name} sweep={sweep} route={route} />;
    case "confirmation":
      return <SweepConfirmation key={sweep.name} sweep={sweep} />;
    case "parameters":
      return <SweepParameters key={sweep.name} sweep={sweep} route={route} />;
    case "model":
      return <SweepModel key={sweep.name} sweep={sweep} route={route} />;
    case "population":
      return <SweepPopulation key={sweep.name} sweep={sweep} route={route} />;
    case "ranking":
      return <SweepRanking sweep={sweep} route={route} />;
    case "trials":
      return <SweepTrials sweep={sweep} route={route} />;
    case "attempts":
      return <SweepAttempts sweep={sweep} route={route} />;
    case "file":
      return <SweepFile sweep={sweep} />;
    default:
      return <p class="error">A sweep has no section “{section}”.</p>;
  }
}

function SweepFile({ sweep }: { sweep: SweepView }): JSX.Element {
  return (
    <>
      <h2>
        <Text text={sweep.source_file || "Sweep file"} wide /> <CopyButton text={sweep.source} />
      </h2>
      <pre tabIndex={0}>{visible(sweep.source)}</pre>
      {Object.entries(sweep.network_files).map(([file, text]) => (
        <section key={file}>
          <h2>
            <Text text={file} wide /> <CopyButton text={text} />
          </h2>
          <pre tabIndex={0}>{visible(text)}</pre>
        </section>
      ))}
      {sweep.program.length > 0 && (
        <p>
          Trained by its own program: <code>{visible(sweep.program.join(" "))}</code>
        </p>
      )}
      {sweep.data_sha256 !== "" && (
        <p>
          Trained on data with the SHA-256 <code class="digest">{sweep.data_sha256}</code>: a worker with
          other data gets none of its trials.
        </p>
      )}
    </>
  );
}
