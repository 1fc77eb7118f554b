// Pending deliveries: parked or failed.
import { withQuery, get, getAll, post } from "../api.js";
import { h } from "../dom.js";
import { badge, connectionLink, conversationLink, heading, emptyState, errorBox } from "../parts/common.js";
import { button } from "../parts/button.js";
import { ask } from "../parts/dialog.js";
import { filters, valuesOf } from "../parts/filters.js";
import { pagedList, shown } from "../parts/list.js";
import { notify } from "../parts/notice.js";
import { table } from "../parts/table.js";
import { when } from "../time.js";
import { deliveries } from "../labels.js";

const NAMES = ["state", "connection", "conversation"];
const ACTIONS = {
  replay: { title: "Replay", done: "will be sent again", effect: "Sends", suffix: "again, in order.", danger: false },
  discard: { title: "Discard", done: "discarded", effect: "Discards", suffix: "permanently. This cannot be undone.", danger: true },
};
const SINCE = {
  name: "since", label: "Pending since",
  options: [["", "any time"], ["3600", "the last hour"], ["86400", "the last day"]],
};

export function open(view) {
  let chosen = valuesOf(view.query, NAMES);
  let connections = [];
  let wrong = null;
  const list = pagedList("deliveries", () => chosen, draw);
  getAll("connections", view.signal).then((items) => {
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

  async function one(action, { id, connection, customer }) {
    const { title, effect, suffix, danger, done } = ACTIONS[action];
    const text = `${effect} one delivery to ${connection} for ${customer} ${suffix}`;
    if (danger && !(await ask({ title: `${title} this delivery?`, text, action: title, danger }))) return;
    const { count } = await post(`deliveries/${action}`, { delivery: id });
    notify(`${deliveries(count)} ${done}.`);
    restart();
  }

  async function all(action) {
    const { title, effect, suffix, danger, done } = ACTIONS[action];
    const { connection, conversation } = chosen;
    const [number, target] = conversation
      ? [await ofConversation(conversation), `conversation ${conversation}`]
      : [await ofConnection(connection), connection];
    const input = await ask({
      title: `${title} all deliveries of ${target}?`, action: `${title} all`, danger, fields: [SINCE],
      text: `${effect} ${number} of ${target}, parked and failed, ${suffix}`,
    });
    if (!input) return;
    const since = input.since && new Date(Date.now() - Number(input.since) * 1000).toISOString();
    const body = { ...(conversation ? { conversation } : { connection }), ...(since && { since }) };
    const { count } = await post(`deliveries/${action}`, body);
    notify(`${deliveries(count)} ${done}.`);
    restart();
  }

  function draw() {
    const off = chosen.connection || chosen.conversation ? null : "Select a connection first.";
    view.draw("Deliveries",
      heading("Deliveries", h("p", { class: "about" },
        "Parked deliveries are sent automatically. Failed deliveries need an operator.")),
      filters({
        name: "Filter deliveries",
        values: () => chosen,
        changed: view.filter,
        fields: [
          { name: "state", label: "State", options: [["", "Parked or failed"], ["parked", "Parked"], ["failed", "Failed"]] },
          { name: "connection", label: "Connection", options: [["", "Any"], ...connections.map((id) => [id, id])] },
          { name: "conversation", label: "Conversation", search: true, hint: "Conversation id" },
        ],
      }),
      h("div", { key: "bulk", class: "row", role: "group", "aria-label": "Bulk actions" },
        button("Replay all …", { needs: "operator", off, run: () => all("replay") }),
        button("Discard all …", { needs: "operator", off, look: "danger", run: () => all("discard") }),
        off && h("span", { class: "about" }, off)),
      wrong ? errorBox(wrong) : shown(list, "delivery", "deliveries"),
      !list.loaded || wrong ? null : list.items.length ? rows() : none(),
      list.more(again));
  }

  function rows() {
    return table({
      caption: "Pending deliveries",
      unseen: true,
      items: list.items,
      key: ({ id }) => id,
      columns: [
        { name: "Delivery", cell: ({ event_type: type, id, state }) =>
          h("span", { title: id }, type, " ", badge(state === "failed" ? "bad" : "warn", state)) },
        { name: "To", cell: ({ connection }) => connectionLink(connection) },
        { name: "Customer", look: "id", cell: ({ channel, customer }) => conversationLink(channel, customer) },
        { name: "Reason", look: "wide", cell: ({ reason }) => reason },
        { name: "Attempts", cell: ({ attempts, next_attempt_at: next }) => [String(attempts), next && (Date.parse(next) > Date.now() ? [", next ", when(next)] : ", next when the connection is available")] },
        { name: "Pending since", cell: ({ waiting_since: since }) => when(since) },
        { name: "Actions", look: "does", cell: (item) => [
          button("Replay", { needs: "operator", name: `Replay the ${item.event_type} to ${item.connection} for ${item.customer}`, run: () => one("replay", item) }),
          button("Discard", { needs: "operator", look: "danger", name: `Discard the ${item.event_type} to ${item.connection} for ${item.customer}`, run: () => one("discard", item) }),
        ] },
      ],
    });
  }

  function none() {
    return Object.values(chosen).some(Boolean)
      ? emptyState("No matching deliveries.", "Change or clear the filters.")
      : emptyState("No pending deliveries.", "Parked and failed deliveries appear here.");
  }
}

async function ofConnection(id) {
  const { connections } = await get("overview");
  const found = connections.find((one) => one.id === id);
  return deliveries(found ? found.parked + found.failed : 0);
}

async function ofConversation(conversation) {
  const { items, next } = await get(withQuery("deliveries", { conversation, limit: 100 }));
  return `${deliveries(items.length)}${next ? " or more" : ""}`;
}
