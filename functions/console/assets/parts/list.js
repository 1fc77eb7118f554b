// A paginated list whose first page is refreshed.
import { withQuery, get } from "../api.js";
import { h } from "../dom.js";
import { button } from "./button.js";

/** Loads `path` with `query()`, and further pages on request. Calls `draw` after each change. */
export function pagedList(path, query, draw) {
  const list = { items: [], next: null, loaded: false, pages: 1, refresh, reset, more };
  return list;

  async function refresh(signal) {
    // A refresh would move the rows of later pages, so a button returns to the newest.
    if (list.pages > 1) return;
    const requested = query();
    const page = await get(withQuery(path, requested), signal);
    if (list.pages > 1 || JSON.stringify(requested) !== JSON.stringify(query())) return;
    Object.assign(list, { items: page.items, next: page.next, loaded: true });
    draw();
  }

  function reset() {
    Object.assign(list, { items: [], next: null, loaded: false, pages: 1 });
  }

  function more(again) {
    return [
      list.pages > 1 && h("p", { key: "paused", class: "about" }, "Paused while several pages are shown. ",
        button("Show the newest", { look: "quiet", run: () => (reset(), again()) })),
      list.next && h("p", { key: "more", class: "more" }, button("Load more", { run: next })),
    ];
  }

  async function next() {
    const page = await get(withQuery(path, { ...query(), cursor: list.next }));
    Object.assign(list, { items: [...list.items, ...page.items], next: page.next, pages: list.pages + 1 });
    draw();
  }
}

/** The number of items, announced by screen readers. */
export const shown = (list, one, many) => h("p", { class: "count", role: "status" }, list.loaded
  ? `${list.items.length}${list.next ? " or more" : ""} ${list.items.length === 1 && !list.next ? one : many}`
  : "Loading …");
