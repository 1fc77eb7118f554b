// A handover and a handback with the console.
import { enter, expect, heading, test } from "./console.mjs";

test("an operator hands a conversation over and back, and sends a message", async ({ page, tokens, world }) => {
  const { platforms, names } = world;
  const customer = "31612345678";
  await platforms.writes(customer, "Where is my parcel?");
  await expect.poll(() => platforms.texts("bot", conversationOf(platforms, "bot")).length).toBeGreaterThan(0);
  await platforms.sends("bot", { conversation: conversationOf(platforms, "bot"), data: { text: "Which one?", choices: [{ id: "shoes", title: "The shoes" }] } });

  await enter(page, tokens.operator, "conversations");
  await page.getByRole("searchbox", { name: "Customer" }).fill(customer);
  await page.getByLabel("Channel", { exact: true }).selectOption(names.channel);
  await expect(page.getByRole("status").filter({ hasText: "1 conversation" })).toBeVisible();
  await page.getByRole("link", { name: customer }).click();
  await expect(heading(page, `${customer} on ${names.channel}`)).toBeVisible();
  const log = page.getByRole("log", { name: "Transcript" });
  const period = (name) => log.getByRole("region", { name });
  await expect(period(`Bot: ${names.bot}`)).toContainText("Where is my parcel?");
  await expect(log.getByRole("list", { name: "Choices" })).toContainText("The shoes");

  await page.getByRole("button", { name: "Hand over to an agent" }).click();
  await page.getByRole("dialog").getByLabel("Reason (optional)").fill("the customer is upset");
  await page.getByRole("dialog").getByRole("button", { name: "Hand over" }).click();
  await expect(period(`Offered to desk: ${names.desk}`)).toBeVisible();
  await expect(log).toContainText("the customer is upset");
  await expect.poll(() => of(platforms, "desk", "handover")?.data.reason).toBe("the customer is upset");

  const asked = of(platforms, "desk", "handover").conversation;
  const anna = { role: "agent", name: "Anna" };
  await platforms.sends("desk", { conversation: asked, author: anna, type: "accept" });
  await platforms.sends("desk", { conversation: asked, author: anna, data: { text: "Hello, Anna here." } });
  await expect(period(/Desk: .?Anna.?, /)).toContainText("Hello, Anna here.");
  await expect.poll(() => platforms.texts("channel", customer)).toContain("Hello, Anna here.");

  await page.getByLabel("Message to the customer").fill("The shop's manager here: your parcel is on its way.");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(log).toContainText("The shop's manager here");
  await expect.poll(() => platforms.texts("channel", customer)).toContain("The shop's manager here: your parcel is on its way.");
  // While the desk owns the conversation, the bot receives copies.
  await expect(log.getByText("copy", { exact: true }).first()).toBeVisible();

  await page.getByRole("button", { name: "Hand back to the bot" }).click();
  await page.getByRole("dialog").getByLabel("Reason (optional)").fill("all is said");
  await page.getByRole("dialog").getByRole("button", { name: "Hand back" }).click();
  await expect(log.getByRole("region", { name: /^Bot/ })).toHaveCount(2);
  await expect(log).toContainText("all is said");
  await expect.poll(() => of(platforms, "bot", "handback")?.data.reason).toBe("all is said");
  const held = await log.getByRole("region").evaluateAll((all) => all.map((one) => one.className.match(/owner-(?!period)(\w+)/)[1]));
  expect(held).toEqual(["bot", "pending", "desk", "bot"]);
  for (const name of [/^Bot/, /^Offered to desk/, /^Desk/]) {
    await expect(period(name).first().getByRole("heading", { level: 3 })).toContainText(/since .*, until /);
  }

  await expect(log.getByRole("region", { name: /^Desk/ })).toContainText("The shop's manager here");

  await platforms.writes(customer, "Thank you!");
  await expect(log).toContainText("Thank you!");
  await expect.poll(() => platforms.texts("bot", conversationOf(platforms, "bot"))).toContain("Thank you!");
});

const conversationOf = (platforms, side) => (platforms.received[side] ?? []).find(({ data }) => data?.text === "Where is my parcel?")?.conversation;
const of = (platforms, side, type) => (platforms.received[side] ?? []).find((one) => one.type === type);
