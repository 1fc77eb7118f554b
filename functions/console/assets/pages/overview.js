// How everything is: the connections, the queues, and the last hour and day in plots.
import { asking, get } from "../api.js";
import { h } from "../dom.js";
import { badge, heading, nothing } from "../parts/bits.js";
import { ails, card } from "../parts/card.js";
import { warn } from "../parts/notice.js";
import { table } from "../parts/table.js";
import { when } from "../time.js";
import { count, deliveries } from "../words.js";

const EVERY = 5000;
const PLOTS_EVERY = 30_000;

export function open(view) {
  let overview = null;
  let chosen = read(view.query);
  // The cards come first: the plots are asked for when those are there.
  let cardsAreThere;
  const cards = new Promise((resolve) => (cardsAreThere = resolve));

  const draw = () => overview && view.draw("Overview",
    heading("Overview", h("p", { class: "about" }, `${overview.stack}, version ${overview.version}, `, when(overview.at))),
    attention(overview),
    h("section", { key: "connections", "aria-labelledby": "connections" },
      h("h2", { id: "connections" }, "Connections"),
      overview.connections.length
        ? h("ul", { class: "cards" }, [...overview.connections].sort(worstFirst).map(card))
        : nothing("There is no connection yet.", h("a", { href: "#/connections/new" }, "Set up the first one"),
            ": a channel, then a bot or a desk, then a route that joins them.")),
    h("section", { key: "plots", "aria-labelledby": "plots" },
      h("div", { class: "row spread" }, h("h2", { id: "plots" }, "Traffic"), switches()),
      h("div", { key: "figures", class: "plots", "data-own": true })),
    h("section", { key: "queues", "aria-labelledby": "queues" },
      h("h2", { id: "queues" }, "Queues"),
      table({
        caption: "What waits in the queues of each platform's outbound function",
        items: overview.queues,
        key: (queue) => queue.platform,
        columns: [
          { name: "Platform", cell: (queue) => queue.platform },
          { name: "Waiting", cell: (queue) => String(queue.waiting), look: "number" },
          { name: "In flight", cell: (queue) => String(queue.in_flight), look: "number" },
          { name: "Dead letters", cell: (queue) => String(queue.dead), look: "number" },
        ],
      })));

  function switches() {
    const choose = (change) => view.filter({ ...chosen, window: chosen.window === "day" ? "day" : "", ...change });
    const button = (window, words) => h("button", {
      type: "button", "aria-pressed": String(chosen.window === window),
      onclick: () => choose({ window: window === "day" ? "day" : "" }),
    }, words);
    return h("div", { class: "row", role: "group", "aria-label": "What the plots show" },
      h("label", { for: "of" }, "Connection"),
      h("select", { id: "of", value: chosen.connection, onchange: (event) => choose({ connection: event.target.value }) },
        h("option", { value: "" }, "All"),
        overview.connections.map(({ id }) => h("option", { key: id, value: id }, id))),
      h("span", { class: "switch" }, button("hour", "Last hour"), button("day", "Last day")));
  }

  const plot = view.poll(async (signal) => {
    await cards;
    const asked = chosen;
    const [metrics, { drawPlots }] = await Promise.all([
      get(asking("metrics", asked), signal),
      import("../parts/plots.js"),
    ]);
    if (asked !== chosen) return;
    drawPlots(document.querySelector(".plots"), metrics, view.signal);
  }, PLOTS_EVERY, (error) => warn(`The plots: ${error.message}`));

  view.poll(async (signal) => {
    overview = await get("overview", signal);
    draw();
    cardsAreThere();
  }, EVERY);

  return {
    update(query) {
      chosen = read(query);
      draw();
      plot();
    },
  };
}

const read = (query) => ({
  window: query.get("window") === "day" ? "day" : "hour",
  connection: query.get("connection") ?? "",
});

const worstFirst = (one, other) => ails(other) - ails(one) || one.id.localeCompare(other.id);

/** What a person should look at, with the way there. */
function attention({ connections, dead_letters: dead }) {
  const sum = (of) => connections.reduce((all, connection) => all + of(connection), 0);
  const open = connections.filter(({ breaker }) => breaker.state !== "closed");
  const parked = sum((connection) => connection.parked);
  const failed = sum((connection) => connection.failed);
  const items = [
    open.length && [badge("bad", count(open.length, "breaker"), " not closed"), open.map(({ id }) => id).join(", ")],
    parked && [h("a", { href: "#/deliveries?state=parked" }, deliveries(parked), " parked"), "They are sent in order when their connection is back."],
    failed && [h("a", { href: "#/deliveries?state=failed" }, deliveries(failed), " failed"), "They wait for a person."],
    dead && [h("a", { href: "#/dead-letters" }, count(dead, "dead letter")), "What our own side could not handle."],
  ].filter(Boolean);
  return h("section", { key: "attention", "aria-label": "What needs attention", class: items.length ? "attention" : "attention calm" },
    items.length
      ? h("ul", null, items.map(([what, says]) => h("li", null, what, " ", h("span", { class: "about" }, says))))
      : h("p", null, "Nothing needs attention: all breakers are closed, nothing is parked, nothing has failed."));
}
