// The frame around the pages.

import type { JSX } from "preact";
import { Component, type ComponentChildren } from "preact";
import { lazy, Suspense } from "preact/compat";
import { useEffect, useRef } from "preact/hooks";
import type { ReportInfo, SweepsView } from "./api";
import { CompareBar } from "./components/compare_tick";
import { shorten, timeWithZone } from "./format";
import { useLive, useUnreachable } from "./live";
import { reportDocuments, reportedSweep } from "./report";
import { href, useRoute, type Route } from "./router";
import { apiPath } from "./source";
import { toggleTheme, useTheme } from "./theme";
import { SweepsPage } from "./pages/sweeps";

// Pages other than the first are loaded when they are opened.
const sweepPage = (): Promise<typeof import("./pages/sweep")> => import("./pages/sweep");
const SweepPage = lazy(() => sweepPage().then((module) => module.SweepPage));
const TrialPage = lazy(() => import("./pages/trial").then((module) => module.TrialPage));
const WorkersPage = lazy(() => import("./pages/workers").then((module) => module.WorkersPage));
const ComparePage = lazy(() => import("./pages/compare").then((module) => module.ComparePage));
const DrawPage = lazy(() => import("./pages/draw").then((module) => module.DrawPage));

const PREFETCH_MS = 300;
async function prefetch(): Promise<void> {
  await sweepPage();
  const { warmUp } = await import("./plots/echarts");
  setTimeout(warmUp);
}

function Page({ route }: { route: Route }): JSX.Element {
  const [first = "", name = "", section = "", trial = ""] = route.parts;
  if (first === "" && __REPORT__)
    return <SweepPage name={reportedSweep(reportDocuments())} section="" route={route} />;
  if (first === "" || (first === "sweeps" && name === "")) return <SweepsPage route={route} />;
  if (first === "sweeps" && name !== "" && section === "trials" && /^\d+$/.test(trial)) {
    return <TrialPage key={`${name}/${trial}`} sweep={name} number={Number(trial)} route={route} />;
  }
  if (first === "sweeps" && name !== "" && trial === "")
    return <SweepPage key={name} name={name} section={section} route={route} />;
  if (first === "workers") return <WorkersPage />;
  if (first === "compare") return <ComparePage route={route} />;
  if (first === "draw") return <DrawPage route={route} />;
  return (
    <>
      <h1>No such page</h1>
      <p class="empty">
        There is nothing at “{shorten(route.parts.join("/"), 80)}”. There are{" "}
        {LINKS.map(({ path, title }, i) => (
          <span key={path}>
            {i > 0 && ", "}
            <a href={href(path ? [path] : [])}>{title}</a>
          </span>
        ))}
        .
      </p>
    </>
  );
}

const LINKS = __REPORT__
  ? [
      { path: "", title: "Report" },
      { path: "compare", title: "Compare" },
    ]
  : [
      { path: "", title: "Sweeps" },
      { path: "workers", title: "Workers" },
      { path: "compare", title: "Compare" },
      { path: "draw", title: "Draw a digit" },
    ];

function titleOf(route: Route): string {
  const [first = "", name = "", , trial = ""] = route.parts;
  const page =
    first === "sweeps"
      ? [name, trial].filter(Boolean).join("/")
      : (LINKS.find((link) => link.path === first)?.title ?? "");
  return page && page !== "Sweeps" ? `${page} – Sweep` : "Sweep";
}

export function App(): JSX.Element {
  const route = useRoute();
  const unreachable = useUnreachable();
  const main = useRef<HTMLElement>(null);
  const place = route.parts.join("/");
  const visited = useRef(place);
  // Loads the likely next pages while the browser is idle.
  useEffect(() => {
    const timer = setTimeout(() => void prefetch(), PREFETCH_MS);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    document.title = titleOf(route);
    if (visited.current === place) return;
    visited.current = place;
    // As for a new page in a browser: scroll to the top, focus its start.
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [place]);
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        To the content
      </a>
      <Header first={route.parts[0] ?? ""} />
      {unreachable && (
        <p class="banner" role="alert">
          Coordinator unreachable, trying again. What you see may be old.
        </p>
      )}
      <main ref={main} id="main" tabIndex={-1}>
        <Boundary key={place}>
          <Suspense
            fallback={
              <p class="quiet" aria-busy="true">
                Loading…
              </p>
            }
          >
            <Page route={route} />
          </Suspense>
        </Boundary>
      </main>
      {route.parts[0] !== "compare" && <CompareBar />}
    </>
  );
}

function Header({ first }: { first: string }): JSX.Element {
  const theme = useTheme();
  const place = first === "sweeps" ? "" : first;
  return (
    <header class="top">
      <a class="brand" href={href([])}>
        Sweep
      </a>
      <nav aria-label="pages">
        {LINKS.map(({ path, title }) => (
          <a
            key={path}
            href={href(path ? [path] : [])}
            aria-current={path === place ? "page" : undefined}
          >
            {title}
          </a>
        ))}
      </nav>
      <span class="grow" />
      {__REPORT__ ? <Written /> : <Version />}
      <button type="button" class="small" onClick={toggleTheme}>
        {theme === "dark" ? "Light" : "Dark"}
      </button>
    </header>
  );
}

function Written(): JSX.Element | null {
  const info = useLive<ReportInfo>(apiPath(["report"]), { once: true }).data;
  return info ? <span class="quiet version">written {timeWithZone(info.time)} by Sweep {info.version}</span> : null;
}

function Version(): JSX.Element | null {
  const coordinator = useLive<SweepsView>(apiPath(["sweeps"], { page_size: 1 }), { once: true })
    .data?.coordinator;
  return coordinator ? (
    <span class="quiet version" title={coordinator.database}>
      {coordinator.version}
    </span>
  ) : null;
}

// Shows the error of a failed page without affecting the others. A page that could not be fetched,
// as after an update of the coordinator, works after a reload.
class Boundary extends Component<{ children: ComponentChildren }, { fault: string }> {
  override state = { fault: "" };
  static override getDerivedStateFromError(error: unknown): { fault: string } {
    return { fault: String(error) };
  }
  render(): ComponentChildren {
    if (this.state.fault)
      return (
        <p class="error" role="alert">
          This page has a fault: {this.state.fault}{" "}
          <button type="button" class="small" onClick={() => location.reload()}>
            Load it again
          </button>
        </p>
      );
    return this.props.children;
  }
}
