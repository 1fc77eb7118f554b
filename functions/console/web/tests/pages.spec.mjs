// The pages: overview, conversations, deliveries, dead letters, tokens.
import { enter, expect, HOSTILE, TALK, test, to } from "./console.mjs";

const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });

test("the overview shows connections, problems and plots", async ({ page }) => {
  await enter(page, "viewer");
  const bot = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "shop-bot" }) });
  await expect(bot).toContainText("Breaker open");
  await expect(bot).toContainText("503: the bot is being restarted");
  await expect(bot).toContainText("Oldest parked3 minutes ago");
  await expect(page.getByRole("region", { name: "Needs attention" })).toContainText("1 breaker not closed");
  for (const name of ["Messages", "Failures", "Latency"]) await expect(page.getByRole("img", { name: new RegExp(`^${name}:`) })).toBeVisible();
  await page.getByRole("button", { name: "Last day" }).click();
  await expect(page).toHaveURL(/#\/\?window=day$/);
  await page.getByText("Messages as a table").click();
  await expect(page.getByRole("table", { name: "Messages" }).getByRole("row")).toHaveCount(25);
  await page.getByLabel("Connection", { exact: true }).selectOption("care");
  await expect(page).toHaveURL(/connection=care/);
});

test("filters are stored in the URL", async ({ page }) => {
  await enter(page, "viewer", "conversations");
  await expect(page.getByText("50 or more conversations")).toBeVisible();
  await page.getByRole("button", { name: "Load more" }).click();
  await expect(page.getByText("68 conversations")).toBeVisible();
  await page.getByRole("searchbox", { name: "Customer" }).fill("3161");
  await expect(page.getByText("1 conversation", { exact: true })).toBeVisible();
  await expect(page).toHaveURL(/customer=3161/);
  await page.getByLabel("State").selectOption({ label: "Closed" });
  await expect(page.getByText("No matching conversations.")).toBeVisible();
  await page.reload();
  await expect(page.getByRole("searchbox", { name: "Customer" })).toHaveValue("3161");
  await expect(page.getByLabel("State")).toHaveValue("closed");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(page.getByText("50 or more conversations")).toBeVisible();
  await expect(page.getByRole("searchbox", { name: "Customer" })).toHaveValue("");
});

test("a transcript shows owners, copies and the outcome of each delivery", async ({ page }) => {
  await enter(page, "viewer", TALK);
  await expect(page.getByText(/^Handed over to care by the bot 4 minutes ago: the customer asked\. Anna accepted/)).toBeVisible();
  const log = page.getByRole("log", { name: "Transcript" });
  const period = (name) => log.getByRole("region", { name });
  await expect(period(/^Bot: shop-bot/)).toContainText("Where is my parcel?");
  await expect(period(/^Offered to desk: care/)).toContainText("Thank you");
  await expect(period(/^Desk: Anna, care/)).toContainText("Since Monday?!");
  await expect(log.getByRole("list", { name: "Choices" }).getByRole("listitem")).toHaveText(["Order 48121, shoes", "Order 48077, a lamp"]);
  await expect(log.getByText("read", { exact: true })).toBeVisible();
  await expect(log.getByText(/copy to shop-bot: delivered/).first()).toBeVisible();
  await expect(log.getByText(/to care: failed, rejected permanently .*400: unknown channel/)).toBeVisible();
  await expect(log.getByText(/to shop-bot: delivered .*3 attempts: 503/)).toBeVisible();
  await expect(log.getByText("not forwarded: the sender does not own the conversation")).toBeVisible();
  await expect(log.getByRole("link", { name: "slip.pdf" })).toHaveAttribute("rel", "noopener noreferrer");
});

test("a transcript shows every kind of content", async ({ page }) => {
  await enter(page, "viewer", "conversations/shop-whatsapp/kinds");
  const log = page.getByRole("log", { name: "Transcript" });
  const cards = log.getByRole("list", { name: "Cards" }).locator("> li");
  await expect(cards).toHaveCount(2);
  await expect(cards.first()).toContainText("Shoe*Comfortable*Markdown sourcePicture: A shoe");
  await expect(cards.first().getByRole("list", { name: "Choices" })).toHaveText("Buy");
  await expect(cards.first().getByRole("link", { name: "Details" })).toHaveAttribute("href", "https://shop.example.com/shoe");
  await expect(cards.last().getByRole("link")).toHaveCount(0);
  await expect(log.getByRole("link", { name: "Shop, Main Street 1" })).toHaveAttribute("href", "https://www.google.com/maps/search/?api=1&query=52.37,4.9");
  await expect(log.getByRole("list", { name: "Contact" }).getByRole("listitem")).toHaveText(["Ada", "Shop", "+31201234567"]);
  const reply = log.getByRole("listitem").filter({ hasText: "It comes in red." }).first();
  await expect(reply.getByRole("blockquote")).toHaveText("Which one fits?");
  await expect(reply).toContainText("edited");
  await expect(log.getByText(/^Message edited by the bot/)).toBeVisible();
  await expect(log.getByText("It comes in blue.")).toBeVisible();
  await expect(log.getByText(/^Message deleted by shop-whatsapp/)).toBeVisible();
  await expect(log.locator(".body.deleted")).toHaveText("Which one fits?");
  await expect(log.getByText(/^👍 from shop-whatsapp/)).toBeVisible();
});

