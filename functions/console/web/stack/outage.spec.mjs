// An outage, as an operator sees it begin and end.
import { api, enter, expect, heading, mark, same, test } from "./console.mjs";

const CUSTOMERS = ["noor", "jan", "sanne", "mila", "tim"];

test("an outage opens the breaker, what waits is seen with its reasons, and drains when it is replayed", async ({ page, tokens, world }) => {
  const { far, names } = world;
  await enter(page, tokens.operator);
  await mark(page);
  const card = page.locator(`[data-connection="${names.bot}"]`);
  await expect(card).toContainText("Breaker closed");

  far.does.bot = () => 503;
  for (const customer of CUSTOMERS) await far.writes(customer, `Where is my parcel? says ${customer}`);
  await expect(card).toContainText("Breaker open");
  await expect(card).toContainText("503");
  await expect(card).toContainText("Oldest waiting");
  await expect(page.getByRole("region", { name: "What needs attention" })).toContainText(names.bot);
  await expect(card.getByRole("link", { name: "5", exact: true })).toBeVisible();

  await card.getByRole("link", { name: "5", exact: true }).click();
  await expect(heading(page, "Deliveries")).toBeVisible();
  await expect(page.getByRole("row")).toHaveCount(1 + CUSTOMERS.length);
  await page.getByRole("link", { name: "noor", exact: true }).click();
  await expect(heading(page, `noor on ${names.channel}`)).toBeVisible();
  const lines = page.getByRole("log").getByRole("list", { name: "Deliveries" });
  await expect(lines.first()).toContainText(/to be tried again|parked/);
  await expect(lines.first()).toContainText("503");
  await expect(page.getByRole("log").getByText("says noor")).toBeVisible();

  await page.goBack();
  await expect(page.getByRole("row")).toHaveCount(1 + CUSTOMERS.length);
  far.does.bot = undefined;
  await page.getByRole("button", { name: "Replay all …" }).click();
  const asked = page.getByRole("dialog", { name: `Replay all of ${names.bot}?` });
  await expect(asked).toContainText(/\d deliver(y|ies) to/);
  await asked.getByRole("button", { name: "Replay all" }).click();
  await expect(page.getByText("Nothing like this is parked or has failed.")).toBeVisible();
  for (const customer of CUSTOMERS) {
    await expect.poll(async () => (await talk(names, customer)).at(0)?.deliveries.find(({ to }) => to === names.bot).outcome?.verdict).toBe("delivered");
  }
  const heard = far.heard.bot.map(({ data }) => data.text).filter((text) => text?.startsWith("Where is my parcel? says"));
  expect(heard.sort()).toEqual(CUSTOMERS.map((customer) => `Where is my parcel? says ${customer}`).sort());

  await page.getByRole("link", { name: "Overview" }).click();
  await expect(card).toContainText("Breaker closed");
  await expect(card).toContainText("nothing waits");
  expect(await same(page), "nothing was loaded again").toBe(true);

  await page.goto(`#/conversations/${names.channel}/noor`);
  await expect(lines.first()).toContainText("delivered");
  await expect(lines.first()).toContainText(/\d+ attempts/);
});

const talk = async (names, customer) => (await api("GET", `conversations/${names.channel}/${customer}/timeline`)).items.reverse();
