// With PAGES=here the pages are served from the assets folder, so that changes need no build.
import { fileURLToPath } from "node:url";

export async function pagesFromHere(page) {
  const assets = new URL("../../assets/", import.meta.url);
  await page.route("**/console/v-*/**", (route) => route.fulfill({
    path: fileURLToPath(new URL(new URL(route.request().url()).pathname.split(/\/v-[^/]+\//)[1], assets)),
  }));
}
