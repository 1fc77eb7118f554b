// The list of conversations, with filters.
import { getAll } from "../api.js";
import { h } from "../dom.js";
import { conversationLink, heading, emptyState, ownerBadge, errorBox } from "../parts/common.js";
import { filters, valuesOf } from "../parts/filters.js";
import { pagedList, shown } from "../parts/list.js";
import { table } from "../parts/table.js";
import { when } from "../time.js";
import { OWNER } from "../labels.js";

const NAMES = ["customer", "state", "connection", "since", "until"];

export function open(view) {
  let chosen = valuesOf(view.query, NAMES);
  let find = view.query.has("find");
  let channels = [];
  let wrong = null;
  const list = pagedList("conversations", () => chosen, draw);
  getAll("connections", view.signal).then((items) => {
    channels = items.filter(({ role }) => role === "channel").map(({ id }) => id);
    draw();
  }, () => {});
  const again = view.poll((signal) => list.refresh(signal), 5000, (error) => {
    wrong = error;
    draw();
  });
  draw();
  return { update };

  function update(query) {
    chosen = valuesOf(query, NAMES);
    find ||= query.has("find");
    wrong = null;
    list.reset();
    draw();
    again();
  }

  function draw() {
    view.draw("Conversations",
      heading("Conversations"),
      filters({
        name: "Filter conversations",
        values: () => chosen,
        changed: view.filter,
        fields: [
          { name: "customer", label: "Customer", search: true, hint: "Complete id" },
          { name: "state", label: "State", options: [["", "Any"], ...Object.entries(OWNER)] },
          { name: "connection", label: "Channel", options: [["", "Any"], ...channels.map((id) => [id, id])] },
          { name: "since", label: "Changed since", kind: "time" },
          { name: "until", label: "Changed until", kind: "time" },
        ],
      }),
      wrong ? errorBox(wrong) : shown(list, "conversation", "conversations"),
      !list.loaded || wrong ? null : list.items.length ? rows() : none(),
      list.more(again));
    if (find) {
      find = false;
      view.filter(chosen);
      document.querySelector("main [data-search]").focus();
    }
  }

  function rows() {
    return table({
      caption: "Conversations, most recently changed first",
      items: list.items,
      key: ({ channel, customer, id }) => [channel, customer, id].join(" "),
      columns: [
        { name: "Customer", look: "id", cell: ({ channel, customer }) => conversationLink(channel, customer) },
        { name: "State", cell: ({ state }) => ownerBadge(state) },
        { name: "Owner", cell: owner },
        { name: "Channel", cell: ({ channel }) => channel },
        { name: "Route", cell: ({ route }) => route },
        { name: "Started", cell: ({ started_at: at }) => when(at) },
        { name: "Changed", cell: ({ changed_at: at }) => when(at) },
      ],
    });
  }

  function none() {
    return Object.values(chosen).some(Boolean)
      ? emptyState("No matching conversations.", "Change or clear the filters.")
      : emptyState("No conversations yet.", "A conversation appears here when a customer writes to a channel. Rejected requests are on the ",
          h("a", { href: "#/connections" }, "connection"), "'s page.");
  }
}

function owner({ state, owner: { connection, agent } }) {
  if (state === "closed") return "none";
  const location = connection ?? "agents on the channel's platform";
  return agent ? [h("bdi", null, agent), ` (${location})`] : location;
}
