// Who gets in, and what they may do.
import { api, enter, expect, heading, test } from "./console.mjs";

test("by the form, with a token; and not with any other", async ({ page, tokens }) => {
  await page.goto("");
  await expect(heading(page, "Sign in to Trunkline")).toBeVisible();
  await page.getByLabel("Token").fill("trk_0_nonsense");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toHaveText("Nobody has this token, or its time is up.");
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

test("by a link, whose code does not stay in the address and is good once", async ({ page, tokens }) => {
  // Only the command line makes links; without one, a token stands in for its code.
  const code = process.env.LOGIN_LINK?.split("#login=")[1];
  await page.goto(`#login=${code ?? tokens.operator}`);
  await expect(heading(page, "Overview")).toBeVisible();
  expect(page.url()).not.toContain("trk_");
  if (!code) return test.info().annotations.push({ type: "not shown", description: "LOGIN_LINK is not set: that it is good once" });
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(heading(page, "Sign in to Trunkline")).toBeVisible();
  await page.goto("about:blank");
  await page.goto(`#login=${code}`);
  await expect(page.getByRole("alert")).toContainText("This link has been used already");
  await expect(heading(page, "Sign in to Trunkline")).toBeVisible();
});

test("what a viewer may not do is switched off, and refused", async ({ page, tokens, world }) => {
  const { names, far } = world;
  await far.writes("viewed", "Is somebody there?");
  await enter(page, tokens.viewer, `conversations/${names.channel}/viewed`);
  await expect(page.getByRole("log")).toContainText("Is somebody there?");
  for (const name of ["Send", "Hand over to people", "Close the conversation", "Replay what waits", "Delete the customer's data"]) {
    await expect(page.getByRole("button", { name })).toBeDisabled();
  }
  await expect(page.getByRole("button", { name: "Send" })).toHaveAccessibleDescription("This needs the role operator; you have the role viewer.");
  await page.getByRole("button", { name: "Close the conversation" }).click({ force: true });
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await page.goto(`#/connections/${names.bot}`);
  await expect(page.getByRole("region", { name: "How it is" })).toContainText("Breaker closed");
  await expect(page.getByRole("region", { name: "What came and was not taken" })).toContainText("Only an operator sees them.");
  await expect(page.getByText("The addresses are secret.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Verify" })).toBeDisabled();
  await expect(page.getByLabel("message_url (required)")).toBeDisabled();
  for (const path of ["tokens", "audit"]) {
    await page.goto(`#/${path}`);
    await expect(page.getByText("Only an admin sees")).toBeVisible();
  }

  const refused = [
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
  for (const [method, path, body] of refused) await api(method, path, { body, token: tokens.viewer, expected: 403 });
  // With the page's own cookie, too.
  const status = await page.evaluate(async (path) => {
    const { post } = await import(new URL("api.js", document.querySelector("script[type=module]").src));
    return post(path, {}).then(() => 202, (problem) => problem.status);
  }, `conversations/${names.channel}/viewed/close`);
  expect(status).toBe(403);
});
