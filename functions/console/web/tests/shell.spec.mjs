// The page frame: sign-in, roles, connection loss, keyboard, theme, page weight.
import { enter, expect, TALK, test, to } from "./console.mjs";

const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });

test("signing in returns to the requested page", async ({ page }) => {
  await page.goto("#/dead-letters");
  await expect(heading(page, "Sign in to Trunkline")).toBeVisible();
  await page.getByLabel("Token").fill("nonsense");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toHaveText("This token is invalid or has expired.");
  await expect(page.getByLabel("Token")).toBeFocused();
  await page.getByLabel("Token").fill("operator");
  await page.keyboard.press("Enter");
  await expect(heading(page, "Dead letters")).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(heading(page, "Sign in to Trunkline")).toBeVisible();
});

test("an ended session leads to the sign-in page", async ({ page, context }) => {
  await page.clock.install();
  await enter(page, "viewer", "connections");
  await expect(heading(page, "Connections")).toBeVisible();
  await context.clearCookies();
  await page.clock.runFor("00:10");
  await expect(heading(page, "Sign in to Trunkline")).toBeVisible();
  await expect(page).toHaveURL(/from=%23%2Fconnections/);
});

test("a link signs in once, and its code is removed from the URL", async ({ page }) => {
  const code = `once-${Math.random()}`;
  await page.goto(`#login=${code}`);
  await expect(heading(page, "Overview")).toBeVisible();
  expect(page.url()).not.toContain("once-");
  await expect(page.getByText("dev admin")).toBeVisible();
  await page.context().clearCookies();
  await page.goto("about:blank");
  await page.goto(`#login=${code}`);
  await expect(page.getByRole("alert")).toContainText("This sign-in link was already used");
  await expect(heading(page, "Sign in to Trunkline")).toBeVisible();
});

test("controls are disabled without the required role and say why", async ({ page }) => {
  await enter(page, "viewer", TALK);
  const why = "This requires the role operator. Your role is viewer.";
  for (const name of ["Close conversation", "Replay pending deliveries", "Send"]) {
    await expect(page.getByRole("button", { name })).toBeDisabled();
    await expect(page.getByRole("button", { name })).toHaveAccessibleDescription(why);
  }
  await page.getByRole("button", { name: "Close conversation" }).click({ force: true });
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await to(page, "connections/care");
  await expect(page.getByText("Inbound URLs require the role admin.")).toBeVisible();
  await expect(page.getByLabel("send_url (required)")).toBeDisabled();
  await to(page, "tokens");
  await expect(page.getByText("Tokens require the role admin.")).toBeVisible();
});

test("the detail of an API problem is shown", async ({ page }) => {
  await enter(page, "operator", "deliveries");
  const problem = { type: "about:blank", title: "Forbidden", status: 403, detail: "this call requires the role admin" };
  await page.route("**/deliveries/replay", (route) => route.fulfill({ status: 403, contentType: "application/problem+json", body: JSON.stringify(problem) }));
  await page.getByRole("button", { name: /^Replay the receipt/ }).click();
  await expect(page.getByRole("alert")).toContainText("this call requires the role admin");
  await page.getByRole("alert").getByRole("button", { name: "Dismiss" }).click();
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("connection loss is shown, data stays, and polling resumes", async ({ page, context }) => {
  await page.clock.install();
  await enter(page, "viewer");
  await context.setOffline(true);
  const bar = page.getByRole("status").filter({ hasText: "Connection lost. Retrying …" });
  await page.clock.runFor("00:10");
  await expect(bar).toBeVisible();
  await expect(page.getByRole("heading", { name: "shop-whatsapp" })).toBeVisible();
  await context.setOffline(false);
  await page.clock.runFor("00:30");
  await expect(bar).toBeHidden();
  await page.route("**/api/v1/overview", (route) => route.fulfill({ status: 502, body: "<html>" }));
  await page.clock.runFor("00:10");
  await expect(bar).toBeVisible();
  await page.unroute("**/api/v1/overview");
  await page.getByRole("button", { name: "Retry now" }).click();
  await expect(bar).toBeHidden();
});

test("a hidden page sends no requests", async ({ page }) => {
  await page.clock.install();
  await enter(page, "viewer", TALK);
  await expect(page.getByRole("log")).toBeVisible();
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => window.away });
    window.away = true;
  });
  // A request may be under way.
  await page.clock.runFor("00:10");
  await page.waitForLoadState("networkidle");
  let asked = 0;
  page.on("request", () => (asked += 1));
  await page.clock.runFor("05:00");
  expect(asked).toBe(0);
  await page.evaluate(() => {
    window.away = false;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await expect.poll(() => asked).toBeGreaterThan(0);
});

