// The basic things that a page must do. Takes less than a minute.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, openPage } from "./chromium.mjs";
import { eventually } from "./programs.mjs";
import { World } from "./world.mjs";

let world;
let browser;
let tab;
before(
  async () => {
    world = await World.start();
    browser = await launch();
    tab = await openPage(browser, world.page);
  },
  { timeout: 240_000 },
);
after(async () => {
  await browser?.close();
  await world?.end();
});

test("an address without # leads to its page, and one that is nobody's says so", async () => {
  await tab.page.goto(`${world.page}sweeps/trained/trials?sort=lr`);
  await tab.page.getByRole("heading", { name: /trained/, level: 1 }).waitFor();
  assert.equal(tab.page.url(), `${world.page}#/sweeps/trained/trials?sort=lr`);
  await tab.page.goto(`${world.page}workers`);
  await tab.page.getByRole("heading", { name: "Workers" }).waitFor();
  assert.deepEqual(tab.complaints, []);
  await tab.page.goto(`${world.page}trained`);
  await tab.page.getByRole("link", { name: "the sweeps" }).click();
  await tab.page.getByRole("link", { name: "trained", exact: true }).waitFor();
  tab.complaints.splice(0); // Chromium logs an answer of 404
  await open("sweeps/trained/nowhere/4/5");
  await tab.page.getByRole("heading", { name: "No such page" }).waitFor();
});

const open = (hash) => tab.page.goto(`${world.page}#/${hash}`);

test("the list has every sweep with its state", async () => {
  await open("");
  for (const [name, state] of [
    ["trained", "completed"],
    ["live", "active"],
    ["failing", "completed"],
    ["empty", "paused"],
  ]) {
    await tab.page
      .locator("tr", { has: tab.page.getByRole("link", { name, exact: true }) })
      .getByText(state, { exact: true })
      .waitFor();
  }
});

test("a running sweep draws new epochs by itself", async () => {
  await open("sweeps/live");
  await tab.page.getByText("No trial has finished an epoch yet.").waitFor();
  await world.openGate(1);
  await tab.page
    .locator('.plot-frame[aria-label^="Learning curves"][aria-label*="at epoch 1"] svg')
    .waitFor();
  await world.openGate(2);
  await tab.page
    .locator('.plot-frame[aria-label^="Learning curves"][aria-label*="at epoch 2"] svg')
    .waitFor();
});

test("the parameters of a finished sweep are plotted", async () => {
  await open("sweeps/trained/parameters");
  for (const title of [
    "Parallel coordinates",
    "Contour",
    "lr",
    "momentum",
  ]) {
    await tab.page
      .locator(`.plot-frame[aria-label^="${title}"] svg path`)
      .first()
      .waitFor({ state: "attached" });
  }
  // All networks have one size.
  assert.equal(await tab.page.getByText("Accuracy against parameters").count(), 0);
});

test("a trial shows its epochs, its network, its mistakes and its commands, and gives its weights", async () => {
  await open("sweeps/trained/trials/1");
  for (const title of ["Train loss, loss", "Accuracy, train accuracy", "Confusion matrix"])
    await tab.page
      .locator(`.plot-frame[aria-label^="${title}"] svg path`)
      .first()
      .waitFor({ state: "attached" });
  await tab.page.getByText("Network cnn-18718").waitFor();
  assert.match(await tab.page.locator("svg.network").getAttribute("aria-label"), /conv 10 3×3/);
  assert.match(
    await tab.page.locator("h2:has-text('Repeat it') + pre").textContent(),
    /sweep train cnn-18718/,
  );
  const [download] = await Promise.all([
    tab.page.waitForEvent("download"),
    tab.page.getByRole("link", { name: /Weights of the best epoch/ }).click(),
  ]);
  assert.equal(download.suggestedFilename(), "trained-1-best.safetensors");
});

test("hostile names stay text", async () => {
  await open("sweeps/hostile/trials/1");
  await tab.page.locator(".log", { hasText: "<script>document.title='owned'" }).waitFor();
  assert.match(await tab.page.title(), /^hostile\/1/);
});

test("nothing was complained of", async () => {
  await eventually(
    "requests have ended",
    async () => (await tab.page.locator("[aria-busy]").count()) === 0,
  );
  assert.deepEqual(tab.complaints, []);
});
