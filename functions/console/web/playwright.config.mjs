import { defineConfig } from "@playwright/test";

const PORT = 4181;

export default defineConfig({
  testDir: "tests",
  // One dev server, in which each sign-in has a world of its own.
  workers: 2,
  fullyParallel: true,
  // Other tests may keep the machine busy.
  timeout: 60_000,
  expect: { timeout: 15_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: process.env.CI ? "line" : "list",
  outputDir: "node_modules/.results",
  use: {
    baseURL: `http://127.0.0.1:${PORT}/stage/console/`,
    browserName: "chromium",
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium" },
  },
  webServer: {
    command: "node dev/server.mjs",
    // Below a prefix, as a stage of API Gateway has one: no address in the pages may begin at the root.
    env: { PORT: String(PORT), PREFIX: "/stage" },
    url: `http://127.0.0.1:${PORT}/stage/console/`,
    reuseExistingServer: false,
  },
});
