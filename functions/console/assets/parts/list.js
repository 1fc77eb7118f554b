// A list in pages, whose first page is kept true.
import { asking, get } from "../api.js";
import { h } from "../dom.js";
import { button } from "./button.js";

/** Loads `path` with `query()` as far as the reader has asked for more; `draw` is called when there is news. */
export function pagedList(path, query, draw) {
  const list = { items: [], next: null, loaded: false, pages: 1, refresh, reset, more };
  return list;

  async function refresh(signal) {
    // Who reads the tenth page would lose their place if it moved; the newest are asked for by a button.
    if (list.pages > 1) return;
    const asked = query();
    const page = await get(asking(path, asked), signal);
    if (list.pages > 1 || JSON.stringify(asked) !== JSON.stringify(query())) return;
    Object.assign(list, { items: page.items, next: page.next, loaded: true });
    draw();
  }

  function reset() {
    Object.assign(list, { items: [], next: null, loaded: false, pages: 1 });
  }

  function more(again) {
    return [
      list.pages > 1 && h("p", { key: "paused", class: "about" }, "Not updated while more pages are shown. ",
        button("Back to the newest", { look: "quiet", run: () => (reset(), again()) })),
      list.next && h("p", { key: "more", class: "more" }, button("Show more", { run: next })),
    ];
  }

  async function next() {
    const page = await get(asking(path, { ...query(), cursor: list.next }));
    Object.assign(list, { items: [...list.items, ...page.items], next: page.next, pages: list.pages + 1 });
    draw();
  }
}

/** How many there are, for those who cannot see the table. */
export const shown = (list, one, many) => h("p", { class: "count", role: "status" }, list.loaded
  ? `${list.items.length}${list.next ? " or more" : ""} ${list.items.length === 1 && !list.next ? one : many}`
  : "Loading …");
