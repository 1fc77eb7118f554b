// Setting up connections and routes.
import { enter, expect, test, to } from "./console.mjs";

test("a connection is made from its platform's form, and its addresses can be copied", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await enter(page, "admin", "connections");
  await page.getByRole("link", { name: "New connection" }).click();
  await page.getByLabel("Platform (required)").focus();
  await page.getByLabel("Platform (required)").selectOption({ label: "Signed webhooks" });
  await expect(page.getByLabel("Platform (required)")).toBeFocused();
  await page.getByLabel("Role (required)").selectOption("observer");
  await page.getByLabel("Id (required)").fill("minutes");
  await page.getByRole("button", { name: "Make the connection" }).click();
  // Problems are shown at their fields, and the list of them leads there.
  await expect(page.getByRole("alert")).toContainText("the connection is not right yet");
  await expect(page.getByLabel("message_url (required)")).toHaveAttribute("aria-invalid", "true");
  await page.getByRole("alert").getByRole("link", { name: /^message_url/ }).click();
  await expect(page.getByLabel("message_url (required)")).toBeFocused();
  await page.keyboard.type("https://minutes.example.com");
  await page.getByLabel("signing (required)").fill("whsec_abc");
  await page.getByRole("button", { name: "Make the connection" }).click();
  await expect(page).toHaveURL(/#\/connections\/minutes$/);
  await page.getByRole("button", { name: "Copy Where your program sends its events" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^https:\/\/hooks\.example\.com\/in\/webhook\/minutes\//);
  await page.getByRole("button", { name: "Verify" }).click();
  await expect(page.getByText("minutes has proved itself.")).toBeVisible();
});

test("a secret is never shown, and stays if it is left empty", async ({ page }) => {
  const sent = [];
  page.on("request", (request) => request.method() === "PUT" && sent.push(request));
  await enter(page, "admin", "connections/care");
  await expect(page.getByLabel("product_token")).toHaveAttribute("type", "password");
  await expect(page.getByLabel("product_token")).toHaveValue("");
  await page.getByLabel("answer_status").selectOption("202");
  await page.getByLabel("Remove shared_secret").check();
  await page.getByLabel("Failures in a row that open the breaker").fill("7");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("as a desk. Version 4.")).toBeVisible();
  const body = sent[0].postDataJSON();
  expect(body.secrets).toEqual({ shared_secret: null });
  expect(body.settings).toEqual({ send_url: "https://router.example.com/out/1", answer_status: "202" });
  expect(body.delivery.breaker_after).toBe(7);
  expect(sent[0].headers()["if-match"]).toBe('"3"');
  expect(sent[0].headers()["x-trunkline-console"]).toBe("1");
});

test("whoever changes what somebody else has changed is told", async ({ page }) => {
  await enter(page, "admin", "connections/archive");
  await expect(page.getByRole("button", { name: "Save" })).toBeVisible();
  await page.evaluate(async () => {
    // The page's own copy: it finds the API from where it lies.
    const { get, put } = await import(new URL("api.js", document.querySelector("script[type=module]").src));
    const { version, suspended, ...mine } = await get("connections/archive");
    await put("connections/archive", { ...mine, secrets: {} }, { "if-match": `"${version}"` });
  });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toContainText("somebody else changed it meanwhile");
});

test("a connection is suspended, resumed, and given a new address", async ({ page }) => {
  await enter(page, "admin", "connections/shop-bot");
  await page.getByRole("button", { name: "Suspend …" }).click();
  await expect(page.getByRole("dialog", { name: "Suspend shop-bot?" })).toContainText("its deliveries park, in order");
  await page.getByRole("dialog").getByRole("button", { name: "Suspend" }).click();
  await expect(page.getByText("shop-bot is suspended.")).toBeVisible();
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.getByText("shop-bot is in use again.")).toBeVisible();
  await page.getByRole("button", { name: "New address …" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "New address" }).click();
  await expect(page.getByRole("dialog", { name: "The new address" })).toContainText("https://hooks.example.com/in/webhook/shop-bot/");
});

test("a call that was not taken can be read", async ({ page }) => {
  await enter(page, "operator", "connections/shop-whatsapp");
  const section = page.getByRole("region", { name: "What came and was not taken" });
  await section.getByText("Show").click();
  await expect(section.getByText("<b>not a JSON</b>")).toBeVisible();
});

test("a route is made and changed", async ({ page }) => {
  await enter(page, "admin", "routes/new");
  await page.getByLabel("Id (required)").fill("press");
  await page.getByRole("button", { name: "Make the route" }).click();
  await expect(page.getByRole("alert")).toContainText("a bot, a desk or both");
  await page.getByLabel("Desk", { exact: true }).selectOption("care");
  await page.getByRole("button", { name: "Make the route" }).click();
  await expect(page).toHaveURL(/#\/routes\/press$/);
  await page.getByLabel("An offer to the desk waits, in seconds").fill("180");
  await page.getByLabel("Another language").fill("de");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByLabel("Keywords for people (de)").fill("Mensch, Mitarbeiter");
  await page.getByLabel("When an agent has accepted (de)").fill("{agent} ist da.");
  const request = page.waitForRequest((one) => one.method() === "PUT");
  await page.getByRole("button", { name: "Save" }).click();
  const { switching, version } = (await request).postDataJSON();
  expect(version).toBeUndefined();
  expect(switching).toMatchObject({
    accept_within: 180, agent_idle: null,
    keywords: { de: { handover: ["Mensch", "Mitarbeiter"], handback: [] } },
    texts: { de: { joined: "{agent} ist da." } },
  });
  await expect(page.getByText("press is saved, as version 2.")).toBeVisible();
  await to(page, "routes");
  await expect(page.getByRole("row").filter({ hasText: "press" })).toContainText("3 minutes");
});
