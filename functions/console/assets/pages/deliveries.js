// What is parked or has failed, and what to do with it.
import { asking, get, post } from "../api.js";
import { h } from "../dom.js";
import { badge, connectionLink, conversationLink, heading, nothing, trouble } from "../parts/bits.js";
import { button } from "../parts/button.js";
import { ask } from "../parts/dialog.js";
import { filters, valuesOf } from "../parts/filters.js";
import { pagedList, shown } from "../parts/list.js";
import { tell } from "../parts/notice.js";
import { table } from "../parts/table.js";
import { when } from "../time.js";
import { deliveries } from "../words.js";

const NAMES = ["state", "connection", "conversation"];
const DOES = {
  replay: { title: "Replay", done: "to be sent again", will: "sent again, in order", danger: false },
  discard: { title: "Discard", done: "discarded", will: "never sent. This cannot be taken back", danger: true },
};
const SINCE = {
  name: "since", label: "Only what waits since",
  options: [["", "whenever"], ["3600", "the last hour"], ["86400", "the last day"]],
};

export function open(view) {
  let chosen = valuesOf(view.query, NAMES);
  let connections = [];
  let wrong = null;
  const list = pagedList("deliveries", () => chosen, draw);
  get("connections?limit=100", view.signal).then(({ items }) => {
    connections = items.map(({ id }) => id);
    draw();
  }, () => {});
  const again = view.poll((signal) => list.refresh(signal), 5000, (error) => {
    wrong = error;
    draw();
  });
  draw();
  return {
    update(query) {
      chosen = valuesOf(query, NAMES);
      wrong = null;
      restart();
      draw();
    },
  };

  function restart() {
    list.reset();
    again();
  }

  async function one(what, { id, connection, customer }) {
    const { title, will, danger, done } = DOES[what];
    const text = `One delivery to ${connection}, of the conversation with ${customer}, is ${will}.`;
    if (danger && !(await ask({ title: `${title} this delivery?`, text, action: title, danger }))) return;
    const { count } = await post(`deliveries/${what}`, { delivery: id });
    tell(`${deliveries(count)} ${done}.`);
    restart();
  }

  async function all(what) {
    const { title, will, danger, done } = DOES[what];
    const { connection, conversation } = chosen;
    const [number, whose] = conversation
      ? [await ofConversation(conversation), `the conversation ${conversation}`]
      : [await ofConnection(connection), connection];
    const said = await ask({
      title: `${title} all of ${whose}?`, action: `${title} all`, danger, fields: [SINCE],
      text: `${number} to ${whose}, all that is parked or has failed there, are ${will}.`,
    });
    if (!said) return;
    const since = said.since && new Date(Date.now() - Number(said.since) * 1000).toISOString();
    const body = { ...(conversation ? { conversation } : { connection }), ...(since && { since }) };
    const { count } = await post(`deliveries/${what}`, body);
    tell(`${deliveries(count)} ${done}.`);
    restart();
  }

  function draw() {
    const off = chosen.connection || chosen.conversation ? null : "Choose a connection first.";
    view.draw("Deliveries",
      heading("Deliveries", h("p", { class: "about" },
        "Parked ones are sent by themselves when their time has come; failed ones wait for a person.")),
      filters({
        name: "Find deliveries",
        values: () => chosen,
        changed: view.filter,
        fields: [
          { name: "state", label: "State", options: [["", "Parked or failed"], ["parked", "Parked"], ["failed", "Failed"]] },
          { name: "connection", label: "Connection", options: [["", "Any"], ...connections.map((id) => [id, id])] },
          { name: "conversation", label: "Conversation", search: true, hint: "Its id" },
        ],
      }),
      h("div", { key: "bulk", class: "row", role: "group", "aria-label": "All of these" },
        button("Replay all …", { needs: "operator", off, run: () => all("replay") }),
        button("Discard all …", { needs: "operator", off, look: "danger", run: () => all("discard") }),
        off && h("span", { class: "about" }, off)),
      wrong ? trouble(wrong) : shown(list, "delivery", "deliveries"),
      !list.loaded || wrong ? null : list.items.length ? rows() : none(),
      list.more(again));
  }

  function rows() {
    return table({
      caption: "Deliveries that are parked or have failed",
      unseen: true,
      items: list.items,
      key: ({ id }) => id,
      columns: [
        { name: "Delivery", cell: ({ kind, id, state }) =>
          h("span", { title: id }, kind, " ", badge(state === "failed" ? "bad" : "warn", state)) },
        { name: "To", cell: ({ connection }) => connectionLink(connection) },
        { name: "Customer", look: "id", cell: ({ channel, customer }) => conversationLink(channel, customer) },
        { name: "Why", look: "wide", cell: ({ reason, preview }) => [reason, preview && h("span", { class: "about", dir: "auto" }, ` “${preview}”`)] },
        { name: "Attempts", cell: ({ attempts, due }) => [String(attempts), due && (Date.parse(due) > Date.now() ? [", next ", when(due)] : ", next when it is back")] },
        { name: "Since", cell: ({ since }) => when(since) },
        { name: "Do", look: "does", cell: (item) => [
          button("Replay", { needs: "operator", name: `Replay the ${item.kind} to ${item.connection} for ${item.customer}`, run: () => one("replay", item) }),
          button("Discard", { needs: "operator", look: "danger", name: `Discard the ${item.kind} to ${item.connection} for ${item.customer}`, run: () => one("discard", item) }),
        ] },
      ],
    });
  }

  function none() {
    return Object.values(chosen).some(Boolean)
      ? nothing("Nothing like this is parked or has failed.", "Clear a filter to see the rest.")
      : nothing("Nothing is parked, and nothing has failed.", "There is nothing to do here.");
  }
}

async function ofConnection(id) {
  const { connections } = await get("overview");
  const found = connections.find((one) => one.id === id);
  return deliveries(found ? found.parked + found.failed : 0);
}

async function ofConversation(conversation) {
  const { items, next } = await get(asking("deliveries", { conversation, limit: 100 }));
  return `${deliveries(items.length)}${next ? " or more" : ""}`;
}
