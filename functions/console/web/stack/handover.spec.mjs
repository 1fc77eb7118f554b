// A conversation that changes hands by the page.
import { enter, expect, heading, test } from "./console.mjs";

test("handed over to the desk and back, with what an operator says, and who had it when", async ({ page, tokens, world }) => {
  const { far, names } = world;
  const customer = "31612345678";
  await far.writes(customer, "Where is my parcel?");
  await expect.poll(() => far.texts("bot", heardAs(far, "bot")).length).toBeGreaterThan(0);
  await far.says("bot", { conversation: heardAs(far, "bot"), data: { text: "Which one?", choices: [{ id: "shoes", title: "The shoes" }] } });

  await enter(page, tokens.operator, "conversations");
  await page.getByRole("searchbox", { name: "Customer" }).fill(customer);
  await page.getByLabel("Channel", { exact: true }).selectOption(names.channel);
  await expect(page.getByRole("status").filter({ hasText: "1 conversation" })).toBeVisible();
  await page.getByRole("link", { name: customer }).click();
  await expect(heading(page, `${customer} on ${names.channel}`)).toBeVisible();
  const log = page.getByRole("log", { name: "Transcript" });
  const stretch = (name) => log.getByRole("region", { name });
  await expect(stretch(`The bot has it: ${names.bot}`)).toContainText("Where is my parcel?");
  await expect(log.getByRole("list", { name: "Choices that were offered" })).toContainText("The shoes");

  await page.getByRole("button", { name: "Hand over to people" }).click();
  await page.getByRole("dialog").getByLabel("Reason (optional)").fill("the customer is upset");
  await page.getByRole("dialog").getByRole("button", { name: "Hand over" }).click();
  await expect(stretch(`Offered to the desk: ${names.desk}`)).toBeVisible();
  await expect(log).toContainText("the customer is upset");
  await expect.poll(() => of(far, "desk", "handover")?.data.reason).toBe("the customer is upset");

  const asked = of(far, "desk", "handover").conversation;
  const anna = { role: "agent", name: "Anna" };
  await far.says("desk", { conversation: asked, author: anna, type: "accept" });
  await far.says("desk", { conversation: asked, author: anna, data: { text: "Hello, Anna here." } });
  await expect(stretch(/The desk has it: .?Anna.?, /)).toContainText("Hello, Anna here.");
  await expect.poll(() => far.texts("channel", customer)).toContain("Hello, Anna here.");

  await page.getByLabel("Message to the customer").fill("The shop's manager here: your parcel is on its way.");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(log).toContainText("The shop's manager here");
  await expect.poll(() => far.texts("channel", customer)).toContain("The shop's manager here: your parcel is on its way.");
  // What is said while people have it, the bot gets as a copy.
  await expect(log.getByText("copy", { exact: true }).first()).toBeVisible();

  await page.getByRole("button", { name: "Give back to the bot" }).click();
  await page.getByRole("dialog").getByLabel("Reason (optional)").fill("all is said");
  await page.getByRole("dialog").getByRole("button", { name: "Give back" }).click();
  await expect(log.getByRole("region", { name: /^The bot has it/ })).toHaveCount(2);
  await expect(log).toContainText("all is said");
  await expect.poll(() => of(far, "bot", "handback")?.data.reason).toBe("all is said");
  const held = await log.getByRole("region").evaluateAll((all) => all.map((one) => one.className.match(/owner-(\w+)/)[1]));
  expect(held).toEqual(["bot", "pending", "desk", "bot"]);
  for (const name of [/^The bot has it/, /^Offered to the desk/, /^The desk has it/]) {
    await expect(stretch(name).first().getByRole("heading", { level: 3 })).toContainText(/since .*, until /);
  }

  await expect(log.getByRole("region", { name: "The desk has it" })).toContainText("The shop's manager here");

  await far.writes(customer, "Thank you!");
  await expect(log).toContainText("Thank you!");
  await expect.poll(() => far.texts("bot", heardAs(far, "bot"))).toContain("Thank you!");
});

const heardAs = (far, side) => (far.heard[side] ?? []).find(({ data }) => data?.text === "Where is my parcel?")?.conversation;
const of = (far, side, type) => (far.heard[side] ?? []).find((one) => one.type === type);
