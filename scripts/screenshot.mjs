// Makes the picture of the page for the README: `node scripts/screenshot.mjs` starts the demonstration, presses Pull in
// Chromium, and writes docs/public/page.png.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium as playwright } from "playwright-core";

import { main, root, StepError, say } from "./command.mjs";
import { chromium } from "./tools.mjs";

const picture = join(root, "docs/public/page.png");
/** Bytes. A larger picture makes the README slow. */
const MOST = 150_000;

await main(async () => {
  const data = mkdtempSync(join(tmpdir(), "refsync-screenshot-"));
  const demonstration = spawn(process.execPath, [join(root, "scripts/start.mjs")], {
    env: { ...process.env, PORT: "0", REFSYNC_DEMO_DATA: data },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(demonstration, "exit");
  try {
    await photograph(await addressOf(demonstration.stdout));
    const { size } = statSync(picture);
    say(`docs/public/page.png has ${Math.round(size / 1000)} KB`);
    if (size > MOST) throw new StepError(`it may have ${MOST / 1000} KB at most`);
  } finally {
    demonstration.kill("SIGINT");
    await ended;
    rmSync(data, { recursive: true, force: true });
  }
});

/** @param {string} address */
async function photograph(address) {
  const executablePath = chromium();
  if (!executablePath) throw new StepError("Chromium is not installed; node scripts/setup.mjs --tests installs it");
  const browser = await playwright.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, colorScheme: "light" });
    await page.goto(address);
    await page.getByRole("link", { name: /^app(?!-)/ }).click();
    await page.getByRole("heading", { level: 1, name: "app", exact: true }).waitFor();
    await page.getByRole("button", { name: /^Pull/ }).first().click();
    await page.getByText("refs were rejected").waitFor();
    // The run with its refs, below the bar at the top.
    await page.locator("[data-card=run]").evaluate((card) => card.scrollIntoView({ block: "start" }));
    await page.mouse.move(0, 0);
    await page.screenshot({ path: picture });
  } finally {
    await browser.close();
  }
}

/**
 * The address of the page, which the demonstration prints last.
 *
 * @param {import("node:stream").Readable} stdout
 * @returns {Promise<string>}
 */
async function addressOf(stdout) {
  let text = "";
  for await (const chunk of stdout.setEncoding("utf8")) {
    text += chunk;
    const [, address] = /refsync is ready: (http\S+)/.exec(text) ?? [];
    if (address !== undefined) return address;
  }
  throw new StepError("the demonstration ended before it served its page");
}
