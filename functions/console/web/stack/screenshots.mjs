// Takes screenshots of each page on a real stack, for docs/console.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium, expect } from "@playwright/test";
import { pagesFromHere } from "./pages-from-here.mjs";
import { smaller } from "./png.mjs";
import { play } from "./story.mjs";

const FOLDER = fileURLToPath(new URL("../../../../docs/console/", import.meta.url));
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const MAX_BYTES = 150_000;
/** Content that appears after the heading. */
const WAIT_FOR = {
  overview: [(page) => page.getByRole("img", { name: /^Latency:/ })],
  connection: [(page) => page.getByRole("region", { name: "Status" })],
  conversation: [(page) => page.getByRole("log")],
};

const { world, token, pages } = await play();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--disable-lcd-text"] });
mkdirSync(FOLDER, { recursive: true });
try {
  await shoot("", Object.entries(pages), { colorScheme: "light", viewport: DESK }, true);
  const both = Object.entries(pages).filter(([name]) => ["overview", "conversation"].includes(name));
  await shoot("-dark", both, { colorScheme: "dark", viewport: DESK });
  await shoot("-phone", both, { colorScheme: "light", viewport: PHONE });
  await shoot("-phone-dark", both, { colorScheme: "dark", viewport: PHONE });
} finally {
  await browser.close();
  await world.platforms.stop();
}

async function shoot(look, wanted, use, login = false) {
  const context = await browser.newContext({ ...use, baseURL: process.env.CONSOLE_URL });
  const page = await context.newPage();
  if (process.env.PAGES === "here") await pagesFromHere(page);
  await page.goto("");
  await expect(page.getByLabel("Token")).toBeVisible();
  if (login) await take(page, "login");
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
  await expect(page.locator("[data-connection]").first()).toBeVisible();
  for (const [name, [path, heading]] of wanted) {
    await page.goto(`#/${path}`);
    await expect(page.getByRole("heading", { level: 1, name: heading, exact: true })).toBeVisible();
    await expect(page.getByText("Loading …")).toHaveCount(0);
    for (const seen of WAIT_FOR[name] ?? []) await expect(seen(page)).toBeVisible();
    await page.waitForLoadState("networkidle");
    await page.evaluate(() => document.activeElement?.blur());
    if (name === "conversation") await page.getByRole("region", { name: /^Offered to/ }).evaluate((node) => {
      const log = node.closest(".log");
      log.scrollTop += node.getBoundingClientRect().top - log.getBoundingClientRect().top - log.clientHeight / 3;
    });
    await take(page, `${name}${look}`);
  }
  await context.close();
}

async function take(page, name) {
  const picture = smaller(await page.screenshot({ animations: "disabled" }));
  writeFileSync(`${FOLDER}${name}.png`, picture);
  console.log(`${name}.png: ${Math.ceil(picture.length / 1000)} KB`);
  if (picture.length > MAX_BYTES) throw new Error(`${name}.png is larger than ${MAX_BYTES / 1000} KB`);
}
