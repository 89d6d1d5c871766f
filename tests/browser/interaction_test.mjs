// The actions of a reader: filter, sort, page, zoom, brush, save, compare, draw, act.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { launch, openPage } from "./chromium.mjs";
import { BIN, eventually, run } from "./programs.mjs";
import { World } from "./world.mjs";

let world;
let browser;
let tab;
let gate = 0;
before(
  async () => {
    world = await World.start();
    browser = await launch();
  },
  { timeout: 240_000 },
);
after(async () => {
  await browser?.close();
  await world?.end();
});
beforeEach(async () => {
  tab = await openPage(browser, world.page);
});
afterEach(async () => {
  const { complaints } = tab;
  await tab.close();
  assert.deepEqual(complaints, []);
});

const open = (hash) => tab.page.goto(`${world.page}#/${hash}`);
const trials = () => tab.page.locator("tbody tr td:nth-child(2)").allTextContents();
const frame = (title) => tab.page.locator(`.plot-frame[aria-label^="${title}:"]`);
async function trainOneEpochMore() {
  gate += 1;
  await world.openGate(gate);
  await eventually(
    `epoch ${gate}`,
    async () => (await world.get("sweeps/live/trials/1")).epoch === gate,
  );
}

test("trials are filtered and sorted by the server, and the address keeps it", async () => {
  await open("sweeps/trained/trials");
  await eventually("six rows", async () => (await trials()).length === 6);
  await tab.page.getByLabel("where").fill("lr >= 0.05 and momentum == 0.9");
  await tab.page.getByLabel("where").press("Enter");
  await eventually("two rows", async () => (await trials()).length === 2);
  await tab.page.getByRole("button", { name: /^lr/ }).click();
  await eventually("sorted", async () =>
    (await tab.page.locator("th[aria-sort=descending]").textContent()).startsWith("lr"),
  );
  const down = await trials();
  await tab.page.getByRole("button", { name: /^lr/ }).click();
  await eventually(
    "sorted the other way",
    async () => JSON.stringify(await trials()) === JSON.stringify([...down].reverse()),
  );
  await tab.page.reload();
  assert.equal(await tab.page.getByLabel("where").inputValue(), "lr >= 0.05 and momentum == 0.9");
  await eventually("still two rows", async () => (await trials()).length === 2);
  await tab.page.getByLabel("state").selectOption("failed");
  await tab.page.getByText("no trial matches").waitFor();
});

test("a ranking is filtered and sorted by the server, and keeps its ranks", async () => {
  await open("sweeps/trained/ranking");
  const ranks = async () => (await trials()).map(Number); // the same column
  await eventually("all", async () => (await ranks()).join() === "1,2,3,4,5,6");
  await tab.page.getByRole("button", { name: "#" }).click();
  await eventually("the other way", async () => (await ranks()).join() === "6,5,4,3,2,1");
  await tab.page.getByRole("button", { name: "Accuracy" }).click();
  await tab.page.locator("th[aria-sort=descending]", { hasText: "Accuracy" }).waitFor();
  await eventually("the best first", async () => {
    const values = (await tab.page.locator("tbody strong").allTextContents()).map(parseFloat);
    return values.length === 6 && values.every((value, i) => i === 0 || value <= values[i - 1]);
  });
  await tab.page.getByLabel("where").fill("lr >= 0.05");
  await tab.page.getByLabel("where").press("Enter");
  await eventually("fewer", async () => {
    const left = await ranks();
    return left.length > 0 && left.length < 6 && new Set(left).size === left.length;
  });
  await tab.page.getByLabel("where").fill("color > 1");
  await tab.page.getByLabel("where").press("Enter");
  await tab.page.getByRole("alert").getByText("there is no 'color'").waitFor();
  tab.complaints.splice(0);
  await tab.page.getByRole("button", { name: "Clear" }).click();
  await eventually("all again", async () => (await ranks()).length === 6);
  await tab.page.getByRole("combobox", { name: "configurations" }).selectOption("1");
  const { total } = await world.get("sweeps/trained/ranking?qualifying=1");
  await eventually(
    "those that qualify",
    async () => (await tab.page.locator("tbody tr.qualifies").count()) === total,
  );
  assert.match(tab.page.url(), /qualifying=1/);
});

test("a page that is on its way is not told from the old one's numbers, and keeps the focus", async () => {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await tab.page.route("**/api/sweeps/trained/trials?*", async (route) => {
    if (route.request().url().includes("offset=6")) await released;
    const answer = await route.fetch();
    const view = await answer.json();
    await route.fulfill({ json: { ...view, total: 120 } }); // as if there were more
  });
  await open("sweeps/trained/trials");
  const pager = tab.page.locator(".pager");
  const next = pager.getByRole("button", { name: "Next" });
  await eventually("six of them", async () => (await pager.textContent()).startsWith("1–6 of 120"));
  await next.click();
  await eventually("it waits", async () => (await pager.textContent()).startsWith("from 7 …"));
  assert.equal(await next.getAttribute("aria-disabled"), "true");
  await next.click({ force: true }); // must do nothing
  assert.match(tab.page.url(), /offset=6/);
  release();
  await eventually("it is there", async () => (await pager.textContent()).startsWith("7–"));
  assert.equal(await tab.page.evaluate(() => document.activeElement.textContent), "Next");
  await tab.page.unrouteAll({ behavior: "ignoreErrors" });
});

