// A report opens from a disk, without any server, and shows the same as the pages.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { launch, openPage } from "./chromium.mjs";
import { World } from "./world.mjs";

let world;
let browser;
let origin;
let tab;

// What `sweep report` puts into the page.
async function documentsOf(sweep, trials) {
  const path = `sweeps/${sweep}`;
  const paths = [
    path,
    `${path}/curves?metric=accuracy`,
    `${path}/curves?metric=loss`,
    `${path}/points`,
    `${path}/importance`,
  ];
  for (const trial of trials) {
    paths.push(`${path}/trials/${trial}`, `${path}/trials/${trial}/predictions`);
  }
  const documents = {};
  for (const name of paths) documents[`/api/${name}`] = await world.get(name);
  for (const list of ["ranking", "trials"]) {
    documents[`/api/${path}/${list}`] = await world.get(`${path}/${list}?limit=200`);
  }
  return documents;
}

before(
  async () => {
    world = await World.start();
    browser = await launch();
    const outDir = join(world.folder.path, "report");
    await promisify(execFile)("npm", ["run", "build:report", "--", "--outDir", outDir], {
      cwd: process.env.SWEEP_NODE_PACKAGES,
    });
    const page = await readFile(join(outDir, "index.html"), "utf8");
    const text = JSON.stringify(await documentsOf("trained", [1, 5])).replace(/</g, "\\u003c");
    const filled = page.replace(
      /(id="sweep-report">)\{\}(<\/script>)/,
      (_whole, open, close) => open + text + close,
    );
    assert.notEqual(filled, page);
    origin = pathToFileURL(await world.folder.write("report.html", filled)).href;
    tab = await openPage(browser, origin);
  },
  { timeout: 600_000 },
);
after(async () => {
  await browser?.close();
  await world?.end();
});

const open = (hash) => tab.page.goto(`${origin}#/${hash}`);
const frame = (title) => tab.page.locator(`.plot-frame[aria-label^="${title}:"] svg path`).first();

test("it opens with the sweep, its curves and its ranking", async () => {
  await open("");
  await tab.page.getByRole("heading", { name: /trained/ }).waitFor();
  for (const title of ["Learning curves", "Optimisation history"])
    await frame(title).waitFor({ state: "attached" });
  await tab.page.getByRole("radio", { name: "loss" }).check({ force: true });
  await tab.page.locator('.plot-frame[aria-label^="Learning curves"] svg').waitFor();
  assert.equal(await tab.page.locator("tbody tr").count(), 5);
  assert.equal(await tab.page.getByRole("button", { name: /Cancel|Pause|Retry/ }).count(), 0);
});

test("it has the parameters, and sorts and filters by itself", async () => {
  await open("sweeps/trained/parameters");
  await frame("Parallel coordinates").waitFor({ state: "attached" });
  await open("sweeps/trained/trials");
  await tab.page.getByRole("button", { name: "Best" }).click();
  await tab.page.locator("th[aria-sort=descending]").waitFor();
  const best = (await tab.page.locator("tbody tr td:nth-child(5)").allTextContents()).map(
    parseFloat,
  );
  assert.deepEqual(
    best,
    [...best].sort((a, b) => b - a),
  );
});

test("it has the winner's epochs, attempts and commands, and says which trials it lacks", async () => {
  await open("sweeps/trained/trials/5");
  for (const title of ["Loss", "Accuracy", "Confusion matrix"])
    await frame(title).waitFor({ state: "attached" });
  await tab.page.getByRole("region", { name: "Attempts" }).waitFor();
  assert.match(await tab.page.locator("h2:has-text('Repeat it') + pre").textContent(), /sweep/);
  await open("sweeps/trained/trials/2");
  await tab.page.getByText("this report does not have it").waitFor();
});

test("nothing was asked of any server, and nothing complained", () => {
  assert.deepEqual(tab.complaints, []);
});
