// The link of a relayed file, opened by a person who has no credentials. `FILE_LINK` is set by the end-to-end tests.
import { readFile } from "node:fs/promises";
import { expect, test } from "@playwright/test";

const link = process.env.FILE_LINK;
test.skip(!link, "needs FILE_LINK");

test("a relayed file opens without credentials", async ({ page }) => {
  // A browser shows a PDF in its viewer, or downloads it if it has none.
  const downloaded = page.waitForEvent("download", { timeout: 15_000 }).then((file) => file.path(), () => null);
  const shown = await page.goto(link).catch((error) => {
    if (!/Download is starting/.test(error.message)) throw error;
    return null;
  });
  let content;
  if (shown) {
    expect(shown.status()).toBe(200);
    expect(shown.headers()["content-type"]).toBe("application/pdf");
    // The body of the page is that of the viewer.
    content = await (await page.context().request.get(shown.url())).body();
  } else {
    content = await readFile(await downloaded);
  }
  expect(content.toString()).toBe(process.env.FILE_CONTENT);
  expect(await page.context().cookies()).toEqual([]);
});

test("a changed link to a relayed file says what to do", async ({ page }) => {
  const response = await page.goto(`${link}x`);
  expect(response.status()).toBe(403);
  await expect(page.getByText("not complete")).toBeVisible();
});
