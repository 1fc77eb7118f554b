// A connection that an admin sets up by the pages alone.
import { BEARER } from "./far.mjs";
import { enter, expect, heading, test } from "./console.mjs";

test("a connection is made, what is wrong is shown where it is, its address is copied, and it proves itself", async ({ page, context, tokens, world }) => {
  const { far, named } = world;
  const id = named("helper");
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await enter(page, tokens.admin, "connections");
  await page.getByRole("link", { name: "New connection" }).click();
  await page.getByLabel("Platform (required)").selectOption("webhook");
  await page.getByLabel("Role (required)").selectOption("bot");
  await page.getByLabel("Id (required)").fill(id);
  await page.getByLabel("message_url (required)").fill("nowhere");
  await page.getByLabel("auth", { exact: true }).selectOption("bearer");
  await page.getByLabel("bearer", { exact: true }).fill(BEARER);
  await page.getByRole("button", { name: "Make the connection" }).click();
  const field = page.getByLabel("message_url (required)");
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await expect(field).toHaveAccessibleDescription(/address|URL|http/i);
  await page.getByRole("alert").getByRole("link", { name: /^message_url/ }).click();
  await expect(field).toBeFocused();
  await field.fill(far.url("helper"));
  await page.getByRole("button", { name: "Make the connection" }).click();
  await expect(heading(page, id)).toBeVisible();

  await page.getByRole("region", { name: "What to paste into the vendor's form" }).getByRole("button", { name: /^Copy / }).first().click();
  await expect(page.getByText(/^Copied: /)).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toMatch(new RegExp(`/in/webhook/${id}/.{20,}$`));
  await page.getByRole("button", { name: "Verify" }).click();
  await expect(page.getByText(`${id} has proved itself.`)).toBeVisible();

  await page.getByLabel("message_url (required)").fill(far.url("helper/later"));
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("as a bot. Version 2.")).toBeVisible();
});

test("a route joins what is there", async ({ page, tokens, world }) => {
  const { named, names } = world;
  const id = named("press");
  await enter(page, tokens.admin, "routes/new");
  await page.getByLabel("Id (required)").fill(id);
  await page.getByRole("button", { name: "Make the route" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Bot", { exact: true }).selectOption(names.bot);
  await page.getByLabel("Desk", { exact: true }).selectOption(names.desk);
  await page.getByLabel("An offer to the desk waits, in seconds").fill("180");
  await page.getByRole("button", { name: "Make the route" }).click();
  await expect(heading(page, id)).toBeVisible();
  await page.getByLabel("Keywords for people (en)").fill("agent, a person");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(`${id} is saved, as version 2.`)).toBeVisible();
  await page.reload();
  await expect(page.getByLabel("Keywords for people (en)")).toHaveValue("agent, a person");
  await page.goto("#/routes");
  await expect(page.getByRole("row").filter({ hasText: id })).toContainText("3 minutes");
});
