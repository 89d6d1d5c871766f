// Trials that rest, go on and are stopped, and configurations that are confirmed, as the page shows them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axeViolations, launch, openPage } from "./chromium.mjs";
import { eventually } from "./programs.mjs";
import { resting, World } from "./world.mjs";

let world;
let browser;
let tab;
before(
  async () => {
    world = await World.bare();
    browser = await launch();
    tab = await openPage(browser, world.page);
  },
  { timeout: 240_000 },
);
after(async () => {
  await browser?.close();
  await world?.end();
});

const open = (hash) => tab.page.goto(`${world.page}#/${hash}`);
const counts = async () => (await world.get("sweeps/resting")).trials;
const trials = async () => (await world.get("sweeps/resting/trials")).rows;
const states = () => tab.page.locator("tbody .state").allTextContents();
async function isClean() {
  assert.deepEqual(await axeViolations(tab.page), []);
  assert.deepEqual(tab.complaints.splice(0), []);
}

test("trials that rest are told from those that wait, and from those that were promoted", async () => {
  await world.submit("resting", resting(world.gate));
  await world.openGate(1);
  await eventually("two of six go on", async () => {
    const { on_hold, running } = await counts();
    return on_hold === 4 && running === 2;
  });
  await open("sweeps/resting/trials");
  await eventually("six rows", async () => (await states()).length === 6);
  assert.equal((await states()).filter((state) => state === "on hold").length, 4);
  const rests = (await trials()).find((trial) => trial.state === "on_hold");
  await open(`sweeps/resting/trials/${rests.trial}`);
  await tab.page.locator(".state", { hasText: "on hold" }).first().waitFor();
  await isClean();
  const promoted = (await trials()).find((trial) => trial.state === "running");
  await open(`sweeps/resting/trials/${promoted.trial}`);
  await tab.page.locator(".state", { hasText: "held" }).first().waitFor();
  await isClean();
});

test("what nobody promotes is stopped in the end, and says why", async () => {
  await world.openGate(4);
  await world.completed("resting");
  const { completed, stopped } = await counts();
  assert.deepEqual([completed, stopped], [1, 5]);
  await open("sweeps/resting/trials");
  await eventually("five are stopped", async () => (await states()).filter((state) => state === "stopped").length === 5);
  const ended = (await trials()).filter((trial) => trial.state === "stopped");
  await open(`sweeps/resting/trials/${ended[0].trial}`);
  await tab.page.getByText(/held after epoch \d and not promoted before the end of the sweep/).first().waitFor();
  await isClean();
  const best = (await trials()).find((trial) => trial.state === "completed");
  assert.ok(best.attempt > 1, "it rested and went on");
});

// The section has for each finalist what it was chosen by, beside what its fresh runs gave.
async function isConfirmed(numbers) {
  const document = await world.get("sweeps/resting-confirm/confirmation");
  assert.equal(document.selection, "resting");
  assert.deepEqual(document.finalists.map(({ trial }) => String(trial)), numbers);
  await tab.page.getByRole("link", { name: "Confirmation" }).click();
  const table = tab.page.getByRole("region", { name: "Finalists" });
  await table.waitFor();
  const titles = await table.locator("th").allTextContents();
  const cells = await table.locator("tbody tr").first().locator("td").allTextContents();
  const first = document.finalists[0];
  const shown = (title) => cells[titles.indexOf(title)];
  assert.equal(shown("Finalist"), `resting/${first.trial}`);
  assert.equal(shown("Runs"), "2 of 2");
  assert.match(shown("That qualify"), /^2 \(/);
  assert.equal(shown("Criteria"), "✓ met");
  for (const title of ["Selected by", "Of last", "Confirmed", "Lower bound"]) assert.match(shown(title), /\d/, title);
  assert.equal(shown("95 % interval"), "–", "this trainer has the same accuracy with every seed");
  // The first was trained to its end in the selection; the second was stopped there.
  assert.match(shown("Optimism"), / pt/);
  assert.match(document.finalists[1].optimism_note, /^in the selection a run was stopped after epoch \d of \d$/);
  await tab.page.getByText(`The optimism of #2 is not known: ${document.finalists[1].optimism_note}.`).waitFor();
  await isClean();
}

test("a confirmation says what it confirms, and how many of its runs qualify", async () => {
  await world.sweep("confirm", "resting", "--top", "2", "--replicates", "2");
  await world.completed("resting-confirm");
  const { finalists } = (await world.get("sweeps/resting-confirm")).labels;
  const [first] = finalists.split(" ");
  await open("sweeps/resting-confirm/ranking");
  const link = tab.page.getByRole("link", { name: `resting/${first}` });
  await link.waitFor();
  await tab.page.getByRole("columnheader", { name: "Runs that qualify" }).waitFor();
  const rows = () => tab.page.locator("tbody tr").allTextContents();
  await eventually("two finalists", async () => (await rows()).length === 2);
  assert.match((await rows())[0], /2 of 2/);
  await isClean();
  await isConfirmed(finalists.split(" "));
  await open("sweeps/resting-confirm/ranking");
  await link.click();
  await eventually("its trial", () => tab.page.url().endsWith(`sweeps/resting/trials/${first}`));
});
