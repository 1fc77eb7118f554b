// The content of a message. It is untrusted: texts are isolated, and nothing is loaded from other hosts.
import { h } from "../dom.js";

const WEB = /^https?:$/;
// Characters that change the text direction and could disguise a name.
const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
export const named = (name) => h("bdi", null, String(name).replace(BIDI_CONTROLS, "\ufffd"));

export function contentNodes({ reply_to: earlier, text, format, media = [], cards = [], location, contact, choices = [] }) {
  return [
    earlier && quote(earlier),
    ...textNodes(text, format),
    media.length > 0 && h("ul", { class: "files", "aria-label": "Files" }, media.map((one) => h("li", null, file(one)))),
    cards.length > 0 && h("ul", { class: "cards", "aria-label": "Cards" }, cards.map(card)),
    location && place(location),
    contact && h("ul", { class: "contact", "aria-label": "Contact" },
      [contact.name, contact.organization, ...(contact.phones ?? []), ...(contact.emails ?? [])]
        .filter(Boolean).map((one) => h("li", null, named(one)))),
    choiceList(choices),
  ];
}

/** The earlier message that an event is about: the beginning of its text, or its id if it was not found. */
export function quote({ excerpt, message }) {
  return h("blockquote", { class: "quote", dir: "auto" }, excerpt ?? `message ${message}`);
}

function textNodes(text, format) {
  return [
    text && h("p", { class: "text", dir: "auto" }, text),
    text && format && format !== "plain" && h("p", { class: "about" }, `${format === "html" ? "HTML" : "Markdown"} source`),
  ];
}

function choiceList(choices) {
  return choices.length > 0 && h("ul", { class: "choices", "aria-label": "Choices" },
    choices.map(({ id, title }) => h("li", { key: id, title: id }, h("bdi", null, title))));
}

function card({ title, text, format, picture, actions = [] }) {
  const links = actions.filter(({ type }) => type === "link");
  return h("li", { class: "content-card" },
    title && h("p", { class: "card-title" }, named(title)),
    ...textNodes(text, format),
    picture && h("p", null, "Picture: ", file(picture)),
    links.length > 0 && h("ul", { class: "files", "aria-label": "Links" }, links.map(({ title: label, url }) => h("li", null, file({ url, name: label }, "")))),
    choiceList(actions.filter(({ type }) => type === "reply")));
}

function place({ latitude, longitude, name, address }) {
  const coordinates = [latitude, longitude].map(Number);
  const label = [name, address].filter(Boolean).join(", ") || coordinates.join(", ");
  const url = new URL(`https://www.google.com/maps/search/?api=1&query=${coordinates}`);
  return h("p", { class: "place" }, "Location: ", coordinates.every(Number.isFinite) ? webLink(url, named(label)) : named(label));
}

const webLink = (target, label) => h("a", { href: target.href, rel: "noopener noreferrer", target: "_blank" }, label);

/** A file is shown as a link and never loaded. Only http and https URLs become links. */
function file({ url, mime_type: type, name }, unknown = "unknown type") {
  let target = null;
  try {
    target = new URL(url);
  } catch {
    // Not a URL: shown without a link.
  }
  const label = name ? named(name) : type;
  if (!target || !WEB.test(target.protocol)) {
    return [label, h("span", { class: "about" }, ` ${type ?? ""}, no link: not a web address`)];
  }
  const about = [type ?? unknown, `from ${target.host}`].filter(Boolean).join(", ");
  return [webLink(target, label ?? target.pathname.split("/").pop() ?? target.host), h("span", { class: "about" }, ` ${about}`)];
}
