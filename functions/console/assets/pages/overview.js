// The overview: connections, traffic and queues.
import { withQuery, get } from "../api.js";
import { h } from "../dom.js";
import { badge, heading, emptyState } from "../parts/common.js";
import { severity, card } from "../parts/card.js";
import { notifyError } from "../parts/notice.js";
import { table } from "../parts/table.js";
import { when } from "../time.js";
import { count, deliveries } from "../labels.js";

const EVERY = 5000;
const PLOTS_EVERY = 30_000;

export function open(view) {
  let overview = null;
  let chosen = read(view.query);
  // The plots are loaded after the connections, which matter more.
  let showCards;
  const cards = new Promise((resolve) => (showCards = resolve));

  const draw = () => overview && view.draw("Overview",
    heading("Overview", h("p", { class: "about" }, `${overview.stack}, version ${overview.version}, `, when(overview.at))),
    attention(overview),
    h("section", { key: "connections", "aria-labelledby": "connections" },
      h("h2", { id: "connections" }, "Connections"),
      overview.connections.length
        ? h("ul", { class: "cards" }, [...overview.connections].sort(worstFirst).map(card))
        : emptyState("No connections yet.", h("a", { href: "#/connections/new" }, "Create the first connection"),
            ". You need a channel, a bot or a desk, and a route that connects them.")),
    h("section", { key: "plots", "aria-labelledby": "plots" },
      h("div", { class: "row spread" }, h("h2", { id: "plots" }, "Traffic"), switches()),
      h("div", { key: "figures", class: "plots", "data-own": true })),
    h("section", { key: "queues", "aria-labelledby": "queues" },
      h("h2", { id: "queues" }, "Queues"),
      table({
        caption: "Outbound queue depth by platform",
        items: overview.queues,
        key: (queue) => queue.platform,
        columns: [
          { name: "Platform", cell: (queue) => queue.platform },
          { name: "Waiting", cell: (queue) => String(queue.waiting), look: "number" },
          { name: "In flight", cell: (queue) => String(queue.in_flight), look: "number" },
          { name: "Dead letters", cell: (queue) => String(queue.dead_letters), look: "number" },
        ],
      })));

  function switches() {
    const choose = (change) => view.filter({ ...chosen, window: chosen.window === "day" ? "day" : "", ...change });
    const button = (window, words) => h("button", {
      type: "button", "aria-pressed": String(chosen.window === window),
      onclick: () => choose({ window: window === "day" ? "day" : "" }),
    }, words);
    return h("div", { class: "row", role: "group", "aria-label": "Plot filters" },
      h("label", { for: "of" }, "Connection"),
      h("select", { id: "of", value: chosen.connection, onchange: (event) => choose({ connection: event.target.value }) },
        h("option", { value: "" }, "All"),
        overview.connections.map(({ id }) => h("option", { key: id, value: id }, id))),
      h("span", { class: "switch" }, button("hour", "Last hour"), button("day", "Last day")));
  }

  const plot = view.poll(async (signal) => {
    await cards;
    const requested = chosen;
    const [metrics, { drawPlots }] = await Promise.all([
      get(withQuery("metrics", requested), signal),
      import("../parts/plots.js"),
    ]);
    if (requested !== chosen) return;
    drawPlots(document.querySelector(".plots"), metrics, view.signal);
  }, PLOTS_EVERY, (error) => notifyError(`Cannot load the plots: ${error.message}`));

  view.poll(async (signal) => {
    overview = await get("overview", signal);
    draw();
    showCards();
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

const worstFirst = (one, other) => severity(other) - severity(one) || one.id.localeCompare(other.id);

/** The problems that need an operator, with links. */
function attention({ connections, dead_letters: deadLetters }) {
  const sum = (of) => connections.reduce((all, connection) => all + of(connection), 0);
  const open = connections.filter(({ breaker }) => breaker.state !== "closed");
  const parked = sum((connection) => connection.parked);
  const failed = sum((connection) => connection.failed);
  const items = [
    open.length && [badge("bad", count(open.length, "breaker"), " not closed"), open.map(({ id }) => id).join(", ")],
    parked && [h("a", { href: "#/deliveries?state=parked" }, deliveries(parked), " parked"), "Sent in order when the connection is available."],
    failed && [h("a", { href: "#/deliveries?state=failed" }, deliveries(failed), " failed"), "They need an operator."],
    deadLetters && [h("a", { href: "#/dead-letters" }, count(deadLetters, "dead letter")), "Trunkline could not process them."],
  ].filter(Boolean);
  return h("section", { key: "attention", "aria-label": "Needs attention", class: items.length ? "attention" : "attention calm" },
    items.length
      ? h("ul", null, items.map(([title, text]) => h("li", null, title, " ", h("span", { class: "about" }, text))))
      : h("p", null, "No action needed: all breakers are closed, and no deliveries are parked or have failed."));
}
