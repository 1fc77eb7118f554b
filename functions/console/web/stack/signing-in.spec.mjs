// Sign-in and roles.
import { api, enter, expect, heading, test } from "./console.mjs";

test("the form accepts a valid token only", async ({ page, tokens }) => {
  await page.goto("");
  await expect(heading(page, "Sign in to Trunkline")).toBeVisible();
  await page.getByLabel("Token").fill("trk_0_nonsense");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toHaveText("This token is invalid or has expired.");
  await page.getByLabel("Token").fill(tokens.admin);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(heading(page, "Overview")).toBeVisible();
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(heading(page, "Sign in to Trunkline")).toBeVisible();
  expect(await page.context().cookies()).toEqual([]);
  await page.goto("#/connections");
  await expect(heading(page, "Sign in to Trunkline")).toBeVisible();
});

test("a link signs in once, and its code is removed from the URL", async ({ page, tokens }) => {
  // Only the CLI creates links. Without one, a token replaces the code.
  const code = process.env.LOGIN_LINK?.split("#login=")[1];
  await page.goto(`#login=${code ?? tokens.operator}`);
  await expect(heading(page, "Overview")).toBeVisible();
  expect(page.url()).not.toContain("trk_");
  if (!code) return test.info().annotations.push({ type: "not tested", description: "single use of the link: LOGIN_LINK is not set" });
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(heading(page, "Sign in to Trunkline")).toBeVisible();
  await page.goto("about:blank");
  await page.goto(`#login=${code}`);
  await expect(page.getByRole("alert")).toContainText("This sign-in link was already used");
  await expect(heading(page, "Sign in to Trunkline")).toBeVisible();
});

test("a viewer's forbidden actions are disabled and rejected", async ({ page, tokens, world }) => {
  const { names, platforms } = world;
  await platforms.writes("viewed", "Is anyone there?");
  await enter(page, tokens.viewer, `conversations/${names.channel}/viewed`);
  await expect(page.getByRole("log")).toContainText("Is anyone there?");
  for (const name of ["Send", "Hand over to an agent", "Close conversation", "Replay pending deliveries", "Delete customer data"]) {
    await expect(page.getByRole("button", { name })).toBeDisabled();
  }
  await expect(page.getByRole("button", { name: "Send" })).toHaveAccessibleDescription("This requires the role operator. Your role is viewer.");
  await page.getByRole("button", { name: "Close conversation" }).click({ force: true });
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await page.goto(`#/connections/${names.bot}`);
  await expect(page.getByRole("region", { name: "Status" })).toContainText("Breaker closed");
  await expect(page.getByRole("region", { name: "Rejected requests" })).toContainText("Rejected requests require the role operator.");
  await expect(page.getByText("Inbound URLs require the role admin.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Verify" })).toBeDisabled();
  await expect(page.getByLabel("message_url (required)")).toBeDisabled();
  for (const path of ["tokens", "audit"]) {
    await page.goto(`#/${path}`);
    await expect(page.getByText(/^(Tokens require|The audit log requires) the role admin\.$/)).toBeVisible();
  }

  const forbidden = [
    ["POST", `conversations/${names.channel}/viewed/messages`, { text: "hi" }],
    ["POST", `conversations/${names.channel}/viewed/close`, {}],
    ["POST", "deliveries/replay", { connection: names.bot }],
    ["POST", `connections/${names.bot}/verify`],
    ["POST", `connections/${names.bot}/suspend`],
    ["GET", `connections/${names.bot}/addresses`],
    ["GET", `connections/${names.bot}/rejected`],
    ["DELETE", `customers/${names.channel}/viewed`],
    ["POST", "tokens", { name: "more", role: "admin" }],
    ["GET", "audit"],
  ];
  for (const [method, path, body] of forbidden) await api(method, path, { body, token: tokens.viewer, expected: 403 });
  // Also with the session cookie of the page.
  const status = await page.evaluate(async (path) => {
    const { post } = await import(new URL("api.js", document.querySelector("script[type=module]").src));
    return post(path, {}).then(() => 202, (problem) => problem.status);
  }, `conversations/${names.channel}/viewed/close`);
  expect(status).toBe(403);
});