test("a wrong expression is answered in one line, and the next one works", async () => {
  await open("sweeps/trained/trials");
  await tab.page.getByLabel("where").fill("lrr > 1");
  await tab.page.getByLabel("where").press("Enter");
  const error = tab.page.getByRole("alert");
  await error.waitFor();
  assert.match(await error.textContent(), /lrr/);
  await tab.page.getByLabel("where").fill("lr > 0");
  await tab.page.getByLabel("where").press("Enter");
  await eventually("six rows", async () => (await trials()).length === 6);
  assert.equal(await error.count(), 0);
  tab.complaints.splice(0); // Chromium logs every answer of 400
});

test("a filter half typed stays when new epochs come", async () => {
  await open("sweeps/live/trials");
  await tab.page.getByLabel("where").pressSequentially("epoch >");
  await trainOneEpochMore();
  await tab.page.getByText(`${gate}/5`).first().waitFor();
  assert.equal(await tab.page.getByLabel("where").inputValue(), "epoch >");
  assert.equal(await tab.page.evaluate(() => document.activeElement?.tagName), "INPUT");
  await tab.page.getByLabel("where").fill("");
});

test("zoom stays when new epochs come", async () => {
  if (gate === 0) await trainOneEpochMore();
  await open("sweeps/live");
  const plot = frame("Learning curves");
  await plot.locator("svg").waitFor();
  const ticks = async () => JSON.stringify(await plot.locator("svg text").allTextContents());
  const before = await ticks();
  await plot.hover();
  await tab.page.keyboard.down("Shift");
  for (let i = 0; i < 8; i += 1) await tab.page.mouse.wheel(0, -200);
  await tab.page.keyboard.up("Shift");
  await eventually("zoomed", async () => (await ticks()) !== before);
  await trainOneEpochMore();
  await tab.page.locator(`.plot-frame[aria-label*="at epoch ${gate}"]`).first().waitFor();
  const texts = JSON.parse(await ticks());
  const percents = texts.filter((text) => text.endsWith(" %"));
  assert.ok(percents.length > 1, `the accuracy has too few labels: ${texts}`);
  const xTicks = texts.filter((text) => /^[\d.]+$/.test(text));
  assert.ok(!xTicks.includes("5") || !xTicks.includes("1"), `the whole axis is back: ${xTicks}`);
  await tab.page.getByRole("button", { name: "Reset zoom of Learning curves" }).click();
  await eventually("all epochs again", async () => {
    const texts = JSON.parse(await ticks());
    return texts.includes("1") && texts.includes("5");
  });
});

test("an axis has labels after it was made linear and logarithmic again", async () => {
  await open("sweeps/live");
  const plot = frame("Learning curves");
  await plot.locator("svg").waitFor();
  const percents = async () =>
    (await plot.locator("svg text").allTextContents()).filter((text) => text.endsWith(" %"));
  const logarithmic = await percents();
  assert.ok(logarithmic.length > 1, `of the log of the error: ${logarithmic}`);
  await tab.page.getByText("linear", { exact: true }).click();
  await eventually("linear labels", async () => {
    const linear = await percents();
    return linear.length > 1 && linear.join() !== logarithmic.join();
  });
  await tab.page.getByText("log of error", { exact: true }).click();
  await eventually("the first labels again", async () => {
    return (await percents()).join() === logarithmic.join();
  });
});

test("a brush keeps trials, and stays when new epochs come", async () => {
  await open("sweeps/live/parameters");
  const plot = frame("Parallel coordinates");
  await plot.locator("svg path").first().waitFor({ state: "attached" });
  const box = await plot.boundingBox();
  const x = box.x + 40; // the first axis, lr from 0.1 at the bottom to 0.4 at the top
  await tab.page.mouse.move(x, box.y + box.height * 0.75);
  await tab.page.mouse.down();
  await tab.page.mouse.move(x, box.y + box.height * 0.85, { steps: 5 });
  await tab.page.mouse.move(x, box.y + box.height - 26, { steps: 5 });
  await tab.page.mouse.up();
  const note = tab.page.getByText(/of 2 trials/);
  await note.waitFor();
  const said = await note.textContent();
  await trainOneEpochMore();
  await eventually(
    "the new epoch is there",
    async () => (await world.get("sweeps/live/points")).rows.length >= 2,
  );
  await tab.page.waitForResponse((response) => response.url().includes("/points"));
  assert.equal(await note.textContent(), said);
  await tab.page.getByRole("button", { name: "Clear the brush" }).click();
  await tab.page.getByText("Drag along an axis").waitFor();
});

test("the curve under the pointer says which it is, and a click opens its trial", async () => {
  await open("sweeps/trained");
  const plot = frame("Learning curves");
  await plot.locator("svg path").first().waitFor({ state: "attached" });
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  const tip = tab.page.locator(".curve-tip .strong");
  // Move down through the plot until a curve is near.
  let named = "";
  for (let y = 40; y < box.height - 50 && !named.startsWith("trial"); y += 8) {
    await tab.page.mouse.move(box.x + box.width * 0.6, box.y + y);
    await tab.page.evaluate(() => new Promise(requestAnimationFrame)); // the page sees the move
    named = (await tip.count()) > 0 ? await tip.textContent() : "";
  }
  assert.match(named, /^trial \d+/);
  assert.match(await tab.page.locator(".curve-tip").textContent(), /at epoch \d+, best .*=/);
  await tab.page.mouse.down();
  await tab.page.mouse.up();
  const trial = named.match(/\d+/)[0];
  await eventually("the trial", () => tab.page.url().includes(`trials/${trial}`));
});

