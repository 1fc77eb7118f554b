// Small components that many pages use.
import { h } from "../dom.js";
import { BREAKER, OWNER } from "../labels.js";

/** A coloured label. The text alone carries the meaning. */
export const badge = (tone, ...words) => h("span", { class: `badge ${tone}` }, words);

const BREAKER_TONE = { closed: "good", half_open: "warn", open: "bad" };
export const breakerBadge = (state) => badge(BREAKER_TONE[state] ?? "plain", BREAKER[state] ?? state);

export const ownerBadge = (state) => badge(`owner-${state}`, OWNER[state] ?? state);

/** A list of name and value pairs. Null pairs are omitted. */
export function facts(pairs, look = "facts") {
  return h("dl", { class: look }, pairs.filter(Boolean).map(([name, ...value]) =>
    h("div", { key: name }, h("dt", null, name), h("dd", null, value))));
}

/** An empty state: what is missing and what to do next. */
export const emptyState = (title, ...next) =>
  h("div", { class: "empty-state" }, h("p", null, h("strong", null, title)), next.length ? h("p", null, next) : null);

/** An error with its field problems. */
export const errorBox = (error) =>
  h("div", { class: "error-box", role: "alert" }, h("p", null, h("strong", null, error.message)),
    error.errors?.length
      ? h("ul", null, error.errors.map(({ field, detail }) => h("li", null, `${field}: ${detail}`)))
      : null);

const part = encodeURIComponent;
export const conversationLink = (channel, customer, ...words) =>
  h("a", { href: `#/conversations/${part(channel)}/${part(customer)}` }, words.length ? words : h("bdi", null, customer));
export const connectionLink = (id) => h("a", { href: `#/connections/${part(id)}` }, id);
export const routeLink = (id) => h("a", { href: `#/routes/${part(id)}` }, id);

/** A page's heading with its actions. */
export const heading = (text, ...actions) =>
  h("div", { key: "heading", class: "heading" }, h("h1", { tabindex: "-1" }, text), actions);
