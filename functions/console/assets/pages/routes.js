// All routes: which bot and desk a channel's customers get.
import { get } from "../api.js";
import { h } from "../dom.js";
import { connectionLink, heading, nothing, routeLink } from "../parts/bits.js";
import { linkFor } from "../parts/link.js";
import { pagedList, shown } from "../parts/list.js";
import { table } from "../parts/table.js";
import { span } from "../time.js";

export function open(view) {
  let channels = [];
  const list = pagedList("routes", () => ({}), draw);
  const again = view.poll(async (signal) => {
    const { items } = await get("connections?limit=100", signal);
    channels = items.filter(({ role }) => role === "channel");
    await list.refresh(signal);
  }, 5000);
  draw();

  function draw() {
    view.draw("Routes",
      heading("Routes", linkFor("admin", "#/routes/new", "New route")),
      shown(list, "route", "routes"),
      !list.loaded ? null : list.items.length ? rows() : nothing("There is no route yet.",
        "A route says which bot answers a channel's customers first, and which desk takes over: ",
        h("a", { href: "#/routes/new" }, "make one"), "."),
      list.more(again));
  }

  function rows() {
    const links = (ids) => (ids.length ? ids.map((id, i) => [i > 0 && ", ", connectionLink(id)]) : "none");
    return table({
      caption: "Routes: which bot answers a channel's customers, and which desk takes over",
      items: list.items,
      key: ({ id }) => id,
      columns: [
        { name: "Route", cell: ({ id }) => routeLink(id) },
        { name: "Channels", cell: ({ id }) => links(channels.filter(({ route }) => route === id).map((one) => one.id)) },
        { name: "Bot", cell: ({ bot }) => links(bot ? [bot] : []) },
        { name: "Desk", cell: ({ desk }) => links(desk ? [desk] : []) },
        { name: "Observers", cell: ({ observers }) => links(observers) },
        { name: "An offer waits", cell: ({ switching }) => (switching?.accept_within ? span(switching.accept_within) : "without end") },
      ],
    });
  }
}
