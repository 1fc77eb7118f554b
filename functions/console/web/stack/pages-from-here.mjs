// With PAGES=here the pages come from the folder of the assets: what is changed there can be tried without a build.
import { fileURLToPath } from "node:url";

export async function pagesFromHere(page) {
  const assets = new URL("../../assets/", import.meta.url);
  await page.route("**/console/v-*/**", (route) => route.fulfill({
    path: fileURLToPath(new URL(new URL(route.request().url()).pathname.split(/\/v-[^/]+\//)[1], assets)),
  }));
}