test("curves are coloured by what the reader chooses", async () => {
  await open("sweeps/trained");
  const plot = frame("Learning curves");
  await plot.locator("svg path").first().waitFor({ state: "attached" });
  const colours = () =>
    plot.locator("svg path").evaluateAll((paths) =>
      JSON.stringify(paths.map((path) => path.getAttribute("stroke"))),
    );
  const byRank = await colours();
  await tab.page.getByLabel("colour by").selectOption({ index: 1 });
  await eventually("other colours", async () => (await colours()) !== byRank);
});

test("the plots of a sweep show the measure that is chosen, which the address keeps", async () => {
  await open("sweeps/trained");
  const plot = frame("Learning curves");
  await plot.locator("svg path").first().waitFor({ state: "attached" });
  await tab.page.getByLabel("measure").selectOption("validation_loss");
  const label = (text) => tab.page.locator(`.plot-frame[aria-label*="${text}"]`).first();
  await label("loss of 6 trials").waitFor();
  assert.match(tab.page.url(), /metric=validation_loss/);
  await tab.page.reload();
  await label("loss of 6 trials").waitFor();
  await tab.page.getByRole("link", { name: "Parameters", exact: true }).click();
  await label("and loss").waitFor();
  assert.equal(await tab.page.getByLabel("measure").inputValue(), "validation_loss");
});

test("a program without accuracy has no word of it on any page", async () => {
  const word = /accurac|\bloss/i;
  const said = async () => {
    const main = tab.page.locator("main");
    const labels = await main.locator("[aria-label]").evaluateAll((all) => all.map((one) => one.ariaLabel));
    return `${await main.innerText()} ${labels.join(" ")}`;
  };
  for (const [path, text] of [
    ["sweeps/program", "val/f1"],
    ["sweeps/program/parameters", "latency"],
    ["sweeps/program/ranking", "val/f1"],
    ["sweeps/program/trials", "val/f1"],
    ["sweeps/program/trials/1", "best val/f1"],
    ["compare?trials=program%2F1,program%2F2", "best val/f1"],
  ]) {
    await open(path);
    await eventually(`${path} is there`, async () => (await said()).includes(text));
    await tab.page.waitForLoadState("networkidle");
    assert.doesNotMatch(await said(), word, path);
  }
  await open("");
});

test("several objectives have a column each, and a plot of their front", async () => {
  await open("sweeps/program/ranking");
  await eventually("six rows", async () => (await trials()).length === 6);
  const titles = (await shownColumns()).map((title) => title.replace(/ [↑↓]$/, ""));
  assert.deepEqual(titles.slice(0, 6), ["Compare", "#", "Trial", "val/f1", "latency", "Front"]);
  await tab.page.locator("thead").getByRole("button", { name: "latency" }).click();
  await tab.page.locator("th[aria-sort]", { hasText: "latency" }).waitFor();
  await open("sweeps/program/parameters");
  await frame("val/f1 against latency").locator("svg path").first().waitFor({ state: "attached" });
});

test("what the search has learned is drawn along every parameter", async () => {
  await open("sweeps/learning/model");
  for (const name of ["lr", "width", "kind"])
    await frame(name).locator("svg path").first().waitFor({ state: "attached" });
  assert.match(
    await frame("lr").getAttribute("aria-label"),
    /^lr: accuracy of 16 trials over lr; .* % is expected at lr = 0\.[01]/,
  );
  await tab.page.getByText("gp has learned from 16 configurations.").waitFor();
  await tab.page.getByRole("button", { name: "lr as a table" }).click();
  const table = tab.page.getByRole("region", { name: "lr, numbers" });
  assert.deepEqual(await table.locator("thead th").allTextContents(), [
    "lr", "expected accuracy", "2.5 %", "97.5 %", "gain",
  ]);
  assert.ok((await table.locator("tbody tr").count()) >= 50);
  // The trial with the ring is the best, and has a link.
  const { best_trial } = await world.get("sweeps/learning");
  await tab.page.locator("p.note").getByRole("link", { name: /^trial \d+$/ }).first().click();
  await eventually("the trial", () => tab.page.url().endsWith(best_trial.replace("/", "/trials/")));
  await open("sweeps/trained/model");
  await tab.page.getByText("grid chooses points without looking at results").waitFor();
});

