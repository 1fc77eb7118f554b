// The transcript of a conversation, grouped by owner.
import { h } from "../dom.js";
import { when } from "../time.js";
import { OWNER } from "../labels.js";
import { entryNode } from "./entry.js";
import { ownershipPeriods } from "./ownership.js";

const TYPING_DURATION = 15_000;

/** `older`: whether earlier entries exist that are not loaded. */
export function transcript(entries, conversation, older) {
  const { receipts, changes, rest } = sorted(entries);
  return ownershipPeriods(rest, conversation).map((period, i) => h("section", {
    key: period.key, class: `owner-period owner-${period.state}`, "aria-labelledby": `period-${i}`,
  },
    h("h3", { id: `period-${i}` }, OWNER[period.state], holder(period, conversation.parties), " ", h("small", null, span(period, older))),
    h("ol", null, period.entries.map((entry) => entryNode(entry, receipts.get(entry) ?? [], changes.get(entry) ?? [], conversation)))));
}

function holder({ state, agent }, { bot, desk }) {
  if (state === "bot" && bot) return `: ${bot}`;
  if (state === "closed" || state === "bot") return "";
  const location = desk ?? "the agents on the channel's platform";
  return agent ? [": ", h("bdi", null, agent), `, ${location}`] : `: ${location}`;
}

function span({ at, known, until }, older) {
  if (!at) return "";
  return [known || !older ? "since " : "since before ", when(at), until && [", until ", when(until)]];
}

const CHANGES = new Set(["edit", "delete", "reaction"]);

/** Attaches receipts and changes to their messages, and drops outdated typing events. */
function sorted(entries) {
  const byName = new Map();
  for (const entry of entries) {
    byName.set(`${entry.from} ${entry.id}`, entry);
    if (entry.external_message_id) byName.set(`${entry.from} ${entry.external_message_id}`, entry);
    for (const { to, outcome } of entry.deliveries) {
      if (outcome?.external_message_id) byName.set(`${to} ${outcome.external_message_id}`, entry);
    }
  }
  const receipts = new Map();
  const changes = new Map();
  const attach = (map, found, entry) => map.set(found, [...(map.get(found) ?? []), entry]);
  const rest = entries.filter((entry) => {
    const { type, target, message } = entry.body;
    if (type === "typing") return entry === entries.at(-1) && Date.now() - Date.parse(entry.at) < TYPING_DURATION;
    if (CHANGES.has(type)) {
      // The change stays in the transcript: it shows who changed what, and the new text.
      const about = byName.get(`${entry.from} ${entry.body.own_event ?? message}`) ?? byName.get(`${entry.from} ${message}`);
      if (about) attach(changes, about, entry);
      return true;
    }
    if (type !== "receipt") return true;
    const found = (target && byName.get(`${target.connection} ${target.message}`)) ?? byName.get(`${entry.from} ${message}`);
    if (!found) return true;
    attach(receipts, found, entry);
    return false;
  });
  return { receipts, changes, rest };
}
