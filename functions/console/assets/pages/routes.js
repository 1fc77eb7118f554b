// The list of routes.
import { getAll } from "../api.js";
import { h } from "../dom.js";
import { connectionLink, heading, emptyState, routeLink } from "../parts/common.js";
import { roleLink } from "../parts/link.js";
import { pagedList, shown } from "../parts/list.js";
import { table } from "../parts/table.js";
import { span } from "../time.js";

export function open(view) {
  let channels = [];
  const list = pagedList("routes", () => ({}), draw);
  const again = view.poll(async (signal) => {
    const connections = await getAll("connections", signal);
    channels = connections.filter(({ role }) => role === "channel");
    await list.refresh(signal);
  }, 5000);
  draw();

  function draw() {
    view.draw("Routes",
      heading("Routes", roleLink("admin", "#/routes/new", "New route")),
      shown(list, "route", "routes"),
      !list.loaded ? null : list.items.length ? rows() : emptyState("No routes yet.",
        "A route defines the bot and the desk that answer a channel's customers. ",
        h("a", { href: "#/routes/new" }, "Create the first route"), "."),
      list.more(again));
  }

  function rows() {
    const links = (ids) => (ids.length ? ids.map((id, i) => [i > 0 && ", ", connectionLink(id)]) : "none");
    return table({
      caption: "Routes",
      unseen: true,
      items: list.items,
      key: ({ id }) => id,
      columns: [
        { name: "Route", cell: ({ id }) => routeLink(id) },
        { name: "Channels", cell: ({ id }) => links(channels.filter(({ route }) => route === id).map((one) => one.id)) },
        { name: "Bot", cell: ({ bot }) => links(bot ? [bot] : []) },
        { name: "Desk", cell: ({ desk }) => links(desk ? [desk] : []) },
        { name: "Observers", cell: ({ observers }) => links(observers) },
        { name: "Offer timeout", cell: ({ handover_policy: policy }) => (policy?.accept_within ? span(policy.accept_within) : "none") },
      ],
    });
  }
}
