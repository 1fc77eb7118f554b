// What came to a connection and was not taken.
import { h } from "../dom.js";
import { barred } from "../session.js";
import { when } from "../time.js";
import { nothing } from "./bits.js";
import { pagedList } from "./list.js";
import { table } from "./table.js";

export function rejectedCalls(path, draw) {
  const list = pagedList(`${path}/rejected`, () => ({ limit: 20 }), draw);
  const again = () => list.refresh();
  return { refresh: list.refresh, draw: section };

  function section() {
    return h("section", { key: "rejected", "aria-labelledby": "rejected" },
      h("h2", { id: "rejected" }, "What came and was not taken"),
      barred("operator") ? nothing("Only an operator sees them.", "They hold what customers wrote.") : list.items.length
        ? table({
            caption: "Calls that were not taken; kept for a week",
            items: list.items,
            key: ({ id }) => id,
            columns: [
              { name: "Why", look: "wide", cell: ({ reason }) => reason },
              { name: "When", cell: ({ at }) => when(at) },
              { name: "Size", look: "number", cell: ({ size }) => `${size.toLocaleString("en")} bytes` },
              { name: "Body", look: "wide", cell: ({ body }) => h("details", null, h("summary", null, "Show"),
                h("pre", { tabindex: "0", dir: "ltr" }, typeof body === "string" ? body : JSON.stringify(body, null, 2))) },
            ],
          })
        : nothing("All that came was taken.", "If a vendor says that it calls and nothing arrives here, compare the address in its form."),
      list.more(again));
  }
}
