// One entry of a transcript. All that is in it was written by others.
import { h } from "../dom.js";
import { when } from "../time.js";
import { AUTHOR, STANDING } from "../words.js";
import { badge } from "./bits.js";
import { deliveryLines } from "./delivery.js";

const WEB = /^https?:$/;
// Marks that turn the direction of what follows: a name is not to look like another.
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const named = (name) => h("bdi", null, String(name).replace(TURNS, "\ufffd"));

export function entryNode(entry, receipts, conversation) {
  const { author, body, from, standing } = entry;
  const spoken = body.type === "message" || body.type === "choice";
  const side = author.role === "customer" ? "customer" : author.role === "agent" ? "agent" : author.role === "bot" ? "bot" : "house";
  return h("li", { key: `${from} ${entry.id}`, class: `entry ${spoken ? "spoken" : "told"} by-${side} ${standing}` },
    spoken && h("p", { class: "byline" }, h("strong", null, author.name ? named(author.name) : AUTHOR[author.role]),
      h("span", null, ` ${from === "trunkline" ? "Trunkline" : from} · `, when(entry.at))),
    h("div", { class: "said" }, (SAID[body.type] ?? SAID.opaque)(body, entry, conversation)),
    STANDING[standing] && h("p", { class: "standing" }, badge(standing === "late" ? "warn" : "plain", STANDING[standing])),
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

const SAID = {
  message: ({ content, metadata }) => [content_(content), more("Metadata", metadata)],
  choice: ({ id, title, typed }) => [
    h("p", { class: "text", dir: "auto" }, h("span", { class: "picked" }, title ?? id)),
    typed && h("p", { class: "about" }, "Chose it by typing “", h("bdi", null, typed), "”"),
  ],
  handover: (body, entry, conversation) => [
    line(entry, body.mode === "pass" ? "Handed over to " : "Offered to ",
      conversation.parties.desk ?? "the channel's own people", " by ", by(entry, conversation), because(body.reason)),
    more("Context", body.context),
  ],
  accept: (_, entry, conversation) => line(entry, "Accepted by ", by(entry, conversation)),
  handback: (body, entry, conversation) => [
    line(entry, "Given back to the bot by ", by(entry, conversation), because(body.reason)),
    more("Context", body.context),
  ],
  close: (body, entry, conversation) => line(entry, "Closed by ", by(entry, conversation), because(body.reason)),
  receipt: (_, entry) => h("p", null, "Receipt from ", entry.from, ": ", receiptWords(entry)),
  typing: (body, entry, conversation) => line(entry, entry.author.role === "customer" ? "The customer" : by(entry, conversation),
    body.active ? " is typing" : " stopped typing"),
  edit: (body, entry, conversation) => [line(entry, "A message was changed by ", by(entry, conversation), ", to"), content_(body.content)],
  delete: (_, entry, conversation) => line(entry, "A message was deleted by ", by(entry, conversation)),
  opaque: (body, entry) => [
    line(entry, "Something that we have no form for came from ", entry.from, ": ", h("bdi", null, body.name ?? body.type)),
    more("As it came", body.raw),
  ],
};

function receiptWords({ body: { status, reason }, at }) {
  const word = typeof status === "string" ? status : status.other;
  return [badge(word === "failed" ? "bad" : "good", h("bdi", null, word)), " ", when(at), because(reason)];
}

function content_({ text, format, media = [], choices = [] }) {
  return [
    text && h("p", { class: "text", dir: "auto" }, text),
    text && format && format !== "plain" && h("p", { class: "about" }, `As ${format === "html" ? "HTML" : "Markdown"}, shown as it was written`),
    media.length > 0 && h("ul", { class: "files", "aria-label": "Files" }, media.map(file)),
    choices.length > 0 && h("ul", { class: "choices", "aria-label": "Choices that were offered" },
      choices.map(({ id, title }) => h("li", { key: id, title: id }, h("bdi", null, title)))),
  ];
}

/** A file is a link, never loaded; and a link only where it leads to the web. */
function file({ url, mime_type: type, name }) {
  let where = null;
  try {
    where = new URL(url);
  } catch {
    // It is shown as what it says.
  }
  const label = name ? named(name) : type;
  if (!where || !WEB.test(where.protocol)) {
    return h("li", null, label, h("span", { class: "about" }, ` ${type ?? ""}, no link: not an address of the web`));
  }
  return h("li", null,
    h("a", { href: where.href, rel: "noopener noreferrer", target: "_blank" }, label),
    h("span", { class: "about" }, ` ${type ?? "unknown type"}, from ${where.host}`));
}

function more(name, what) {
  if (!what || (typeof what === "object" && !Object.keys(what).length)) return null;
  const text = typeof what === "string" ? what : JSON.stringify(what, null, 2);
  return h("details", null, h("summary", null, name), h("pre", { tabindex: "0", dir: "ltr" }, text));
}