test("the region in which runs qualify is a table and a plot of each parameter", async () => {
  await open("sweeps/learning/model");
  await tab.page.getByRole("heading", { name: "Where runs qualify" }).waitFor();
  for (const name of ["lr", "width", "kind"])
    await frame(`${name}, chance`).locator("svg path").first().waitFor({ state: "attached" });
  assert.match(
    await frame("lr, chance").getAttribute("aria-label"),
    /^lr, chance: the chance that a run meets the criteria over lr; the region has 0\.\d+ to 0\.\d+/,
  );
  const region = await world.get("sweeps/learning/region");
  assert.equal(region.answer, "found");
  const rows = tab.page.getByRole("region", { name: "The region in which runs qualify" }).locator("tbody tr");
  assert.equal(await rows.count(), 3);
  assert.match(await rows.nth(0).innerText(), /^lr\s+0\.\d+ to 0\.\d+\s+0\.01\d* to /);
  await tab.page.getByText(`Of the sweep's own ${region.runs_inside} run`).waitFor();
  await tab.page.getByText("The green ground is the region in which runs qualify, below.").waitFor();
  const shares = tab.page.getByRole("group", { name: "share of runs" });
  assert.equal(await shares.getByRole("radio", { checked: true }).getAttribute("value"), "0.9");
  await shares.getByText("80 %").click();
  await tab.page.getByText("At least 80 % of the runs").waitFor();
  assert.match(tab.page.url(), /share=0\.8$/);
  await open("sweeps/empty/model");
  await tab.page.getByText("The sweep file requires nothing of a measure").waitFor();
});

test("a model says how many results it waits for, and while it is computed", async () => {
  const path = "**/api/sweeps/learning/model";
  await tab.page.route(path, (route) =>
    route.fulfill({
      json: { method: "gp", metric: "validation_accuracy", ready: false, configurations: 0, note: "", slices: [] },
    }),
  );
  await open("sweeps/learning/model");
  await tab.page.getByText("The model is being computed.").waitFor();
  await tab.page.unroute(path);
  await frame("lr").locator("svg path").first().waitFor({ state: "attached" });
});

test("curves of one trial are chosen, and those of one unit share an axis", async () => {
  await open("sweeps/program/trials/1");
  for (const title of ["val/f1", "latency"])
    await frame(title).locator("svg path").first().waitFor({ state: "attached" });
  await tab.page.getByText("Measures", { exact: true }).click();
  await tab.page.getByRole("checkbox", { name: "epsilon" }).check();
  await frame("val/f1, epsilon").locator("svg path").first().waitFor({ state: "attached" });
  await tab.page.getByRole("checkbox", { name: "latency" }).uncheck();
  await eventually("one plot", async () => (await tab.page.locator(".plot-frame").count()) === 1);
  assert.match(tab.page.url(), /metric=val%2Ff1%2Cepsilon/);
  await tab.page.getByRole("button", { name: "val/f1, epsilon as a table" }).click();
  const table = tab.page.getByRole("region", { name: "val/f1, epsilon, numbers" });
  assert.deepEqual(await table.locator("thead th").allTextContents(), [
    "attempt", "epoch", "val/f1", "latency", "epsilon",
  ]);
  assert.deepEqual(await table.locator("tbody tr td:nth-child(2)").allTextContents(), ["2", "4"]);
});

test("every plot is saved as SVG and as PNG", async () => {
  await open("sweeps/trained/parameters");
  await frame("momentum").locator("svg path").first().waitFor({ state: "attached" });
  for (const button of await tab.page
    .getByRole("button", { name: /^Save .* as (SVG|PNG)$/ })
    .all()) {
    const [download] = await Promise.all([tab.page.waitForEvent("download"), button.click()]);
    const bytes = await readFile(await download.path());
    if (download.suggestedFilename().endsWith(".svg")) {
      assert.match(bytes.toString(), /^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
      assert.match(bytes.toString(), /<path|<circle|<polyline/);
    } else {
      assert.equal(bytes.subarray(1, 4).toString(), "PNG");
      assert.ok(bytes.length > 3000, `${download.suggestedFilename()} has ${bytes.length} bytes`);
    }
  }
});

test("the numbers of a plot stand in a table", async () => {
  await open("sweeps/trained");
  await tab.page.getByRole("button", { name: "Learning curves as a table" }).click();
  const table = tab.page.getByRole("region", { name: "Learning curves, numbers" });
  assert.deepEqual(await table.locator("tbody tr td:first-child").allTextContents(), ["1", "2"]);
});

const shownColumns = () => tab.page.locator("thead th").allTextContents();

test("a ranking has a column for each hyperparameter that varies, chosen in the address", async () => {
  await open("sweeps/trained/ranking");
  await eventually("six rows", async () => (await trials()).length === 6);
  const titles = (await shownColumns()).map((title) => title.replace(/ [↑↓]$/, ""));
  assert.deepEqual(titles.slice(0, 8), [
    "Compare", "#", "Trial", "Accuracy", "To target", "Params", "lr", "momentum",
  ]);
  const group = titles.indexOf("Group");
  assert.ok(group > 0, titles.join());
  const { rows } = await world.get("sweeps/trained/ranking");
  const groups = await tab.page.locator("tbody tr").evaluateAll(
    (all, at) => all.map((row) => Number(row.cells[at].lastChild.textContent)),
    group,
  );
  assert.deepEqual(groups, rows.map((row) => row.group));
  assert.equal(rows[0].group, 1);
  for (const cell of await tab.page.locator("tbody tr").evaluateAll((rows) => rows.map((row) => row.offsetHeight)))
    assert.ok(cell < 40, `a row is ${cell} px high`);
  await tab.page.locator("thead").getByRole("button", { name: "momentum" }).click();
  await tab.page.locator("th[aria-sort=descending]", { hasText: "momentum" }).waitFor();
  await tab.page.getByText("Columns", { exact: true }).click();
  await tab.page.getByRole("checkbox", { name: "momentum" }).uncheck();
  await tab.page.getByRole("checkbox", { name: "Last accuracy" }).uncheck();
  await eventually("two fewer", async () => !(await shownColumns()).some((title) => /momentum|Last/.test(title)));
  await tab.page.reload();
  await eventually("six rows", async () => (await trials()).length === 6);
  assert.ok(!(await shownColumns()).some((title) => /momentum|Last/.test(title)));
  assert.ok((await shownColumns()).includes("lr"));
});

test("what decides stays in sight while the rest of a table moves", async () => {
  await tab.page.setViewportSize({ width: 680, height: 700 });
  await open("sweeps/trained/ranking");
  await eventually("six rows", async () => (await trials()).length === 6);
  const places = () =>
    tab.page.locator("tbody tr").first().locator("td").evaluateAll((cells) =>
      cells.slice(0, 6).map((cell) => Math.round(cell.getBoundingClientRect().left)),
    );
  const before = await places();
  await tab.page.locator(".scroll").evaluate((box) => (box.scrollLeft = 300));
  assert.ok((await tab.page.locator(".scroll").evaluate((box) => box.scrollLeft)) > 50);
  assert.deepEqual(await places(), before);
});

test("on a phone a ranking shows accuracy, size and the first hyperparameter", async () => {
  await tab.page.setViewportSize({ width: 360, height: 740 });
  await open("sweeps/trained/ranking");
  await eventually("six rows", async () => (await trials()).length === 6);
  for (const title of ["Accuracy", "Params", "lr"]) {
    const box = await tab.page.locator("thead th", { hasText: title }).boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 360, `${title} is at ${box.x} to ${box.x + box.width}`);
  }
});

