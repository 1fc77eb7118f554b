// An entry of a transcript. Its content is untrusted.
import { h } from "../dom.js";
import { when } from "../time.js";
import { AUTHOR, DISPOSITION } from "../labels.js";
import { badge } from "./common.js";
import { deliveryLines } from "./delivery.js";

const WEB = /^https?:$/;
// Characters that change the text direction and could disguise a name.
const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const named = (name) => h("bdi", null, String(name).replace(BIDI_CONTROLS, "\ufffd"));

export function entryNode(entry, receipts, conversation) {
  const { author, body, from, disposition } = entry;
  const spoken = body.type === "message" || body.type === "choice";
  const side = author.role === "customer" ? "customer" : author.role === "agent" ? "agent" : author.role === "bot" ? "bot" : "system";
  return h("li", { key: `${from} ${entry.id}`, class: `entry ${spoken ? "spoken" : "system-entry"} by-${side} ${disposition}` },
    spoken && h("p", { class: "byline" }, h("strong", null, author.name ? named(author.name) : AUTHOR[author.role]),
      h("span", null, ` ${from === "trunkline" ? "Trunkline" : from} · `, when(entry.at))),
    h("div", { class: "body" }, (CONTENT[body.type] ?? CONTENT.opaque)(body, entry, conversation)),
    DISPOSITION[disposition] && h("p", { class: "disposition" }, badge(disposition === "not_owner" ? "warn" : "plain", DISPOSITION[disposition])),
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
  edit: (body, entry, conversation) => [line(entry, "Message edited by ", by(entry, conversation)), contentNodes(body.content)],
  delete: (_, entry, conversation) => line(entry, "Message deleted by ", by(entry, conversation)),
  opaque: (body, entry) => [
    line(entry, "Unsupported event from ", entry.from, ": ", h("bdi", null, body.name ?? body.type)),
    more("Original event", body.raw),
  ],
};

function receiptWords({ body: { status, reason }, at }) {
  const word = typeof status === "string" ? status : status.other;
  return [badge(word === "failed" ? "bad" : "good", h("bdi", null, word)), " ", when(at), because(reason)];
}

function contentNodes({ text, format, media = [], choices = [] }) {
  return [
    text && h("p", { class: "text", dir: "auto" }, text),
    text && format && format !== "plain" && h("p", { class: "about" }, `${format === "html" ? "HTML" : "Markdown"} source`),
    media.length > 0 && h("ul", { class: "files", "aria-label": "Files" }, media.map(file)),
    choices.length > 0 && h("ul", { class: "choices", "aria-label": "Choices" },
      choices.map(({ id, title }) => h("li", { key: id, title: id }, h("bdi", null, title)))),
  ];
}

/** A file is shown as a link and never loaded. Only http and https URLs become links. */
function file({ url, mime_type: type, name }) {
  let target = null;
  try {
    target = new URL(url);
  } catch {
    // Not a URL: shown without a link.
  }
  const label = name ? named(name) : type;
  if (!target || !WEB.test(target.protocol)) {
    return h("li", null, label, h("span", { class: "about" }, ` ${type ?? ""}, no link: not a web address`));
  }
  return h("li", null,
    h("a", { href: target.href, rel: "noopener noreferrer", target: "_blank" }, label),
    h("span", { class: "about" }, ` ${type ?? "unknown type"}, from ${target.host}`));
}

function more(name, what) {
  if (!what || (typeof what === "object" && !Object.keys(what).length)) return null;
  const text = typeof what === "string" ? what : JSON.stringify(what, null, 2);
  return h("details", null, h("summary", null, name), h("pre", { tabindex: "0", dir: "ltr" }, text));
}
