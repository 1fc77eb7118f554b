// An admin configures a connection and a route with the console.
import { BEARER } from "./platforms.mjs";
import { openPlatform } from "./world.mjs";
import { enter, expect, heading, test } from "./console.mjs";

test("a connection is created, invalid fields are marked, the URL is copied, and it is verified", async ({ page, context, tokens, world }) => {
  const { platforms, named } = world;
  const id = named("helper");
  const platform = await openPlatform();
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await enter(page, tokens.admin, "connections");
  await page.getByRole("link", { name: "New connection" }).click();
  await page.getByLabel("Platform (required)").selectOption(platform);
  await page.getByLabel("Role (required)").selectOption("bot");
  await page.getByLabel("Id (required)").fill(id);
  await page.getByLabel("message_url (required)").fill("nowhere");
  await page.getByLabel("auth", { exact: true }).selectOption("bearer");
  await page.getByLabel("bearer", { exact: true }).fill(BEARER);
  await page.getByRole("button", { name: "Create connection" }).click();
  const field = page.getByLabel("message_url (required)");
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await expect(field).toHaveAccessibleDescription(/address|URL|http/i);
  await page.getByRole("alert").getByRole("link", { name: /^message_url/ }).click();
  await expect(field).toBeFocused();
  await field.fill(platforms.url("helper"));
  await page.getByRole("button", { name: "Create connection" }).click();
  await expect(heading(page, id)).toBeVisible();

  await page.getByRole("region", { name: "Inbound URLs" }).getByRole("button", { name: /^Copy / }).first().click();
  await expect(page.getByText(/^Copied: /)).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toMatch(new RegExp(`/in/${platform}/${id}/.{20,}$`));
  await page.getByRole("button", { name: "Verify" }).click();
  await expect(page.getByText(`${id} is verified.`)).toBeVisible();

  await page.getByLabel("message_url (required)").fill(platforms.url("helper/later"));
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("as a bot. Version 2.")).toBeVisible();
});

test("a route connects existing connections", async ({ page, tokens, world }) => {
  const { named, names } = world;
  const id = named("press");
  await enter(page, tokens.admin, "routes/new");
  await page.getByLabel("Id (required)").fill(id);
  await page.getByRole("button", { name: "Create route" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Bot", { exact: true }).selectOption(names.bot);
  await page.getByLabel("Desk", { exact: true }).selectOption(names.desk);
  await page.getByLabel("Offer timeout (seconds)").fill("180");
  await page.getByRole("button", { name: "Create route" }).click();
  await expect(heading(page, id)).toBeVisible();
  await page.getByLabel("Handover keywords (en)").fill("agent, a person");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(`${id} saved as version 2.`)).toBeVisible();
  await page.reload();
  await expect(page.getByLabel("Handover keywords (en)")).toHaveValue("agent, a person");
  await page.goto("#/routes");
  await expect(page.getByRole("row").filter({ hasText: id })).toContainText("3 minutes");
});