test("every page is reachable by keyboard", async ({ page }) => {
  await enter(page, "operator");
  for (const [key, name] of [["c", "Conversations"], ["d", "Deliveries"], ["l", "Dead letters"], ["n", "Connections"], ["r", "Routes"], ["o", "Overview"]]) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await expect(heading(page, name)).toBeFocused();
  }
  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox", { name: "Customer" })).toBeFocused();
  // Shortcuts are inactive in text fields.
  await page.keyboard.type("g?");
  await expect(page.getByRole("searchbox", { name: "Customer" })).toHaveValue("g?");
  await page.getByRole("searchbox", { name: "Customer" }).fill("");
  await page.getByRole("searchbox", { name: "Customer" }).blur();
  await page.keyboard.press("?");
  const keys = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(keys).toContainText("Dead letters");
  await keys.getByLabel("Enable single-key shortcuts").uncheck();
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await expect(keys).toHaveCount(0);
  await page.reload();
  await expect(heading(page, "Conversations")).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("searchbox", { name: "Customer" })).toBeFocused();
});

test("the theme is chosen and remembered", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await enter(page, "viewer");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: "Theme: automatic" }).click();
  await page.getByRole("button", { name: "Theme: light" }).click();
  await expect(page.getByRole("button", { name: "Theme: dark" })).toBeVisible();
  expect(await ground()).not.toBe(light);
  await page.reload();
  await expect(page.getByRole("button", { name: "Theme: dark" })).toBeVisible();
  expect(await ground()).not.toBe(light);
});

test("the first view loads less than 300 KB", async ({ page }) => {
  await enter(page, "viewer");
  const browser = await page.context().newCDPSession(page);
  await browser.send("Network.enable");
  await browser.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  let requests = 0;
  browser.on("Network.loadingFinished", ({ encodedDataLength }) => {
    requests += 1;
    bytes += encodedDataLength;
  });
  await page.reload();
  await expect(page.getByRole("img", { name: /^Latency:/ })).toBeVisible();
  await page.waitForLoadState("networkidle");
  test.info().annotations.push({ type: "first view", description: `${bytes} bytes in ${requests} responses` });
  expect(requests).toBeGreaterThan(15);
  expect(bytes).toBeLessThan(300_000);
});

test("a repeated visit loads the page and its data only", async ({ page }) => {
  await enter(page, "viewer");
  await expect(page.getByRole("img", { name: /^Latency:/ })).toBeVisible();
  await page.waitForLoadState("networkidle");
  await page.goto("about:blank");
  const browser = await page.context().newCDPSession(page);
  await browser.send("Network.enable");
  const kept = new Set();
  const answers = new Map();
  browser.on("Network.requestServedFromCache", ({ requestId }) => kept.add(requestId));
  browser.on("Network.responseReceived", ({ requestId, response }) => response.fromDiskCache || answers.set(requestId, response.url));
  await page.goto("");
  await expect(page.getByRole("img", { name: /^Latency:/ })).toBeVisible();
  const fetched = [...answers].filter(([id]) => !kept.has(id)).map(([, url]) => new URL(url).pathname.replace("/stage", ""));
  expect(fetched.sort()).toEqual(["/api/v1/me", "/api/v1/metrics", "/api/v1/overview", "/console/"]);
});
