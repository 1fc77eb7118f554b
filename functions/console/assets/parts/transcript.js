// A conversation as it was, in stretches by owner.
import { h } from "../dom.js";
import { when } from "../time.js";
import { OWNER } from "../words.js";
import { entryNode } from "./entry.js";
import { stretches } from "./owners.js";

const TYPING_LASTS = 15_000;

/** `older` says that there is more before these entries. */
export function transcript(entries, conversation, older) {
  const { receipts, rest } = sorted(entries);
  return stretches(rest, conversation).map((stretch, i) => h("section", {
    key: stretch.key, class: `stretch owner-${stretch.state}`, "aria-labelledby": `stretch-${i}`,
  },
    h("h3", { id: `stretch-${i}` }, OWNER[stretch.state], holder(stretch, conversation.parties), " ", h("small", null, span(stretch, older))),
    h("ol", null, stretch.entries.map((entry) => entryNode(entry, receipts.get(entry) ?? [], conversation)))));
}

function holder({ state, agent }, { bot, desk }) {
  if (state === "bot" && bot) return `: ${bot}`;
  if (state === "closed" || state === "bot") return "";
  const place = desk ?? "the channel's own people";
  return agent ? [": ", h("bdi", null, agent), `, ${place}`] : `: ${place}`;
}

function span({ at, known, until }, older) {
  if (!at) return "";
  return [known || !older ? "since " : "since before ", when(at), until && [", until ", when(until)]];
}

/** Receipts belong to what they are about, if that is here; typing is news for a moment only. */
function sorted(entries) {
  const byName = new Map();
  for (const entry of entries) {
    byName.set(`${entry.from} ${entry.id}`, entry);
    for (const { to, outcome } of entry.deliveries) {
      if (outcome?.external_id) byName.set(`${to} ${outcome.external_id}`, entry);
    }
  }
  const receipts = new Map();
  const rest = entries.filter((entry) => {
    const { type, about, message } = entry.body;
    if (type === "typing") return entry === entries.at(-1) && Date.now() - Date.parse(entry.at) < TYPING_LASTS;
    if (type !== "receipt") return true;
    const found = (about && byName.get(`${about.connection} ${about.message}`)) ?? byName.get(`${entry.from} ${message}`);
    if (!found) return true;
    receipts.set(found, [...(receipts.get(found) ?? []), entry]);
    return false;
  });
  return { receipts, rest };
}
