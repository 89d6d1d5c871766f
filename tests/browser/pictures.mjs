// Takes the pictures of docs/dashboard.md and the README: a real sweep of 48 small networks, while
// it runs and when it has ended; and of docs/search.md: what a Gaussian process has learned from 40
// configurations. On MNIST if SWEEP_DATA_DIR has it, otherwise on drawn digits.

import { fileURLToPath } from "node:url";
import { launch, openPage } from "./chromium.mjs";
import { eventually, Program, run, temporaryFolder } from "./programs.mjs";

const IMAGES = new URL("../../docs/images/", import.meta.url);
const SECONDS = 1800; // for all of it, on a busy machine

const NETWORK = `
name: two-widths
parameters: {width: 8, width2: 12, dropout: 0}
layers:
  - conv: {out: "\${width}", kernel: 3}
  - batch_norm
  - relu
  - max_pool: 2
  - conv: {out: "\${width2}", kernel: 3}
  - batch_norm
  - relu
  - max_pool: 2
  - dropout: "\${dropout}"
  - conv: {out: 10, kernel: 3}
  - global_avg_pool
`;
const dataset = process.env.SWEEP_DATA_DIR ? "mnist" : "synthetic";
const SWEEP = `
name: digits
description: How small may a network be that reads digits, and what does it take?
model: two-widths.yaml
dataset: {name: ${dataset}, train: 3000, test: 1000}
method: random
parameters:
  lr: {distribution: log_uniform_values, min: 0.005, max: 10}
  momentum: {min: 0.0, max: 0.95}
  batch_size: {values: [16, 32, 64]}
  dropout: {min: 0.0, max: 0.2}
  width: {values: [4, 8, 12, 16]}
  width2: {values: [4, 8, 12, 16]}
  schedule: {values: [constant, cosine, one_cycle]}
epochs: 8
require: {accuracy: ">= 95%", epochs: "< 8", parameters: "< 3000"}
run_cap: 48
seed: 5
labels: {team: vision}
`;

const SEARCHED = `
name: searched
model: two-widths.yaml
dataset: {name: ${dataset}, train: 3000, test: 2000}
method: gp
parameters:
  lr: {distribution: log_uniform_values, min: 0.001, max: 3}
  momentum: {min: 0.0, max: 0.98}
  batch_size: {values: [16, 32, 64, 128]}
  schedule: {values: [constant, cosine, one_cycle]}
epochs: 6
run_cap: 40
seed: 2
`;

// The screen, or with `figure` the plot alone.
async function photograph(browser, origin, hash, name, options) {
  const { title, height, figure, ...look } = options;
  const tab = await openPage(browser, origin, { viewport: { width: 1280, height }, ...look });
  await tab.page.goto(`${origin}#/${hash}`);
  await tab.page
    .locator(`.plot-frame[aria-label^="${title}:"] svg path`)
    .first()
    .waitFor({ state: "attached" });
  // Plots are drawn one after the other; all are drawn when the page is idle.
  await tab.page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
  const path = fileURLToPath(new URL(name, IMAGES));
  if (figure)
    await tab.page.locator("figure", { has: tab.page.locator(`[aria-label^="${title}:"]`) }).screenshot({ path });
  else await tab.page.screenshot({ path });
  await tab.close();
  console.log(`wrote docs/images/${name}`);
}

const CHOICES = ["dashboard", "search"];
const chosen = process.argv.slice(2);
for (const word of chosen)
  if (!CHOICES.includes(word)) throw new Error(`there are no pictures '${word}'; there are ${CHOICES}`);
const isWanted = (word) => chosen.length === 0 || chosen.includes(word);

const folder = await temporaryFolder();
const programs = [];
let browser;
try {
  const coordinator = new Program(
    "sweep-coordinator",
    ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--db", "sweep.db"],
    folder.path,
  );
  programs.push(coordinator);
  const [, address] = await coordinator.said(/listening on (\S+)/);
  const origin = (await coordinator.said(/dashboard on (http:\S+)/))[1].replace(/\/?$/, "/");
  await folder.write("two-widths.yaml", NETWORK);
  const ask = async (sweep) => (await fetch(`${origin}api/sweeps/${sweep}`)).json();
  const submit = async (name, text) => {
    await folder.write(`${name}.yaml`, text);
    await run("sweep", ["submit", `${name}.yaml`, "--coordinator", address], folder.path);
  };
  programs.push(
    new Program(
      "sweep-worker",
      ["--coordinator", address, "--name", "lab-1", "--slots", "2"],
      folder.path,
    ),
  );
  browser = await launch();
  if (isWanted("dashboard")) {
    await submit("digits", SWEEP);
    await eventually(
      "40 trials have ended, and others run",
      async () => {
        const { trials } = await ask("digits");
        return trials.completed + trials.diverged >= 40 && trials.running > 0;
      },
      SECONDS,
    );
    await photograph(browser, origin, "sweeps/digits", "dashboard-sweep.png", {
      title: "Optimisation history",
      height: 1180,
    });
    await eventually("it has ended", async () => (await ask("digits")).state === "completed", SECONDS);
    await photograph(browser, origin, "sweeps/digits/parameters", "dashboard-parameters.png", {
      title: "width2",
      height: 1140,
    });
    const best = (await ask("digits")).best_trial.split("/")[1];
    await photograph(browser, origin, `sweeps/digits/trials/${best}`, "dashboard-trial.png", {
      title: "Confusion matrix",
      height: 1560,
      colorScheme: "dark",
    });
  }
  if (isWanted("search")) {
    await submit("searched", SEARCHED);
    await eventually("it has ended", async () => (await ask("searched")).state === "completed", SECONDS);
    await photograph(browser, origin, "sweeps/searched", "search-history.png", {
      title: "Optimisation history",
      height: 1180,
      figure: true,
    });
    await photograph(browser, origin, "sweeps/searched/model", "search-model.png", {
      title: "schedule",
      height: 655,
    });
  }
} finally {
  await browser?.close();
  for (const program of programs.reverse()) await program.end("SIGKILL");
  await folder.remove();
}
