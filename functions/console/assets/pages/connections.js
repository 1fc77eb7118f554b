// All connections.
import { h } from "../dom.js";
import { badge, connectionLink, heading, nothing, routeLink } from "../parts/bits.js";
import { pagedList, shown } from "../parts/list.js";
import { linkFor } from "../parts/link.js";
import { table } from "../parts/table.js";

export function open(view) {
  const list = pagedList("connections", () => ({}), draw);
  const again = view.poll((signal) => list.refresh(signal), 5000);
  draw();

  function draw() {
    view.draw("Connections",
      heading("Connections", linkFor("admin", "#/connections/new", "New connection")),
      shown(list, "connection", "connections"),
      !list.loaded ? null : list.items.length
        ? table({
            caption: "Connections: the legs that conversations run on",
            items: list.items,
            key: ({ id }) => id,
            columns: [
              { name: "Connection", cell: ({ id }) => connectionLink(id) },
              { name: "Platform", cell: ({ platform }) => platform },
              { name: "Role", cell: ({ role }) => role },
              { name: "Route", cell: ({ role, route }) => (route ? routeLink(route) : role === "channel" ? "none" : "") },
              { name: "State", cell: ({ suspended }) => (suspended ? badge("warn", "Suspended") : badge("good", "In use")) },
              { name: "Version", look: "number", cell: ({ version }) => String(version) },
            ],
          })
        : nothing("There is no connection yet.", "A channel, and a bot or a desk, are what it takes: begin with ",
            h("a", { href: "#/connections/new" }, "the channel"), "."),
      list.more(again));
  }
}
