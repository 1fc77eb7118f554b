// A connection's form, made of what its platform says can be set.
import { h } from "../dom.js";
import { barred } from "../session.js";
import { area, choose, field, group, input, number, numbers, saving, tick, words } from "./form.js";

const SHOWS = ["media", "choices", "markup"];
const text = (value) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

/** `save` is given the ConnectionInput. */
export function connectionForm({ connection, platform, routes, action, save }) {
  const { role } = connection;
  return saving([
    platform.settings.length > 0 && group("Settings", platform.settings.map((setting) => settingField(setting, connection.settings?.[setting.name]))),
    group("Secrets",
      secretsOf(connection, platform).map((secret) => secretField(secret, connection.secrets.includes(secret.name))),
      otherSecret()),
    group("How it takes part",
      role === "channel" && field({
        name: "route", label: "Route", about: "Which bot and desk its customers get.",
        control: choose([["", "none"], ...routes.map(({ id }) => [id])], connection.route),
      }),
      role === "bot" && tick("copies", "Gets marked copies while people have the conversation", connection.copies),
      role === "channel" && tick("sender_prefix", "What people say begins with their name", connection.sender_prefix, "For accounts that agents share."),
      field({
        name: "text_limit", label: "Longest text, in characters", about: "Longer ones are cut at the ends of sentences. Empty: the platform's own limit.",
        control: input({ type: "number", min: 1, value: text(connection.text_limit) }),
      }),
      h("div", { class: "field", "data-field": "shows", role: "group", "aria-label": "Shows, although its platform in general does not" },
        h("p", { class: "label" }, "Shows, although its platform in general does not"),
        h("div", { class: "row" }, SHOWS.map((name) => h("label", { class: "tick" },
          h("input", { type: "checkbox", name: "shows", value: name, checked: connection.shows.includes(name) }), ` ${name}`))),
        h("p", { class: "problem" })),
      field({
        name: "reorder_window", label: "Reorder window, in seconds", about: "Events wait so long and are sorted by their own timestamps. Empty: the order of arrival.",
        control: input({ type: "number", min: 0, value: text(connection.reorder_window) }),
      }),
      field({
        name: "allow_ips", label: "Addresses that its platform may call from", about: "One address or range a line. Empty: from anywhere.",
        control: area(connection.allow_ips.join("\n")),
      })),
    group("How deliveries are tried again",
      field({
        name: "delivery.retry", label: "Seconds before the second, third … attempt", about: "Then a person decides.",
        control: input({ value: connection.delivery.retry.join(", ") }),
      }),
      field({
        name: "delivery.breaker_after", label: "Failures in a row that open the breaker", about: "Then nothing is attempted but probes.",
        control: input({ type: "number", min: 1, value: text(connection.delivery.breaker_after) }),
      }),
      field({
        name: "delivery.reactivation", label: "The breaker closes", about: "If only by verifying, everything waits until somebody does.",
        control: choose([["automatic", "by itself, when a probe is answered"], ["manual", "only when it is verified"]], connection.delivery.reactivation),
      }),
      field({
        name: "delivery.retry_unknown", label: "Further attempts when nobody knows whether one was heard", about: "Empty: what suits the platform.",
        control: input({ type: "number", min: 0, value: text(connection.delivery.retry_unknown) }),
      })),
  ], { action, off: barred("admin"), save: (form) => save(read(form, connection, platform)) });
}

function settingField({ name, kind, words: options, required, about }, value) {
  const control = kind === "word" ? choose([["", "not set"], ...options.map((word) => [word])], text(value))
    : kind === "truth" ? choose([["", "not set"], ["true", "yes"], ["false", "no"]], text(value))
    : input({ type: kind === "url" ? "url" : "text", value: text(value) });
  return field({ name: `settings.${name}`, label: name, about, required, control });
}

function secretField({ name, required, about }, known) {
  return [
    field({
      name: `secrets.${name}`, label: name, about: [about, known && ". It is set; left empty, it stays as it is."], required: required && !known,
      control: input({ type: "password", autocomplete: "new-password", placeholder: known ? "stays as it is" : null }),
    }),
    known && !required && h("label", { class: "tick under" }, h("input", { type: "checkbox", name: `remove.${name}` }), ` Remove ${name}`),
  ];
}

// The key in the address: it is seen, and made anew, where the addresses are.
const KEY = "path_key";

/** What the platform names, and what is set besides: a header to send along, say. */
function secretsOf(connection, platform) {
  const named = new Set([KEY, ...platform.secrets.map(({ name }) => name)]);
  const besides = connection.secrets.filter((name) => !named.has(name));
  return [...platform.secrets, ...besides.map((name) => ({ name, required: false, about: "Not one of the platform's own" }))];
}

const otherSecret = () => h("details", null, h("summary", null, "Another secret"),
  field({ name: "other.name", label: "Its name", about: "Such as header:X-Key, where the platform sends headers along.", control: input() }),
  field({ name: "other.value", label: "Its value", control: input({ type: "password", autocomplete: "new-password" }) }));

function read(form, connection, platform) {
  const of = (name) => form.elements.namedItem(name)?.value ?? "";
  const ticked = (name, otherwise) => form.elements.namedItem(name)?.checked ?? otherwise;
  const { version, suspended, ...kept } = connection;
  return {
    ...kept,
    route: connection.role === "channel" ? of("route") || null : connection.route,
    copies: ticked("copies", connection.copies),
    sender_prefix: ticked("sender_prefix", connection.sender_prefix),
    text_limit: number(of("text_limit")),
    shows: SHOWS.filter((name) => form.querySelector(`[name=shows][value=${name}]`).checked),
    reorder_window: number(of("reorder_window")),
    allow_ips: words(of("allow_ips")),
    delivery: {
      ...connection.delivery,
      retry: numbers(of("delivery.retry")),
      breaker_after: number(of("delivery.breaker_after")),
      reactivation: of("delivery.reactivation"),
      retry_unknown: number(of("delivery.retry_unknown")),
    },
    settings: readSettings(of, connection.settings ?? {}, platform.settings),
    secrets: readSecrets(of, ticked, secretsOf(connection, platform)),
  };
}

/** Settings that the form does not know stay; what is empty is not set. */
function readSettings(of, before, settings) {
  const after = { ...before };
  for (const { name, kind } of settings) {
    const said = of(`settings.${name}`).trim();
    if (said === "") delete after[name];
    else if (kind === "truth") after[name] = said === "true";
    else if (said !== text(before[name])) after[name] = typeof before[name] === "object" ? parsed(said) : said;
  }
  return after;
}

function parsed(said) {
  try {
    return JSON.parse(said);
  } catch {
    return said;
  }
}

function readSecrets(of, ticked, secrets) {
  const after = {};
  for (const { name } of secrets) {
    if (ticked(`remove.${name}`, false)) after[name] = null;
    else if (of(`secrets.${name}`)) after[name] = of(`secrets.${name}`);
  }
  if (of("other.name").trim()) after[of("other.name").trim()] = of("other.value");
  return after;
}