test("trials ticked on any page are one list, which the address keeps", async () => {
  await open("sweeps/trained/ranking");
  await tab.page.getByRole("checkbox", { name: "compare trained/1", exact: true }).check();
  await tab.page.getByRole("link", { name: "Trials", exact: true }).click();
  await tab.page.getByRole("checkbox", { name: "compare trained/2", exact: true }).check();
  await tab.page.goBack();
  await tab.page.getByText("2 trials chosen").waitFor();
  await tab.page.getByRole("navigation", { name: "pages" }).getByRole("link", { name: "Compare" }).click();
  const heads = () => tab.page.locator(".side-by-side thead a").allTextContents();
  await eventually("both", async () => (await heads()).join() === "trained/1,trained/2");
  await tab.page.getByLabel("trial", { exact: true }).fill("own/1");
  await tab.page.getByRole("button", { name: "Add" }).click();
  await eventually("three", async () => (await heads()).join() === "trained/1,trained/2,own/1");
  await tab.page.reload();
  await eventually("still three", async () => (await heads()).length === 3);
  assert.equal(await tab.page.locator(".side-by-side tbody th", { hasText: /^model/ }).count(), 1);
  await tab.page.getByRole("link", { name: "Sweeps" }).click();
  await tab.page.getByText("3 trials chosen").waitFor();
  await tab.page.getByRole("button", { name: "Clear" }).click();
  await tab.page.goBack();
  await tab.page.getByText("Tick trials in a ranking").waitFor();
});

test("a trial of an own network is repeated by its command, to the digit", async () => {
  const views = await Promise.all([1, 2, 3, 4].map((n) => world.get(`sweeps/own/trials/${n}`)));
  const { trial, epoch_rows: rows } = views.find(
    ({ parameters }) => parameters.width === 6 && parameters.lr === 0.05,
  );
  await open(`sweeps/own/trials/${trial}`);
  const command = await tab.page.locator("h2:has-text('Repeat it') + pre").textContent();
  assert.match(command, /^sweep train nets\/narrow.yaml .*--set width=6/);
  await tab.page.getByText("In the folder of the sweep file").waitFor();
  const words = command.split(" ").slice(1);
  await run("sweep", [...words, "-o", "again"], world.folder.path);
  const log = JSON.parse(await readFile(join(world.folder.path, "again", "log.json"), "utf8"));
  // The page shows six significant digits.
  assert.deepEqual(
    log.epochs.map((epoch) => Number(epoch.values.train_loss.toPrecision(6))),
    rows.map((row) => row.values.train_loss),
  );
});

test("a program's trial is repeated by the line that it gets", async () => {
  await open("sweeps/silent/trials/1");
  const command = await tab.page.locator("h2:has-text('Repeat it') + pre").textContent();
  const { stdout } = await promisify(execFile)("sh", ["-c", command], { cwd: world.folder.path });
  assert.match(stdout, /"type":"done"/);
});

test("what a program does not report is no zero", async () => {
  await open("sweeps/silent/trials/1");
  await tab.page.getByRole("heading", { name: "Trial silent/1" }).waitFor();
  const fact = (name) => tab.page.locator(".facts > div", { hasText: name }).locator("dd").first();
  assert.equal(await fact("best accuracy").textContent(), "82.50 % at epoch 2");
  assert.equal(await fact("loss").count(), 0, "nobody reported a loss");
  assert.equal(await fact("model").textContent(), "own program");
  await tab.page.getByRole("button", { name: "Accuracy as a table" }).click();
  const cells = await tab.page
    .getByRole("region", { name: "Accuracy, numbers" })
    .locator("tbody tr")
    .first()
    .locator("td")
    .allTextContents();
  assert.deepEqual(cells, ["1", "1", "74.25 %"]);
  // The log shows its epochs, though it printed nothing.
  await tab.page.locator(".log", { hasText: "epoch 2/2" }).waitFor();
  await open("sweeps/silent/ranking");
  await eventually("rows", async () => (await trials()).length === 2);
  const row = await tab.page.locator("tbody tr").first().locator("td").allTextContents();
  assert.ok(!row.includes("0"), row.join("|"));
});

