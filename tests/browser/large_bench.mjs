// Measures how long a reader of a large sweep waits: 100,000 trials of 20 epochs in a real
// Chromium. Prints a table; ends with 1 when a limit is missed.

import { launch, openPage } from "./chromium.mjs";
import { Program, run, temporaryFolder } from "./programs.mjs";
import { join } from "node:path";

const TRIALS = 100_000;
const EPOCHS = 20;
const ROUNDS = 5;
const PAINT_MS = 1000;
const INTERACTION_MS = 200;

// Runs in the page: clicks (or submits) the element that `target` selects, and waits until `done`
// holds and a frame that shows it has been painted. Both are source text, since they run in the
// browser. Returns the milliseconds until then, and until the page is idle, since other plots
// further down may take longer; the next interaction begins there.
async function timed(page, target, done) {
  return page.evaluate(
    async ([click, holds]) => {
      const until = new Function(`return (${holds})`);
      const begun = performance.now();
      new Function(click)();
      while (!until()) {
        if (performance.now() - begun > 20_000) throw new Error(`waited in vain for ${holds}`);
        await new Promise(requestAnimationFrame);
      }
      // Posted within a frame, so that it is the first task after it.
      await scheduler.postTask(() => {}, { priority: "user-blocking" });
      const painted = performance.now() - begun;
      await new Promise(requestIdleCallback);
      return { painted, idle: performance.now() - begun };
    },
    [target, done],
  );
}

const link = (text) =>
  `[...document.querySelectorAll("main a")].find((a) => a.textContent.trim() === "${text}").click()`;
const button = (text) =>
  `[...document.querySelectorAll("main button")].find((b) => b.textContent.startsWith("${text}")).click()`;
const drawn = (title) =>
  `document.querySelector('.plot-frame[aria-label^="${title}"] svg path') !== null`;
const pager = (text) =>
  `(document.querySelector(".pager")?.textContent ?? "").startsWith("${text}")`;
const filter = `
  const field = document.querySelector(".where input");
  field.value = "lr > 0.05 and best_accuracy >= 90%";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  setTimeout(() => field.form.requestSubmit());`;

// In this order, each from the page as the one before left it.
const INTERACTIONS = [
  ["from the list to the sweep's curves", link("large"), drawn("Learning curves")],
  [
    "curves of losses",
    `const select = [...document.querySelectorAll("label")]
      .find((label) => label.textContent.startsWith("measure")).querySelector("select");
     select.value = "validation_loss";
     select.dispatchEvent(new Event("change", { bubbles: true }));`,
    `/at epoch \\d+ the median is [^%]*, the best [^%]*$/.test(document.querySelector('.plot-frame[aria-label^="Learning curves"]').ariaLabel)`,
  ],
  ["parallel coordinates, slices, contour", link("Parameters"), drawn("Parallel coordinates")],
  ["ranking", link("Ranking"), pager("1–50 of 100,000 configurations")],
  ["ranking, filtered", filter, `${pager("1–50 of")} && !${pager("1–50 of 100,000")}`],
  ["trials", link("Trials"), pager("1–50 of 100,000 trials")],
  ["the next page", button("Next"), pager("51–100 of 100,000")],
  [
    "sorted by accuracy",
    button("Best"),
    `${pager("1–50 of")} && document.querySelector("th[aria-sort=descending]") !== null`,
  ],
  ["filtered", filter, `${pager("1–50 of")} && !${pager("1–50 of 100,000 trials")}`],
  ["attempts", link("Attempts"), pager("1–50 of 100,000 attempts")],
  ["a trial", `document.querySelector("tbody td a").click()`, drawn("Accuracy")],
];

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function measure(browser, origin, figures) {
  const tab = await openPage(browser, origin);
  await tab.page.goto(origin);
  await tab.page.getByRole("link", { name: "large" }).waitFor();
  await tab.page.waitForLoadState("networkidle"); // a reader reads before the first click
  const paint = await tab.page.evaluate(
    () => performance.getEntriesByName("first-contentful-paint")[0].startTime,
  );
  figures["first paint"].push({ painted: paint });
  for (const [name, target, done] of INTERACTIONS) {
    try {
      figures[name].push(await timed(tab.page, target, done));
    } catch (error) {
      throw new Error(`${name}: ${error.message}`);
    }
  }
  await tab.close();
}

const folder = await temporaryFolder();
let coordinator;
let browser;
try {
  await run("fill_database", ["sweep.db", "large", String(TRIALS), String(EPOCHS)], folder.path);
  coordinator = new Program(
    "sweep-coordinator",
    ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--db", join(folder.path, "sweep.db")],
    folder.path,
  );
  const origin = (await coordinator.said(/dashboard on (http:\S+)/))[1];
  browser = await launch();
  const names = ["first paint", ...INTERACTIONS.map(([name]) => name)];
  const cold = Object.fromEntries(names.map((name) => [name, []]));
  await measure(browser, origin, cold); // makes the index
  const figures = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) await measure(browser, origin, figures);
  console.log(
    `| ${TRIALS.toLocaleString("en")} trials × ${EPOCHS} epochs | first time | then, median of ${ROUNDS} | limit | | until idle |`,
  );
  console.log("|---|---|---|---|---|---|");
  for (const name of names) {
    const limit = name === "first paint" ? PAINT_MS : INTERACTION_MS;
    const figure = median(figures[name].map(({ painted }) => painted));
    const idle = median(figures[name].map(({ idle = NaN }) => idle));
    if (figure >= limit) process.exitCode = 1;
    console.log(
      `| ${name} | ${Math.round(cold[name][0].painted)} ms | ${Math.round(figure)} ms | < ${limit} ms | ${figure < limit ? "met" : "missed"} | ${idle ? `${Math.round(idle)} ms` : ""} |`,
    );
  }
} finally {
  await browser?.close();
  await coordinator?.end();
  await folder.remove();
}
