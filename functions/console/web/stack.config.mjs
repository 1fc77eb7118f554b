// Against a real stack: CONSOLE_URL is its console's address, ADMIN_TOKEN a token with the role admin.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "stack",
  workers: 1,
  timeout: 120_000,
  // Functions see a change of configuration within half a minute.
  expect: { timeout: 60_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: process.env.CI ? "line" : "list",
  outputDir: "node_modules/.results",
  use: {
    baseURL: process.env.CONSOLE_URL,
    browserName: "chromium",
    actionTimeout: 30_000,
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium" },
  },
});
