// Small things that many pages show.
import { h } from "../dom.js";
import { BREAKER, OWNER } from "../words.js";

/** A word in a colour; the word alone says it all. */
export const badge = (tone, ...words) => h("span", { class: `badge ${tone}` }, words);

const BREAKER_TONE = { closed: "good", half_open: "warn", open: "bad" };
export const breakerBadge = (state) => badge(BREAKER_TONE[state] ?? "plain", BREAKER[state] ?? state);

export const ownerBadge = (state) => badge(`owner-${state}`, OWNER[state] ?? state);

/** Pairs of a name and what it is. What is null is left out. */
export function facts(pairs, look = "facts") {
  return h("dl", { class: look }, pairs.filter(Boolean).map(([name, ...value]) =>
    h("div", { key: name }, h("dt", null, name), h("dd", null, value))));
}

/** Where there is nothing: what that means, and what to do next. */
export const nothing = (says, ...next) =>
  h("div", { class: "nothing" }, h("p", null, h("strong", null, says)), next.length ? h("p", null, next) : null);

/** What the server said is wrong. */
export const trouble = (error) =>
  h("div", { class: "trouble", role: "alert" }, h("p", null, h("strong", null, error.message)),
    error.errors?.length
      ? h("ul", null, error.errors.map(({ field, problem }) => h("li", null, `${field}: ${problem}`)))
      : null);

const part = encodeURIComponent;
export const conversationLink = (channel, customer, ...words) =>
  h("a", { href: `#/conversations/${part(channel)}/${part(customer)}` }, words.length ? words : h("bdi", null, customer));
export const connectionLink = (id) => h("a", { href: `#/connections/${part(id)}` }, id);
export const routeLink = (id) => h("a", { href: `#/routes/${part(id)}` }, id);

/** A page's heading, with what can be done beside it. */
export const heading = (text, ...beside) =>
  h("div", { key: "heading", class: "heading" }, h("h1", { tabindex: "-1" }, text), beside);
