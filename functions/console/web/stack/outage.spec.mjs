// An outage, from the operator's view.
import { api, enter, expect, heading, mark, same, test } from "./console.mjs";

const CUSTOMERS = ["noor", "jan", "sanne", "mila", "tim"];

test("an outage opens the breaker, and parked deliveries are replayed afterwards", async ({ page, tokens, world }) => {
  const { platforms, names } = world;
  await enter(page, tokens.operator);
  await mark(page);
  const card = page.locator(`[data-connection="${names.bot}"]`);
  await expect(card).toContainText("Breaker closed");

  platforms.handlers.bot = () => 503;
  for (const customer of CUSTOMERS) await platforms.writes(customer, `Where is my parcel? says ${customer}`);
  await expect(card).toContainText("Breaker open");
  await expect(card).toContainText("503");
  await expect(card).toContainText("Oldest parked");
  await expect(page.getByRole("region", { name: "Needs attention" })).toContainText(names.bot);
  await expect(card.getByRole("link", { name: "5", exact: true })).toBeVisible();

  await card.getByRole("link", { name: "5", exact: true }).click();
  await expect(heading(page, "Deliveries")).toBeVisible();
  await expect(page.getByRole("row")).toHaveCount(1 + CUSTOMERS.length);
  await page.getByRole("link", { name: "noor", exact: true }).click();
  await expect(heading(page, `noor on ${names.channel}`)).toBeVisible();
  const lines = page.getByRole("log").getByRole("list", { name: "Deliveries" });
  await expect(lines.first()).toContainText(/retry scheduled|parked/);
  await expect(lines.first()).toContainText("503");
  await expect(page.getByRole("log").getByText("says noor")).toBeVisible();

  await page.goBack();
  await expect(page.getByRole("row")).toHaveCount(1 + CUSTOMERS.length);
  platforms.handlers.bot = undefined;
  await page.getByRole("button", { name: "Replay all …" }).click();
  const dialog = page.getByRole("dialog", { name: `Replay all deliveries of ${names.bot}?` });
  await expect(dialog).toContainText(/\d deliver(y|ies) of/);
  await dialog.getByRole("button", { name: "Replay all" }).click();
  await expect(page.getByText("No matching deliveries.")).toBeVisible();
  for (const customer of CUSTOMERS) {
    await expect.poll(async () => (await timeline(names, customer)).at(0)?.deliveries.find(({ to }) => to === names.bot).outcome?.status).toBe("delivered");
  }
  const texts = platforms.received.bot.map(({ data }) => data.text).filter((text) => text?.startsWith("Where is my parcel? says"));
  expect(texts.sort()).toEqual(CUSTOMERS.map((customer) => `Where is my parcel? says ${customer}`).sort());

  await page.getByRole("link", { name: "Overview" }).click();
  await expect(card).toContainText("Breaker closed");
  await expect(card).toContainText("Oldest parkednone");
  expect(await same(page), "the page was not reloaded").toBe(true);

  await page.goto(`#/conversations/${names.channel}/noor`);
  await expect(lines.first()).toContainText("delivered");
  await expect(lines.first()).toContainText(/\d+ attempts/);
});

const timeline = async (names, customer) => (await api("GET", `conversations/${names.channel}/${customer}/timeline`)).items.reverse();
