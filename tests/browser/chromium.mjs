// A real headless Chromium, and pages that record everything that a page should never do.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// run.sh has installed the dashboard's packages there.
const require = createRequire(`${process.env.SWEEP_NODE_PACKAGES}/package.json`);
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export function launch() {
  return chromium.launch({ executablePath: process.env.SWEEP_CHROMIUM, args: ["--no-sandbox"] });
}

// A page on `origin`. `complaints` collects console errors, exceptions, requests to other hosts and
// error answers, except those that a test expects.
export async function openPage(browser, origin, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`fault: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("blob:") && !url.startsWith("data:"))
      complaints.push(`request to another host: ${url}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  page.setDefaultTimeout(120_000);
  return { page, complaints, close: () => context.close() };
}

// The debugger evaluates the script, so that no content policy applies.
export async function axeViolations(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations
    .filter((violation) => violation.impact === "serious" || violation.impact === "critical")
    .map((violation) => `${violation.id}: ${violation.nodes[0].html.slice(0, 200)}`);
}
