// The list of connections.
import { h } from "../dom.js";
import { badge, connectionLink, heading, emptyState, routeLink } from "../parts/common.js";
import { pagedList, shown } from "../parts/list.js";
import { roleLink } from "../parts/link.js";
import { table } from "../parts/table.js";

export function open(view) {
  const list = pagedList("connections", () => ({}), draw);
  const again = view.poll((signal) => list.refresh(signal), 5000);
  draw();

  function draw() {
    view.draw("Connections",
      heading("Connections", roleLink("admin", "#/connections/new", "New connection")),
      shown(list, "connection", "connections"),
      !list.loaded ? null : list.items.length
        ? table({
            caption: "Connections",
            unseen: true,
            items: list.items,
            key: ({ id }) => id,
            columns: [
              { name: "Connection", cell: ({ id }) => connectionLink(id) },
              { name: "Platform", cell: ({ platform }) => platform },
              { name: "Role", cell: ({ role }) => role },
              { name: "Route", cell: ({ role, route }) => (route ? routeLink(route) : role === "channel" ? "none" : "") },
              { name: "State", cell: ({ suspended }) => (suspended ? badge("warn", "Suspended") : badge("good", "Active")) },
              { name: "Version", look: "number", cell: ({ version }) => String(version) },
            ],
          })
        : emptyState("No connections yet.", "A conversation needs a channel, and a bot or a desk. ",
            h("a", { href: "#/connections/new" }, "Create the first connection"), "."),
      list.more(again));
  }
}
