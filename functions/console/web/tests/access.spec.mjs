// Accessibility of every page: desktop and phone, light and dark.
import AxeBuilder from "@axe-core/playwright";
import { enter, expect, HOSTILE, TALK, test, to } from "./console.mjs";

const PAGES = {
  "": "Overview",
  conversations: "Conversations",
  [TALK]: "31612345678 on shop-whatsapp",
  [HOSTILE]: "attacker on shop-whatsapp",
  deliveries: "Deliveries",
  "dead-letters": "Dead letters",
  connections: "Connections",
  "connections/care": "care",
  "connections/shop-whatsapp": "shop-whatsapp",
  "connections/new": "New connection",
  routes: "Routes",
  "routes/shop": "shop",
  "routes/new": "New route",
  tokens: "Tokens",
  audit: "Audit",
  "connections/none-such": "Not found",
};
const LOOKS = {
  "on a desktop": { role: "viewer", schemes: ["light", "dark"], use: { viewport: { width: 1280, height: 800 } } },
  // An administrator sees more controls, for which a phone has the least room. The colours are those of a desktop.
  "on a phone": { role: "admin", schemes: ["light"], use: { viewport: { width: 360, height: 740 } } },
};

// Only these rules depend on colours; the light check has the others.
const COLOURS = ["color-contrast", "link-in-text-block"];

async function check(page, schemes) {
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme });
    // Legacy mode is faster; the other mode is only needed for frames.
    const axe = new AxeBuilder({ page }).setLegacyMode(true);
    if (colorScheme === "dark") axe.withRules(COLOURS);
    const { violations } = await axe.analyze();
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    const found = serious.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)]);
    expect(found, colorScheme).toEqual([]);
  }
  const { scrolls, wide } = await page.evaluate(() => ({ scrolls: document.documentElement.scrollWidth, wide: innerWidth }));
  expect(scrolls, "the page is not wider than the window").toBeLessThanOrEqual(wide);
}

for (const [look, { role, schemes, use }] of Object.entries(LOOKS)) {
  test.describe(look, () => {
    test.use(use);

    test(`all pages have no violations for role ${role}`, async ({ page }) => {
      test.setTimeout(120_000);
      await enter(page, role);
      for (const [path, name] of Object.entries(PAGES)) {
        await to(page, path);
        await expect(page.getByRole("heading", { level: 1, name, exact: true })).toBeVisible();
        await expect(page.getByText("Loading …")).toHaveCount(0);
        if (!path) await expect(page.getByRole("img", { name: /^Messages: Accepted/ })).toBeVisible();
        await test.step(`axe on #/${path}`, () => check(page, schemes));
      }
    });

    test("the sign-in page, dialogs, menu and connection bar have no violations", async ({ page, context }) => {
      await page.clock.install();
      await page.goto("");
      await expect(page.getByRole("heading", { name: "Sign in to Trunkline" })).toBeVisible();
      await check(page, schemes);
      await page.getByLabel("Token").fill("wrong");
      await page.getByRole("button", { name: "Sign in" }).click();
      await expect(page.getByRole("alert")).toContainText("This token is invalid");
      await check(page, schemes);
      await enter(page, "admin", TALK);
      await page.getByRole("button", { name: "Close conversation" }).click();
      await expect(page.getByRole("dialog", { name: "Close conversation" })).toBeVisible();
      await check(page, schemes);
      await page.keyboard.press("Escape");
      await page.keyboard.press("?");
      await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
      await check(page, schemes);
      await page.keyboard.press("Escape");
      const menu = page.getByRole("button", { name: "Menu" });
      if (await menu.isVisible()) {
        await menu.click();
        await expect(menu).toHaveAttribute("aria-expanded", "true");
        await expect(page.getByRole("link", { name: "Dead letters" })).toBeVisible();
        await check(page, schemes);
      }
      await context.setOffline(true);
      await page.clock.runFor("00:10");
      await expect(page.getByText("Connection lost. Retrying …")).toBeVisible();
      await check(page, schemes);
    });

    test("form problems and notices have no violations", async ({ page }) => {
      await enter(page, "admin", "connections/new");
      await page.getByRole("button", { name: "Create connection" }).click();
      await expect(page.getByRole("alert")).toContainText("needs a valid id");
      await check(page, schemes);
      await to(page, "deliveries");
      await page.getByRole("button", { name: /^Replay the receipt/ }).click();
      await expect(page.getByText("1 delivery will be sent again.")).toBeVisible();
      await check(page, schemes);
    });
  });
}
