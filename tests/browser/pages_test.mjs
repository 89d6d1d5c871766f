// Every page in light, dark and on a phone: there are no complaints, nothing is wider than the
// screen, and axe-core finds nothing serious.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axeViolations, launch, openPage } from "./chromium.mjs";
import { eventually } from "./programs.mjs";
import { World } from "./world.mjs";

const PAGES = [
  "",
  "?page_token=",
  "sweeps/trained",
  "sweeps/trained/parameters",
  "sweeps/trained/model",
  "sweeps/trained/ranking",
  "sweeps/trained/trials",
  "sweeps/trained/file",
  "sweeps/live",
  "sweeps/live/parameters",
  "sweeps/live/ranking",
  "sweeps/live/trials",
  "?search=hostile",
  "sweeps/own",
  "sweeps/own/ranking?show=momentum",
  "sweeps/own/trials/1",
  "sweeps/own/trials/2",
  "sweeps/silent/ranking",
  "sweeps/silent/trials/1",
  "sweeps/program",
  "sweeps/program?metric=epsilon",
  "sweeps/program/parameters",
  "sweeps/program/ranking",
  "sweeps/program/trials/1",
  "sweeps/hostile",
  "sweeps/hostile/parameters",
  "sweeps/hostile/ranking",
  "sweeps/hostile/trials",
  "sweeps/hostile/file",
  "sweeps/hostile/trials/2",
  "sweeps/learning",
  "sweeps/learning/model",
  "sweeps/learning/population",
  "sweeps/population",
  "sweeps/population/population",
  "sweeps/population/population?upwards=batch_size",
  "sweeps/population/trials/12",
  "sweeps/failing",
  "sweeps/failing/parameters",
  "sweeps/failing/ranking",
  "sweeps/failing/trials",
  "sweeps/failing/trials/1",
  "sweeps/empty",
  "sweeps/empty/trials",
  "sweeps/trained/trials/1",
  "sweeps/live/trials/1",
  "workers",
  "compare",
  "compare?trials=trained%2F1%2Ctrained%2F2%2Chostile%2F1",
  "draw",
  "draw?trial=trained%2F1",
  "draw?trial=silent%2F1",
  "sweeps",
  "nowhere",
];
const LOOKS = {
  light: {},
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
};

let world;
let browser;
before(
  async () => {
    world = await World.start();
    await world.openGate(2);
    await eventually(
      "live has epochs",
      async () => (await world.get("sweeps/live/curves?metric=accuracy")).total_trials === 2,
    );
    browser = await launch();
  },
  { timeout: 240_000 },
);
after(async () => {
  await browser?.close();
  await world?.end();
});

async function settled(page) {
  await page.locator("main :is(h1, p)").first().waitFor();
  await eventually(
    "the page has loaded",
    async () => (await page.locator("[aria-busy]").count()) === 0,
  );
  await eventually("the plots are drawn", () =>
    page.evaluate(() =>
      [...document.querySelectorAll(".plot-frame")].every((frame) => frame.querySelector("svg")),
    ),
  );
}

for (const [look, options] of Object.entries(LOOKS)) {
  test(`all pages, ${look}`, { timeout: 1_200_000 }, async (context) => {
    const tab = await openPage(browser, world.page, options);
    for (const path of PAGES) {
      await context.test(`#/${path}`, async () => {
        await tab.page.goto(`${world.page}#/${path}`);
        await settled(tab.page);
        const [content, screen] = await tab.page.evaluate(() => [
          document.documentElement.scrollWidth,
          window.innerWidth,
        ]);
        assert.ok(content <= screen, `${content} px wide on a screen of ${screen}`);
        assert.notEqual(await tab.page.title(), "owned");
        assert.deepEqual(tab.complaints.splice(0), []);
        assert.deepEqual(await axeViolations(tab.page), []);
      });
    }
    await tab.close();
  });
}

test("a population is drawn over the epochs, with its lineage", { timeout: 120_000 }, async () => {
  const tab = await openPage(browser, world.page, LOOKS.light);
  await tab.page.goto(`${world.page}#/sweeps/population`);
  await tab.page.getByRole("navigation", { name: "sections" }).getByRole("link", { name: "Population" }).click();
  await settled(tab.page);
  const frame = tab.page.getByRole("img", { name: /^accuracy of the population/ });
  assert.match(await frame.getAttribute("aria-label"), /12 segments of 4 members, [1-9]\d* of them copies/);
  await tab.page.getByRole("button", { name: "accuracy of the population as a table" }).click();
  const rows = tab.page.getByRole("region", { name: "accuracy of the population, numbers" }).locator("tbody tr");
  assert.equal(await rows.count(), 12);
  const { segments } = await world.get("sweeps/population/population");
  const copy = segments.find(({ chosen_source }) => chosen_source === "copied");
  assert.notEqual(segments[copy.parent - 1].member, copy.member);
  // The trial shows where its weights come from.
  await tab.page.goto(`${world.page}#/sweeps/population/trials/${copy.trial}`);
  await tab.page.getByRole("link", { name: `trial ${copy.parent}`, exact: true }).waitFor();
  await tab.close();
});
