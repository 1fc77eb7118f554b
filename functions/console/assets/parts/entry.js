// An entry of a transcript.
import { h } from "../dom.js";
import { when } from "../time.js";
import { AUTHOR, DISPOSITION } from "../labels.js";
import { badge } from "./common.js";
import { contentNodes, named, quote } from "./content.js";
import { deliveryLines } from "./delivery.js";

/** `receipts` and `changes` are the entries about this one: its receipts, and its edits, deletions and reactions. */
export function entryNode(entry, receipts, changes, conversation) {
  const { author, body, from, disposition } = entry;
  const spoken = body.type === "message" || body.type === "choice";
  const side = author.role === "customer" ? "customer" : author.role === "agent" ? "agent" : author.role === "bot" ? "bot" : "system";
  return h("li", { key: `${from} ${entry.id}`, class: `entry ${spoken ? "spoken" : "system-entry"} by-${side} ${disposition}` },
    spoken && h("p", { class: "byline" }, h("strong", null, author.name ? named(author.name) : AUTHOR[author.role]),
      h("span", null, ` ${from === "trunkline" ? "Trunkline" : from} · `, when(entry.at))),
    h("div", { class: `body${changes.some(({ body: { type } }) => type === "delete") ? " deleted" : ""}` }, (CONTENT[body.type] ?? CONTENT.opaque)(body, entry, conversation)),
    DISPOSITION[disposition] && h("p", { class: "disposition" }, badge(disposition === "not_owner" ? "warn" : "plain", DISPOSITION[disposition])),
    changes.length > 0 && h("p", { class: "changes" }, changes.map((one, i) => [i > 0 && ", ", changeWords(one)])),
    receipts.length > 0 && h("p", { class: "receipts" }, receipts.map((one, i) => [i > 0 && ", ", receiptWords(one)])),
    deliveryLines(entry.deliveries));
}

const line = (entry, ...words) => h("p", null, words, " ", when(entry.at));
const because = (reason) => (reason ? [": ", h("bdi", null, reason)] : "");
const by = ({ author, from }, { parties }) => {
  if (from === "trunkline") return "Trunkline";
  if (author.name) return [named(author.name), ` (${from})`];
  return from === parties.bot ? "the bot" : from === parties.desk ? "the desk" : from;
};

const CONTENT = {
  message: ({ content, metadata }) => [contentNodes(content), more("Metadata", metadata)],
  choice: ({ id, title, typed }) => [
    h("p", { class: "text", dir: "auto" }, h("span", { class: "picked" }, title ?? id)),
    typed && h("p", { class: "about" }, "Selected by typing “", h("bdi", null, typed), "”"),
  ],
  handover: (body, entry, conversation) => [
    line(entry, body.mode === "pass" ? "Handed over to " : "Offered to ",
      conversation.parties.desk ?? "the agents on the channel's platform", " by ", by(entry, conversation), because(body.reason)),
    more("Context", body.context),
  ],
  accept: (_, entry, conversation) => line(entry, "Accepted by ", by(entry, conversation)),
  handback: (body, entry, conversation) => [
    line(entry, "Handed back to the bot by ", by(entry, conversation), because(body.reason)),
    more("Context", body.context),
  ],
  close: (body, entry, conversation) => line(entry, "Closed by ", by(entry, conversation), because(body.reason)),
  receipt: (_, entry) => h("p", null, "Receipt from ", entry.from, ": ", receiptWords(entry)),
  typing: (body, entry, conversation) => line(entry, entry.author.role === "customer" ? "The customer" : by(entry, conversation),
    body.active ? " is typing" : " stopped typing"),
  edit: (body, entry, conversation) => [line(entry, "Message edited by ", by(entry, conversation)), quote(body), contentNodes(body.content)],
  delete: (body, entry, conversation) => [line(entry, "Message deleted by ", by(entry, conversation)), quote(body)],
  reaction: (body, entry, conversation) => [
    line(entry, h("bdi", null, body.emoji), body.removed ? " taken back by " : " from ", by(entry, conversation)), quote(body),
  ],
  opaque: (body, entry) => [
    line(entry, "Unsupported event from ", entry.from, ": ", h("bdi", null, body.name ?? body.type)),
    more("Original event", body.raw),
  ],
};

function changeWords({ body: { type, emoji, removed }, at }) {
  if (type === "reaction") return [h("bdi", null, emoji), removed && " taken back"];
  return [type === "edit" ? badge("plain", "edited") : badge("warn", "deleted"), " ", when(at)];
}

function receiptWords({ body: { status, reason }, at }) {
  const word = typeof status === "string" ? status : status.other;
  return [badge(word === "failed" ? "bad" : "good", h("bdi", null, word)), " ", when(at), because(reason)];
}

function more(name, what) {
  if (!what || (typeof what === "object" && !Object.keys(what).length)) return null;
  const text = typeof what === "string" ? what : JSON.stringify(what, null, 2);
  return h("details", null, h("summary", null, name), h("pre", { tabindex: "0", dir: "ltr" }, text));
}