test("an open transcript updates and keeps scroll position, focus and open details", async ({ page }) => {
  await enter(page, "operator", TALK);
  const log = page.getByRole("log", { name: "Transcript" });
  await log.getByText("Context").click();
  const draft = page.getByLabel("Message to the customer");
  await draft.fill("half a mess");
  await log.evaluate((node) => {
    node.scrollTop = 20;
    window.kept = node.firstElementChild;
  });
  await expect(log.getByText("Great, tomorrow is fine.")).toBeAttached({ timeout: 12_000 });
  expect(await log.evaluate((node) => [node.scrollTop, node.firstElementChild === window.kept])).toEqual([20, true]);
  await expect(log.locator("details").filter({ hasText: "annoyed" })).toHaveAttribute("open", "");
  await expect(draft).toBeFocused();
  await expect(draft).toHaveValue("half a mess");
  await draft.fill("We are on it.");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(log.getByText("We are on it.")).toBeAttached();
  await expect(draft).toHaveValue("");
});

test("owner periods are derived from events, also from the middle of a conversation", async ({ page }) => {
  await enter(page, "viewer");
  const states = await page.evaluate(async () => {
    const { ownershipPeriods } = await import(new URL("parts/ownership.js", document.querySelector("script[type=module]").src));
    const conversation = { state: "bot", parties: { channel: "shop", bot: "robot", desk: "care" } };
    let made = 0;
    const entry = (from, role, type, more = {}) => ({
      id: String((made += 1)), from, conversation: more.conversation ?? "one", at: `2026-01-01T00:00:${10 + made}Z`,
      received_at: more.received_at ?? `2026-01-01T00:00:${10 + made}Z`,
      author: { role, name: role === "agent" ? (more.name ?? "Anna") : null }, disposition: more.disposition ?? "routed", body: { type, ...more },
    });
    const of = (...entries) => ownershipPeriods(entries, conversation).map(({ state, agent, entries: own }) => [state, agent, own.length].join(" "));
    return {
      quiet: of(entry("shop", "customer", "message")),
      none: of(),
      whole: of(entry("shop", "customer", "message"), entry("robot", "bot", "handover"), entry("trunkline", "system", "handover"),
        entry("shop", "customer", "message"), entry("care", "agent", "message"), entry("care", "agent", "message", { name: "Bo" }),
        entry("trunkline", "system", "handback"), entry("care", "agent", "close"), entry("shop", "customer", "message")),
      middle: of(entry("care", "agent", "message"), entry("care", "agent", "handback"), entry("robot", "bot", "message")),
      over: of(entry("robot", "bot", "handover", { mode: "pass" }), entry("care", "agent", "close"), entry("shop", "customer", "message", { conversation: "two" })),
      ordered: of(entry("trunkline", "system", "handover"), entry("care", "agent", "accept"), entry("trunkline", "agent", "message", { name: "Kim" }),
        entry("trunkline", "system", "handback", { received_at: "then" }), entry("trunkline", "system", "close", { received_at: "then" })),
      declined: of(entry("trunkline", "system", "handover"), entry("trunkline", "system", "close", { received_at: "then" }), entry("trunkline", "system", "handback", { received_at: "then" })),
      late: of(entry("robot", "bot", "handover", { disposition: "not_owner" }), entry("shop", "customer", "message")),
    };
  });
  expect(states).toEqual({
    quiet: ["bot  1"],
    none: ["bot  0"],
    whole: ["bot  2", "pending  2", "desk Anna 1", "desk Bo 2", "bot  2"],
    middle: ["desk Anna 2", "bot  1"],
    over: ["bot  1", "desk  1", "bot  1"],
    ordered: ["bot  1", "pending  0", "desk Anna 3", "bot  1"],
    declined: ["bot  1", "pending  2", "bot  0"],
    late: ["bot  2"],
  });
});

test("earlier messages are loaded on request", async ({ page }) => {
  await enter(page, "viewer", "conversations/shop-whatsapp/31687654321");
  const log = page.getByRole("log");
  await expect(log.getByText("Message 130 of 130", { exact: true })).toBeVisible();
  for (const expected of [100, 130]) {
    await page.getByRole("button", { name: "Load earlier messages" }).click();
    await expect(log.locator(".spoken")).toHaveCount(expected);
  }
  await expect(page.getByRole("button", { name: "Load earlier messages" })).toHaveCount(0);
  await expect(log.locator(".spoken .text").first()).toHaveText("Message 1 of 130");
});

