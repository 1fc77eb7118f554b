// Configuration of connections and routes.
import { readFileSync } from "node:fs";
import { enter, expect, test, to } from "./console.mjs";

test("a connection is created, its URL is copied, and it is verified", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await enter(page, "admin", "connections");
  await page.getByRole("link", { name: "New connection" }).click();
  await page.getByLabel("Platform (required)").focus();
  await page.getByLabel("Platform (required)").selectOption({ label: "Pager network" });
  await expect(page.getByLabel("Platform (required)")).toBeFocused();
  await page.getByLabel("Role (required)").selectOption("observer");
  await page.getByLabel("Id (required)").fill("minutes");
  await page.getByRole("button", { name: "Create connection" }).click();
  // Problems are shown at their fields; the summary links to the fields.
  await expect(page.getByRole("alert")).toContainText("the connection is invalid");
  await expect(page.getByLabel("message_url (required)")).toHaveAttribute("aria-invalid", "true");
  await page.getByRole("alert").getByRole("link", { name: /^message_url/ }).click();
  await expect(page.getByLabel("message_url (required)")).toBeFocused();
  await page.keyboard.type("https://minutes.example.com");
  await page.getByLabel("signing (required)").fill("whsec_abc");
  await page.getByRole("button", { name: "Create connection" }).click();
  await expect(page).toHaveURL(/#\/connections\/minutes$/);
  await page.getByRole("button", { name: "Copy Where your program sends its events" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^https:\/\/hooks\.example\.com\/in\/pager\/minutes\//);
  await page.getByRole("button", { name: "Verify" }).click();
  await expect(page.getByText("minutes is verified.")).toBeVisible();
});

test("a fix shows what differs, and then what it did", async ({ page }) => {
  await enter(page, "admin", "connections/care");
  await page.getByRole("button", { name: "Fix …" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("there is nothing to fix");
  await dialog.getByRole("button", { name: "Fix" }).click();
  await expect(page.getByText("care is fixed: created the webhook registration")).toBeVisible();
});

test("a number has the limits of its setting and is sent as a number", async ({ page }) => {
  await enter(page, "admin", "connections/care");
  const field = page.getByRole("spinbutton", { name: "page_timeout" });
  await expect(field).toHaveAttribute("min", "1");
  await expect(field).toHaveAttribute("max", "60");
  await expect(field).toHaveAccessibleDescription(/seconds to wait for a page/);
  const save = async (value) => {
    await field.fill(value);
    const request = page.waitForRequest((one) => one.method() === "PUT");
    await page.getByRole("button", { name: "Save" }).click();
    return (await request).postDataJSON().settings;
  };
  expect(await save("45")).toEqual({ send_url: "https://router.example.com/out/1", page_timeout: 45 });
  await expect(page.getByText("as a desk. Version 4.")).toBeVisible();
  await expect(field).toHaveValue("45");
  expect(await save("")).toEqual({ send_url: "https://router.example.com/out/1" });
});

test("a secret is never shown and is kept if left empty", async ({ page }) => {
  const sent = [];
  page.on("request", (request) => request.method() === "PUT" && sent.push(request));
  await enter(page, "admin", "connections/care");
  await expect(page.getByLabel("line_token")).toHaveAttribute("type", "password");
  await expect(page.getByLabel("line_token")).toHaveValue("");
  await page.getByLabel("response_status").selectOption("202");
  await page.getByLabel("Remove shared_secret").check();
  await page.getByLabel("Consecutive failures that open the breaker").fill("7");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("as a desk. Version 4.")).toBeVisible();
  const body = sent[0].postDataJSON();
  expect(body.secrets).toEqual({ shared_secret: null });
  expect(body.settings).toEqual({ send_url: "https://router.example.com/out/1", response_status: "202" });
  expect(body.delivery.breaker_after).toBe(7);
  expect(sent[0].headers()["if-match"]).toBe('"3"');
  expect(sent[0].headers()["x-trunkline-console"]).toBe("1");
});

test("a change based on an outdated version is rejected", async ({ page }) => {
  await enter(page, "admin", "connections/archive");
  await expect(page.getByRole("button", { name: "Save" })).toBeVisible();
  await page.evaluate(async () => {
    // The page's own module, which knows the URL of the API.
    const { get, put } = await import(new URL("api.js", document.querySelector("script[type=module]").src));
    const { version, suspended, ...mine } = await get("connections/archive");
    await put("connections/archive", { ...mine, secrets: {} }, { "if-match": `"${version}"` });
  });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toContainText("the resource was changed in the meantime");
});

test("a connection is suspended, resumed, and its key is rotated", async ({ page }) => {
  await enter(page, "admin", "connections/shop-bot");
  await page.getByRole("button", { name: "Suspend …" }).click();
  await expect(page.getByRole("dialog", { name: "Suspend shop-bot?" })).toContainText("are parked in order");
  await page.getByRole("dialog").getByRole("button", { name: "Suspend" }).click();
  await expect(page.getByText("shop-bot is suspended.")).toBeVisible();
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.getByText("shop-bot is resumed.")).toBeVisible();
  await page.getByRole("button", { name: "Rotate key …" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Rotate key" }).click();
  await expect(page.getByRole("dialog", { name: "New inbound URL" })).toContainText("https://hooks.example.com/in/pager/shop-bot/");
});

test("a rejected request can be read", async ({ page }) => {
  await enter(page, "operator", "connections/shop-whatsapp");
  const section = page.getByRole("region", { name: "Rejected requests" });
  await section.getByText("Show").click();
  await expect(section.getByText("<b>not a JSON</b>")).toBeVisible();
});

test("a route is created and changed", async ({ page }) => {
  await enter(page, "admin", "routes/new");
  await page.getByLabel("Id (required)").fill("press");
  await page.getByRole("button", { name: "Create route" }).click();
  await expect(page.getByRole("alert")).toContainText("a bot, a desk or both");
  await page.getByLabel("Desk", { exact: true }).selectOption("care");
  await page.getByRole("button", { name: "Create route" }).click();
  await expect(page).toHaveURL(/#\/routes\/press$/);
  await page.getByLabel("Offer timeout (seconds)").fill("180");
  await page.getByLabel("Language code").fill("de");
  await page.getByRole("button", { name: "Add language", exact: true }).click();
  await page.getByLabel("Handover keywords (de)").fill("Mensch, Mitarbeiter");
  await page.getByLabel("Agent accepted (de)").fill("{agent} ist da.");
  const request = page.waitForRequest((one) => one.method() === "PUT");
  await page.getByRole("button", { name: "Save" }).click();
  const { handover_policy: policy, version } = (await request).postDataJSON();
  expect(version).toBeUndefined();
  expect(policy).toMatchObject({
    accept_within: 180, agent_idle: null,
    keywords: { de: { handover: ["Mensch", "Mitarbeiter"], handback: [] } },
    texts: { de: { joined: "{agent} ist da." } },
  });
  await expect(page.getByText("press saved as version 2.")).toBeVisible();
  await to(page, "routes");
  await expect(page.getByRole("row").filter({ hasText: "press" })).toContainText("3 minutes");
});

test("connections and routes of all pages of the API can be chosen", async ({ page }) => {
  // The API returns as many items as asked for, at most 100.
  await page.route(/\/api\/v1\/(connections|routes)\?/, (route) => {
    const url = new URL(route.request().url());
    url.searchParams.set("limit", "1");
    return route.continue({ url: url.href });
  });
  await enter(page, "admin", "routes/new");
  await expect(page.getByLabel("Bot", { exact: true }).getByRole("option", { name: "shop-bot" })).toBeAttached();
  await expect(page.getByLabel("Desk", { exact: true }).getByRole("option", { name: "care" })).toBeAttached();
  await to(page, "connections/shop-whatsapp");
  await expect(page.getByLabel("Route").getByRole("option", { name: "shop", exact: true })).toBeAttached();
  await to(page, "deliveries");
  await expect(page.getByLabel("Connection").getByRole("option", { name: "shop-whatsapp" })).toBeAttached();
});

test("the form and the server have the same minimum for text_limit", async ({ page }) => {
  const source = readFileSync(new URL("../../../../shared/config/src/file/connections.rs", import.meta.url), "utf8");
  const [, minimum] = /TEXT_LIMIT\b[^=]*= (\d+)/.exec(source);
  await enter(page, "admin", "connections/care");
  await expect(page.getByLabel("Maximum text length (characters)")).toHaveAttribute("min", minimum);
});
