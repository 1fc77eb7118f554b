// The rejected requests of a connection.
import { h } from "../dom.js";
import { missingRole } from "../session.js";
import { when } from "../time.js";
import { emptyState } from "./common.js";
import { pagedList } from "./list.js";
import { table } from "./table.js";

export function rejectedCalls(path, draw) {
  const list = pagedList(`${path}/rejected`, () => ({ limit: 20 }), draw);
  const again = () => list.refresh();
  return { refresh: list.refresh, draw: section };

  function section() {
    return h("section", { key: "rejected", "aria-labelledby": "rejected" },
      h("h2", { id: "rejected" }, "Rejected requests"),
      missingRole("operator") ? emptyState("Rejected requests require the role operator.", "They may contain customers' messages.") : list.items.length
        ? table({
            caption: "Rejected requests of the last 7 days",
            items: list.items,
            key: ({ id }) => id,
            columns: [
              { name: "Reason", look: "wide", cell: ({ reason }) => reason },
              { name: "When", cell: ({ at }) => when(at) },
              { name: "Size", look: "number", cell: ({ size }) => `${size.toLocaleString("en")} bytes` },
              { name: "Body", look: "wide", cell: ({ body }) => h("details", null, h("summary", null, "Show"),
                h("pre", { tabindex: "0", dir: "ltr" }, typeof body === "string" ? body : JSON.stringify(body, null, 2))) },
            ],
          })
        : emptyState("No rejected requests.", "Requests that Trunkline rejects appear here. If the vendor calls but nothing arrives, compare the URL in the vendor's form with the inbound URL above."),
      list.more(again));
  }
}