test("hostile messages are shown as text", async ({ page }) => {
  await enter(page, "admin", HOSTILE);
  const log = page.getByRole("log");
  await expect(log.getByText("<img src=x onerror='window.harmed = 1'>", { exact: false }).first()).toBeVisible();
  expect(await log.locator("img, script, iframe, b, u").count()).toBe(0);
  const links = await log.getByRole("link").evaluateAll((all) => all.map((one) => one.href));
  expect(links).toEqual(["https://elsewhere.example.com/track.png"]);
  await expect(log.getByText("no link: not a web address")).toHaveCount(4);
  // Bidirectional control characters are replaced in names, and isolated in texts.
  await expect(log.getByRole("link")).toHaveText("\ufffdgpj.exe");
  for (const text of await log.locator(".text").all()) expect(await text.evaluate((node) => getComputedStyle(node).unicodeBidi)).toBe("isolate");
  expect(await log.evaluate((node) => node.scrollWidth - node.clientWidth)).toBeLessThanOrEqual(0);
});

test("a hostile id in the URL leads to Not found", async ({ page }) => {
  await enter(page, "admin", `conversations/shop-whatsapp/${encodeURIComponent("<img src=x onerror=window.harmed=1>/..")}`);
  await expect(heading(page, "Not found")).toBeVisible();
  await to(page, "connections/%E0%A4%A");
  await expect(heading(page, "Not found")).toBeVisible();
});

test("operators hand back and close a conversation with a reason after confirmation", async ({ page }) => {
  await enter(page, "operator", TALK);
  await page.getByRole("button", { name: "Hand back to the bot" }).click();
  const back = page.getByRole("dialog", { name: "Hand back to the bot" });
  await expect(back).toContainText("shop-bot takes over the conversation with 31612345678");
  await back.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("button", { name: "Hand back to the bot" })).toBeFocused();
  await page.keyboard.press("Enter");
  await back.getByLabel("Reason (optional)").fill("Anna is ill");
  await back.getByRole("button", { name: "Hand back" }).click();
  await expect(page.getByRole("log").getByText("Handed back to the bot by Trunkline: Anna is ill")).toBeVisible();
  await expect(page.getByRole("button", { name: "Hand back to the bot" })).toBeDisabled();
  await page.getByRole("button", { name: "Close conversation" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Close conversation" }).click();
  await expect(page.getByText(/^Closed .* next message starts a new conversation/)).toBeVisible();
  await expect(page.getByRole("button", { name: "Send" })).toBeDisabled();
});

test("deliveries are discarded one by one and replayed by connection", async ({ page }) => {
  await enter(page, "operator", "deliveries");
  await expect(page.getByText("5 deliveries", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "Discard all …" })).toBeDisabled();
  await page.getByRole("button", { name: /^Discard the message to care/ }).click();
  await expect(page.getByRole("dialog")).toContainText("permanently. This cannot be undone");
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(page.getByText("4 deliveries", { exact: true })).toBeVisible();
  await page.getByLabel("Connection", { exact: true }).selectOption("shop-bot");
  await page.getByRole("button", { name: "Replay all …" }).click();
  const dialog = page.getByRole("dialog", { name: "Replay all deliveries of shop-bot?" });
  await expect(dialog).toContainText("3 deliveries of shop-bot");
  await dialog.getByRole("button", { name: "Replay all" }).click();
  await expect(page.getByText("3 deliveries will be sent again.")).toBeVisible();
  await expect(page.getByText("No matching deliveries.")).toBeVisible();
});

test("dead letters are redriven", async ({ page }) => {
  await enter(page, "operator", "dead-letters");
  await page.getByRole("button", { name: /^Redrive the dead letter of fax/ }).click();
  await expect(page.getByText("2 dead letters", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Redrive all …" }).click();
  await expect(page.getByRole("dialog")).toContainText("2 dead letters return to their queues");
  await page.getByRole("dialog").getByRole("button", { name: "Redrive all" }).click();
  await expect(page.getByText("No dead letters.")).toBeVisible();
});

test("a token is created, shown once and revoked", async ({ page }) => {
  await enter(page, "admin", "tokens");
  await page.getByLabel("Name (required)").fill("night shift");
  await page.getByRole("button", { name: "Create token" }).click();
  await expect(page.getByRole("dialog", { name: "Token created" })).toContainText(/trk_/);
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Revoke night shift" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByText("Token night shift revoked.")).toBeVisible();
  await to(page, "audit");
  await expect(page.getByRole("row").filter({ hasText: "token.deleted" })).toBeVisible();
});