test("a trial that diverged is no failure of a machine: it offers no retry, and misses no gate", async () => {
  await open("sweeps/own/trials");
  await eventually("four", async () => (await trials()).length === 4);
  const views = await Promise.all([1, 2, 3, 4].map((n) => world.get(`sweeps/own/trials/${n}`)));
  const { trial } = views.find((view) => view.parameters.lr === 100);
  await open(`sweeps/own/trials/${trial}`);
  await tab.page.getByText("would diverge again").waitFor();
  assert.equal(await tab.page.getByRole("button", { name: "Retry" }).count(), 0);
  assert.ok(!(await tab.page.locator("main").textContent()).includes("accuracy by 99 pt"));
});

test("what diverged is marked in every plot, and its attempts are no failures", async () => {
  await open("sweeps/own/attempts");
  const outcomes = () => tab.page.locator("tbody .state").allTextContents();
  await eventually("four attempts", async () => (await outcomes()).length === 4);
  assert.deepEqual([...new Set(await outcomes())].sort(), ["completed", "diverged"]);
  await open("sweeps/own");
  await tab.page.getByText("A cross at the bottom is a trial that diverged (2).").waitFor();
  await open("sweeps/own/parameters");
  await tab.page.getByText("A dashed red line is a trial that diverged.").waitFor();
  await tab.page.getByText("A cross at the bottom is a trial that diverged.").waitFor();
});

test("a sweep names the data that it is trained on", async () => {
  const { data_sha256 } = await world.get("sweeps/trained");
  assert.match(data_sha256, /^[0-9a-f]{64}$/);
  await open("sweeps/trained/file");
  await tab.page.getByText(`data ${data_sha256.slice(0, 12)}…`).waitFor();
  await tab.page.locator("code", { hasText: data_sha256 }).waitFor();
});

test("sweeps are found by a part of their name and by a label", async () => {
  await open("");
  const names = () => tab.page.locator("tbody th").allTextContents();
  await eventually("all", async () => (await names()).length > 5);
  await tab.page.getByLabel("search").fill("TRAIN");
  await tab.page.getByLabel("search").press("Enter");
  await eventually("one", async () => (await names()).join() === "trained");
  await tab.page.getByRole("button", { name: "Clear" }).click();
  await tab.page.locator("tr", { hasText: "hostile" }).locator("a.label", { hasText: "long=" }).click();
  await eventually("one", async () => (await names()).join() === "hostile");
  assert.match(tab.page.url(), /search=long/);
});

test("the list of sweeps is sorted by a click, and the address keeps it", async () => {
  await open("");
  const names = () => tab.page.locator("tbody th").allTextContents();
  await eventually("all", async () => (await names()).length > 5);
  await tab.page.locator("th[aria-sort=descending]", { hasText: "Submitted" }).waitFor();
  await tab.page.getByRole("button", { name: "Name", exact: true }).click();
  await tab.page.locator("th[aria-sort=ascending]", { hasText: "Name" }).waitFor();
  await eventually("by name", async () => {
    const shown = await names();
    return shown.join() === [...shown].sort().join();
  });
  await tab.page.reload();
  await tab.page.locator("th[aria-sort=ascending]", { hasText: "Name" }).waitFor();
});

