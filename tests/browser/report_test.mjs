// A report opens from a disk, without a server, and shows the same as the pages.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { launch, openPage } from "./chromium.mjs";
import { World } from "./world.mjs";

let world;
let browser;
let origin;
let tab;

before(
  async () => {
    world = await World.start();
    browser = await launch();
    await world.sweep("report", "trained", "-o", "report.html", "--details", "3");
    origin = pathToFileURL(join(world.folder.path, "report.html")).href;
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
  await tab.page.getByRole("heading", { name: /trained/, level: 1 }).waitFor();
  for (const title of ["Learning curves", "Optimisation history"])
    await frame(title).waitFor({ state: "attached" });
  await tab.page.getByLabel("measure").selectOption("validation_loss");
  await tab.page.locator('.plot-frame[aria-label^="Learning curves: loss of"] svg').waitFor();
  assert.equal(await tab.page.locator("tbody tr").count(), 5);
  assert.equal(await tab.page.getByRole("button", { name: /Cancel|Pause|Retry/ }).count(), 0);
});

test("it has the parameters, and sorts and filters by itself", async () => {
  await open("sweeps/trained/parameters");
  await frame("Parallel coordinates").waitFor({ state: "attached" });
  await open("sweeps/trained/trials");
  await tab.page.getByRole("button", { name: "Best", exact: true }).click();
  await tab.page.locator("th[aria-sort=descending]").waitFor();
  const best = (await tab.page.locator("tbody tr td:nth-child(3)").allTextContents()).map(
    parseFloat,
  );
  assert.deepEqual(
    best,
    [...best].sort((a, b) => b - a),
  );
});

test("it has what the search has learned", async () => {
  await open("sweeps/trained/model");
  await tab.page.getByText("grid chooses points without looking at results").waitFor();
  await world.sweep("report", "learning", "-o", "learning.html");
  const file = pathToFileURL(join(world.folder.path, "learning.html")).href;
  const other = await openPage(browser, file);
  await other.page.goto(`${file}#/sweeps/learning/model`);
  for (const name of ["lr", "width", "kind"])
    await other.page
      .locator(`.plot-frame[aria-label^="${name}: accuracy of 16 trials"] svg path`)
      .first()
      .waitFor({ state: "attached" });
  await other.page
    .locator('.plot-frame[aria-label^="lr, chance: the chance that a run meets"] svg path')
    .first()
    .waitFor({ state: "attached" });
  assert.deepEqual(other.complaints, []);
  await other.close();
});

test("it has the ledger, the winner's page and commands, and says which trials it lacks", async () => {
  await open("sweeps/trained/attempts");
  await tab.page.getByText("1–6 of 6 attempts").waitFor();
  await open("");
  await tab.page.locator("h2:has-text('Repeat the best') a").click();
  for (const title of ["Train loss, loss", "Accuracy, train accuracy", "Confusion matrix"])
    await frame(title).waitFor({ state: "attached" });
  await tab.page.getByRole("region", { name: "Attempts" }).waitFor();
  assert.match(await tab.page.locator("h2:has-text('Repeat it') + pre").textContent(), /sweep/);
  await open("sweeps/trained/ranking");
  await tab.page.locator("tbody tr").last().getByRole("link").click();
  await tab.page.getByText("this report does not have it").waitFor();
});

test("nothing was asked of any server, and nothing complained", () => {
  assert.deepEqual(tab.complaints, []);
});
