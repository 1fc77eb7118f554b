// The form of a connection, generated from its platform's settings.
import { h } from "../dom.js";
import { missingRole } from "../session.js";
import { area, choose, field, group, input, number, numbers, saving, tick, words } from "./form.js";

// The minimum that the server accepts (TEXT_LIMIT in shared/config/src/file/connections.rs); a test compares them.
export const MIN_TEXT_LIMIT = 20;
const SHOWS = ["media", "choices", "markup"];
const text = (value) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

/** `save` receives the body of the PUT request. */
export function connectionForm({ connection, platform, routes, action, save }) {
  const { role } = connection;
  return saving([
    platform.settings.length > 0 && group("Settings", platform.settings.map((setting) => settingField(setting, connection.settings?.[setting.name]))),
    group("Secrets",
      secretsOf(connection, platform).map((secret) => secretField(secret, connection.secrets.includes(secret.name))),
      otherSecret()),
    group("Behavior",
      role === "channel" && field({
        name: "route", label: "Route", about: "Defines the bot and the desk that answer the channel's customers.",
        control: choose([["", "none"], ...routes.map(({ id }) => [id])], connection.route),
      }),
      role === "bot" && tick("copies", "Send copies while the desk owns the conversation", connection.copies),
      role === "desk" && tick("copies", "Open the conversation here at its start, with copies until the first handover", connection.copies),
      role === "channel" && tick("sender_prefix", "Start agents' messages with the agent's name", connection.sender_prefix, "For accounts that several agents share."),
      field({
        name: "text_limit", label: "Maximum text length (characters)", about: "Longer texts are split at the ends of sentences. At least 20. Empty: the platform's limit.",
        control: input({ type: "number", min: MIN_TEXT_LIMIT, value: text(connection.text_limit) }),
      }),
      h("div", { class: "field", "data-field": "shows", role: "group", "aria-label": "Displays in addition to its platform's features" },
        h("p", { class: "label" }, "Displays in addition to its platform's features"),
        h("div", { class: "row" }, SHOWS.map((name) => h("label", { class: "tick" },
          h("input", { type: "checkbox", name: "shows", value: name, checked: connection.shows?.includes(name) }), ` ${name}`))),
        h("p", { class: "problem" })),
      field({
        name: "reorder_window", label: "Reorder window (seconds)", about: "Events are held this long and sorted by their timestamps. Empty: order of arrival.",
        control: input({ type: "number", min: 1, value: text(connection.reorder_window) }),
      }),
      field({
        name: "allow_ips", label: "Allowed source IP addresses", about: "One address or range per line. Empty: all addresses.",
        control: area(connection.allow_ips?.join("\n")),
      })),
    group("Retries and circuit breaker",
      field({
        name: "delivery.retry", label: "Retry delays (seconds)", about: "The delay before each further attempt, separated by commas. After the last attempt the delivery fails and needs an operator.",
        control: input({ value: connection.delivery.retry.join(", ") }),
      }),
      field({
        name: "delivery.breaker_after", label: "Consecutive failures that open the breaker", about: "While the breaker is open, only probes are sent.",
        control: input({ type: "number", min: 1, value: text(connection.delivery.breaker_after) }),
      }),
      field({
        name: "delivery.reactivation", label: "Close the breaker", about: "Manually: deliveries stay parked until an operator verifies the connection.",
        control: choose([["automatic", "automatically, after a successful probe"], ["manual", "manually, after a verification"]], connection.delivery.reactivation),
      }),
      field({
        name: "delivery.retry_unknown", label: "Retries after an unknown result", about: "Further attempts when the platform may have received the message. Empty: the platform's default.",
        control: input({ type: "number", min: 0, value: text(connection.delivery.retry_unknown) }),
      })),
  ], { action, off: missingRole("admin"), save: (form) => save(read(form, connection, platform)) });
}

function settingField({ name, kind, options, range, required, description }, value) {
  const control = kind === "enum" ? choose([["", "not set"], ...options.map((option) => [option])], text(value))
    : kind === "boolean" ? choose([["", "not set"], ["true", "yes"], ["false", "no"]], text(value))
    : kind === "number" ? input({ type: "number", min: range[0], max: range[1], value: text(value) })
    : input({ type: kind === "url" ? "url" : "text", value: text(value) });
  return field({ name: `settings.${name}`, label: name, about: description, required, control });
}

function secretField({ name, required, description }, isSet) {
  return [
    field({
      name: `secrets.${name}`, label: name, about: [description, isSet && ". Set; leave empty to keep it."], required: required && !isSet,
      control: input({ type: "password", autocomplete: "new-password", placeholder: isSet ? "unchanged" : null }),
    }),
    isSet && !required && h("label", { class: "tick under" }, h("input", { type: "checkbox", name: `remove.${name}` }), ` Remove ${name}`),
  ];
}

// The key in the inbound URL, which has its own section on the page.
const KEY = "path_key";

/** Returns the platform's secrets and the additional ones, such as headers. */
function secretsOf(connection, platform) {
  const named = new Set([KEY, ...platform.secrets.map(({ name }) => name)]);
  const others = connection.secrets.filter((name) => !named.has(name));
  return [...platform.secrets, ...others.map((name) => ({ name, required: false, description: "Additional secret" }))];
}

const otherSecret = () => h("details", null, h("summary", null, "Add another secret"),
  field({ name: "other.name", label: "Secret name", about: "For example header:X-Key, if the platform sends additional headers.", control: input() }),
  field({ name: "other.value", label: "Secret value", control: input({ type: "password", autocomplete: "new-password" }) }));

function read(form, connection, platform) {
  const of = (name) => form.elements.namedItem(name)?.value ?? "";
  const ticked = (name, otherwise) => form.elements.namedItem(name)?.checked ?? otherwise;
  const { version, suspended, ...input } = connection;
  return {
    ...input,
    route: connection.role === "channel" ? of("route") || null : connection.route,
    copies: ticked("copies", Boolean(connection.copies)),
    sender_prefix: ticked("sender_prefix", Boolean(connection.sender_prefix)),
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

/** Settings that the form does not show stay unchanged; empty fields are not set. */
function readSettings(of, before, settings) {
  const after = { ...before };
  for (const { name, kind } of settings) {
    const value = of(`settings.${name}`).trim();
    if (value === "") delete after[name];
    else if (kind === "boolean") after[name] = value === "true";
    else if (kind === "number") after[name] = Number(value);
    else if (value !== text(before[name])) after[name] = typeof before[name] === "object" ? parsed(value) : value;
  }
  return after;
}

function parsed(value) {
  try {
    return JSON.parse(value);
  } catch {
    return value;
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