test("draw a digit takes a network, and says why another trial cannot read", async () => {
  await open("draw");
  await tab.page.getByText("Weights of the best epoch of").waitFor();
  assert.match(await tab.page.locator(".note a").textContent(), /^(trained|own|population)\//);
  await open("draw?trial=silent%2F1");
  await tab.page.getByText("trained by a program of its own").waitFor();
  assert.ok(!(await tab.page.locator("main").textContent()).includes("0 test images"));
});

test("what runs is shown with its values, its worker and the time left", async () => {
  await open("sweeps/live");
  const row = tab.page.getByRole("region", { name: "Running trials" }).locator("tbody tr").first();
  await eventually("a row", async () => /first/.test(await row.textContent()));
  const titles = await tab.page.getByRole("region", { name: "Running trials" }).locator("th").allTextContents();
  for (const title of ["Best", "Time left", "lr", "Worker"]) assert.ok(titles.includes(title), titles.join());
  assert.match(await row.textContent(), /0\.[1-4]/);
  await eventually("time left", async () => /\d (ms|s|min)/.test(await row.locator("td").nth(4).textContent()));
});

test("the page and all that it asks for work below a proxy's prefix", async () => {
  const proxy = createServer(async (request, response) => {
    if (!request.url.startsWith("/lab/")) return response.writeHead(404).end();
    const answer = await fetch(world.page + request.url.slice("/lab/".length), { redirect: "manual" });
    const headers = Object.fromEntries(answer.headers);
    delete headers["content-encoding"];
    delete headers["content-length"];
    response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const page = await openPage(browser, `http://127.0.0.1:${proxy.address().port}/lab/`);
  try {
    await page.page.goto(`http://127.0.0.1:${proxy.address().port}/lab/sweeps/trained/trials/1`);
    await page.page.getByRole("heading", { name: "Trial trained/1" }).waitFor();
    const [download] = await Promise.all([
      page.page.waitForEvent("download"),
      page.page.getByRole("link", { name: /Weights of the best epoch/ }).click(),
    ]);
    assert.ok((await readFile(await download.path())).length > 1000);
    assert.deepEqual(page.complaints, []);
  } finally {
    await page.close();
    proxy.close();
    proxy.closeAllConnections();
  }
});

test("trials that are ticked stand side by side, differences marked", async () => {
  await open("sweeps/trained/ranking");
  await tab.page.getByRole("checkbox", { name: "compare trained/1", exact: true }).check();
  await tab.page.getByRole("checkbox", { name: "compare trained/2", exact: true }).check();
  await tab.page.getByRole("link", { name: "Compare", exact: true }).last().click();
  await frame("Accuracy").locator("svg path").first().waitFor({ state: "attached" });
  await tab.page
    .locator("tr.differs", { hasText: /lr|momentum/ })
    .first()
    .waitFor();
  assert.equal(await tab.page.locator("tr.differs", { hasText: "model" }).count(), 0);
  await tab.page.getByRole("button", { name: "remove trained/2" }).click();
  await eventually(
    "one column",
    async () => (await tab.page.locator(".side-by-side thead th").count()) === 2,
  );
});

test("what is not a number is a dash", async () => {
  await open("sweeps/hostile/trials/1");
  const fact = tab.page.locator(".facts div", { hasText: "best loss" }).locator("dd");
  await fact.waitFor();
  assert.equal(await fact.textContent(), "–");
  const name = "Accuracy, train accuracy";
  await tab.page.getByRole("button", { name: `${name} as a table` }).click();
  assert.ok(
    (await tab.page.getByRole("region", { name: `${name}, numbers` }).textContent()).includes("–"),
  );
  assert.equal(await tab.page.locator('.plot-frame[aria-label*="oss"]').count(), 0, "there is no loss to draw");
  assert.ok(!(await tab.page.locator("main").textContent()).includes("NaN"));
});

test("failures and empty sweeps say so", async () => {
  await open("sweeps/failing");
  await tab.page.getByRole("link", { name: "2 failed" }).click();
  await eventually("two rows", async () => (await trials()).length === 2);
  await open("sweeps/failing/trials/1");
  await tab.page.getByText("no such file: <b>weights</b>").first().waitFor();
  const said = await tab.page.locator("main").textContent();
  assert.ok(said.includes("\\u202e") && !said.includes("\u202e"), "what turns text is escaped");
  await open("sweeps/empty");
  await tab.page.getByText("No trial has finished an epoch yet.").waitFor();
});

test("the log follows", async () => {
  await open("sweeps/live/trials/1");
  await tab.page.locator(".log", { hasText: "trained epoch 1" }).waitFor();
  await trainOneEpochMore();
  await tab.page.locator(".log", { hasText: `trained epoch ${gate}` }).waitFor();
});

test("an action asks first, and changes what it says", async () => {
  await open("sweeps/empty");
  const dialog = tab.page.getByRole("dialog");
  await tab.page.getByRole("button", { name: "Cancel", exact: true }).click();
  // The dialog that ends a sweep has no button called Cancel.
  assert.equal(await dialog.getByRole("button", { name: "Cancel" }).count(), 0);
  await dialog.getByText("sweep retry empty --cancelled").waitFor();
  await dialog.getByRole("button", { name: "Keep it" }).click();
  assert.equal((await world.get("sweeps/empty")).state, "paused");
  await tab.page.getByRole("button", { name: "Cancel", exact: true }).click();
  await dialog.waitFor();
  await tab.page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await tab.page.getByRole("button", { name: "Cancel", exact: true }).click();
  await dialog.getByRole("button", { name: "End the sweep" }).click();
  await tab.page.locator("h1 .state", { hasText: "cancelled" }).waitFor();
  assert.equal((await world.get("sweeps/empty")).state, "cancelled");
});

test("a sweep is paused and resumed, a failed one retried", async () => {
  const press = async (name) => {
    await tab.page.getByRole("button", { name, exact: true }).click();
    await tab.page.getByRole("dialog").getByRole("button", { name, exact: true }).click();
  };
  await open("sweeps/live");
  await press("Pause");
  await tab.page.locator("h1 .state", { hasText: "paused" }).waitFor();
  await press("Resume");
  await tab.page.locator("h1 .state", { hasText: "active" }).waitFor();
  await open("sweeps/failing/trials/2");
  await press("Retry");
  // The trial waits, because both slots train the sweep "live".
  await eventually(
    "it waits again",
    async () => (await world.get("sweeps/failing/trials/2")).state === "pending",
  );
});

test("what the server refuses is one clear line", async () => {
  await tab.page.route("**/api/sweeps/live/pause", (route) =>
    route.fulfill({
      status: 409,
      contentType: "application/json",
      body: JSON.stringify({
        error: { code: "FAILED_PRECONDITION", message: "sweep live is <b>completed</b>" },
      }),
    }),
  );
  await open("sweeps/live");
  await tab.page.getByRole("button", { name: "Pause", exact: true }).click();
  await tab.page.getByRole("dialog").getByRole("button", { name: "Pause", exact: true }).click();
  await tab.page.getByText("Pause was refused: sweep live is <b>completed</b>").waitFor();
  tab.complaints.splice(0);
});

test("a drawn digit is read as sweep predict reads it", async () => {
  let refused = 0;
  await tab.page.route("**/trials/1/weights?*", (route) => {
    if (refused === 1) return route.continue();
    refused += 1; // other downloads may be under way
    return route.fulfill({ status: 503, headers: { "Retry-After": "1" }, body: "" });
  });
  await open("draw?trial=trained%2F1");
  const pad = tab.page.locator(".pad canvas");
  const box = await pad.boundingBox();
  await tab.page.mouse.move(box.x + 90, box.y + 60);
  await tab.page.mouse.down();
  for (const [x, y] of [
    [190, 60],
    [150, 140],
    [120, 220],
  ])
    await tab.page.mouse.move(box.x + x, box.y + y, { steps: 8 });
  await tab.page.mouse.up();
  await tab.page.getByText(/^It says \d$/).waitFor();
  const shown = (await tab.page.locator(".probabilities td.number").allTextContents()).map(
    (text) => parseFloat(text) / 100,
  );
  const pixels = await tab.page.locator(".draw canvas[width='28']").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
    return Array.from({ length: 784 }, (_, i) => 255 - data[i * 4]);
  });
  // An IDX file of one image: magic, count, height, width, pixels.
  const idx = Buffer.concat([
    Buffer.from([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28]),
    Buffer.from(pixels),
  ]);
  const file = await world.folder.write("digit.idx", idx);
  const [answer] = JSON.parse(
    await run(
      "sweep",
      ["predict", "trained/1", file, "--format", "json", "--coordinator", world.address],
      world.folder.path,
    ),
  );
  answer.probabilities.forEach((probability, digit) => {
    assert.ok(
      Math.abs(probability - shown[digit]) < 0.01,
      `${digit}: page ${shown[digit]}, sweep predict ${probability} (${BIN})`,
    );
  });
  await tab.page.getByRole("button", { name: "Clear" }).click();
  await tab.page.getByText("Draw something").waitFor();
  assert.equal(refused, 1);
  assert.equal(tab.complaints.filter((complaint) => !complaint.includes("503")).length, 0);
  tab.complaints.splice(0);
});

test("workers, and what ran where", async () => {
  await open("workers");
  await tab.page.getByRole("row", { name: /first/ }).first().waitFor();
  await frame("What ran where").locator("svg path").first().waitFor({ state: "attached" });
  await tab.page.getByRole("button", { name: "What ran where as a table" }).click();
  await tab.page.getByRole("cell", { name: "trained/1", exact: true }).waitFor();
});

test("the page is used without a mouse", async () => {
  await open("sweeps/trained/trials");
  await eventually("six rows", async () => (await trials()).length === 6);
  await tab.page.keyboard.press("Tab");
  assert.equal(
    await tab.page.evaluate(() => document.activeElement?.textContent),
    "To the content",
  );
  await tab.page.keyboard.press("Enter");
  assert.equal(await tab.page.evaluate(() => document.activeElement?.id), "main");
  const sort = tab.page.getByRole("button", { name: "Best", exact: true });
  await sort.focus();
  await tab.page.keyboard.press("Enter");
  await tab.page.locator("th[aria-sort=descending]", { hasText: "Best" }).waitFor();
});

test("the chosen colours stay", async () => {
  await open("");
  await tab.page.getByRole("button", { name: "Dark" }).click();
  await tab.page.reload();
  await eventually("dark", () =>
    tab.page.evaluate(() => document.documentElement.dataset.theme === "dark"),
  );
});

test("a hidden tab asks nothing, and catches up when it is seen", async () => {
  await tab.page.clock.install();
  await open("");
  await tab.page.getByRole("link", { name: "live" }).waitFor();
  const show = (state) =>
    tab.page.evaluate((value) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => value });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  await show("hidden");
  let asked = 0;
  tab.page.on("request", (request) => {
    if (new URL(request.url()).pathname.startsWith("/api/")) asked += 1; // not the page's own files
  });
  await tab.page.clock.runFor(60_000);
  assert.equal(asked, 0);
  await show("visible");
  await eventually("asks again", () => asked > 0, 5);
});

// This test is the last, since it ends the coordinator.
test("a coordinator that goes away is waited for", async () => {
  await open("sweeps/trained/trials?where=lr+%3E+0.02");
  await eventually("four rows", async () => (await trials()).length === 4);
  await world.coordinator.end("SIGKILL");
  await tab.page.getByText("Coordinator unreachable, trying again.").waitFor();
  assert.equal((await trials()).length, 4);
  await world.startCoordinator(world.address, new URL(world.page).host);
  await eventually(
    "the banner is gone",
    async () => (await tab.page.getByText("Coordinator unreachable").count()) === 0,
    60,
  );
  assert.equal(await tab.page.getByLabel("where").inputValue(), "lr > 0.02");
  tab.complaints.splice(0);
});
