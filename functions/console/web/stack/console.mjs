// Shared by the tests: connections in the stack, tokens by role, and sign-in.
import { randomBytes } from "node:crypto";
import { expect, test as base } from "../tests/console.mjs";
import { pagesFromHere } from "./pages-from-here.mjs";
import { api, makeWorld } from "./world.mjs";

export { api, expect };

export const test = base.extend({
  /** Each run uses new names, so that a stack can be reused. New connections take effect immediately. */
  world: [async ({}, use) => {
    const mark = randomBytes(3).toString("hex");
    const named = (word) => `t${mark}-${word}`;
    const world = await makeWorld({
      channel: named("whatsapp"), bot: named("bot"), desk: named("care"), archive: named("archive"), route: named("shop"),
    });
    await use({ ...world, mark, named });
    await world.platforms.stop();
  }, { scope: "worker" }],

  page: async ({ page }, use) => {
    if (process.env.PAGES === "here") await pagesFromHere(page);
    await use(page);
  },

  tokens: [async ({ world }, use) => {
    const made = {};
    for (const role of ["viewer", "operator", "admin"]) {
      made[role] = await api("POST", "tokens", { body: { name: `${world.mark} ${role}`, role, days: 1 } });
    }
    await use(Object.fromEntries(Object.entries(made).map(([role, { token }]) => [role, token])));
    for (const { id } of Object.values(made)) await api("DELETE", `tokens/${id}`);
  }, { scope: "worker" }],
});

export const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });

/** Signs in with the form and opens a page. */
export async function enter(page, token, path = "") {
  await page.goto("");
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(heading(page, "Overview")).toBeVisible();
  if (path) await page.evaluate((hash) => (location.hash = hash), `#/${path}`);
}

/** Marks the page; `same` returns whether it has not been reloaded since. */
export const mark = (page) => page.evaluate(() => (window.sameAsBefore = true));
export const same = (page) => page.evaluate(() => window.sameAsBefore === true);
