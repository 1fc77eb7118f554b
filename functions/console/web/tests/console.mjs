// Shared by the tests: sign-in, and checks that apply to every page.
import { test as base, expect } from "@playwright/test";

export { expect };

export const test = base.extend({
  /** Fails a test whose page requests another host, violates its CSP, throws, or runs a customer's script. */
  page: async ({ page, baseURL }, use) => {
    const wrong = [];
    const origin = new URL(baseURL).origin;
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (!["data:", "about:"].includes(url.protocol) && url.origin !== origin) wrong.push(`requested ${request.url()}`);
    });
    page.on("pageerror", (error) => wrong.push(`threw ${error.stack}`));
    page.on("console", (message) => {
      if (/Content Security Policy|Refused to/i.test(message.text())) wrong.push(message.text());
    });
    await use(page);
    expect(wrong).toEqual([]);
    expect(await page.evaluate(() => window.harmed)).toBeUndefined();
  },
});

/** Signs in with a role's token and opens a page. */
export async function enter(page, role, path = "") {
  await page.goto("");
  await page.getByLabel("Token").fill(role);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  if (path) await to(page, path);
}

export async function to(page, path) {
  await page.evaluate((hash) => (location.hash = hash), `#/${path}`);
}

export const TALK = "conversations/shop-whatsapp/31612345678";
export const HOSTILE = "conversations/shop-whatsapp/attacker";
