// The form of a route: its connections, the handover policy, and the texts that customers receive.
import { h } from "../dom.js";
import { missingRole } from "../session.js";
import { choose, field, group, input, number, saving, words } from "./form.js";

const TIMES = [
  ["accept_within", "Offer timeout (seconds)", "How long an offer waits for an agent to accept. Empty: no limit."],
  ["agent_idle", "Agent reply timeout (seconds)", "How long a customer waits for the agent's reply. Empty: no limit."],
  ["session_ttl", "Session timeout (seconds)", "A conversation closes after this time without messages. Empty: never."],
  ["bot_down_after", "Bot outage timeout (seconds)", "The desk takes over when the bot's breaker has been open this long. Empty: never."],
  ["transcript", "Transcript length (messages)", "The number of earlier messages that the desk receives. At most 50."],
];
const ON_CLOSE = [["bot", "hand back to the bot"], ["close", "close the conversation"]];
const TEXTS = [
  ["waiting", "Offered to the desk"],
  ["joined", "Agent accepted"],
  ["left", "Handed back to the bot"],
  ["unanswered", "Offer unanswered"],
  ["unsupported", "Content not supported"],
  ["file_failed", "File not delivered ({name})"],
  ["agent", "Name of an agent without a name"],
];

/** `save` receives the body of the PUT request. */
export function routeForm({ route, connections, action, head, save }) {
  const { handover_policy: policy } = route;
  const languages = new Set([...Object.keys(policy.keywords ?? {}), ...Object.keys(policy.texts ?? {})]);
  if (!languages.size) languages.add(policy.language ?? "en");
  const languageList = h("div", null, [...languages].map((language) => languageFields(language, policy)));
  const role = (name) => connections.filter((one) => one.role === name).map(({ id }) => [id]);
  return saving([
    head,
    group("Connections",
      field({ name: "bot", label: "Bot", about: "Answers first. A route needs a bot, a desk or both.", control: choose([["", "none"], ...role("bot")], route.bot) }),
      field({ name: "desk", label: "Desk", about: "Where human agents take over.", control: choose([["", "none"], ...role("desk")], route.desk) }),
      h("div", { class: "field", "data-field": "observers", role: "group", "aria-label": "Observers" },
        h("p", { class: "label" }, "Observers"),
        role("observer").length
          ? h("div", { class: "row" }, role("observer").map(([id]) => h("label", { class: "tick" },
              h("input", { type: "checkbox", name: "observers", value: id, checked: route.observers.includes(id) }), ` ${id}`)))
          : h("p", { class: "about" }, "No connection has the role observer."),
        h("p", { class: "problem" }))),
    group("Handover policy",
      TIMES.map(([name, label, about]) => field({
        name: `handover_policy.${name}`, label, about, control: input({ type: "number", min: 0, value: policy[name] ?? "" }),
      })),
      field({ name: "handover_policy.if_unanswered", label: "If no agent accepts or replies", control: choose(ON_CLOSE, policy.if_unanswered ?? "bot") }),
      field({ name: "handover_policy.after_close", label: "After the desk closes", control: choose(ON_CLOSE, policy.after_close ?? "bot") }),
      field({
        name: "handover_policy.transcript_since", label: "Transcript starts",
        control: choose([["start", "at the start of the conversation"], ["handback", "at the last handback to the bot"]], policy.transcript_since ?? "start"),
      }),
      field({
        name: "handover_policy.language", label: "Default language", about: "For customers whose language is unknown, for example en or pt-BR.",
        control: input({ value: policy.language ?? "" }),
      })),
    group("Keywords and texts by language", languageList, adding(languageList)),
  ], { action, off: missingRole("admin"), save: (form) => save(read(form, route)) });
}

function languageFields(language, { keywords = {}, texts = {} }) {
  const own = keywords[language] ?? {};
  const one = (name, label, about, value) =>
    field({ name: `handover_policy.${name}`, label, about, control: input({ value: value ?? "", lang: language }) });
  return h("details", { class: "language", "data-language": language, open: language === "en" || null },
    h("summary", null, `Language ${language}`),
    one(`keywords.${language}.handover`, `Handover keywords (${language})`, "Separated by commas. A message must consist of the keyword only.", own.handover?.join(", ")),
    one(`keywords.${language}.handback`, `Handback keywords (${language})`, "Separated by commas.", own.handback?.join(", ")),
    TEXTS.map(([name, label]) => one(`texts.${language}.${name}`, `${label} (${language})`,
      name === "joined" || name === "left" ? "{agent} is replaced with the agent's name. Empty: no message." : "Empty: no message.", texts[language]?.[name])));
}

function adding(languageList) {
  const code = h("input", { id: "language-code", type: "text", maxlength: 12, size: 6, autocomplete: "off" });
  const add = () => {
    const language = code.value.trim();
    if (!/^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*$/.test(language) || languageList.querySelector(`[data-language="${language}"]`)) return code.focus();
    const made = languageFields(language, {});
    made.open = true;
    languageList.append(made);
    code.value = "";
    return made.querySelector("input").focus();
  };
  return h("div", { class: "row" }, h("label", { for: "language-code" }, "Language code"), code,
    h("button", { type: "button", onclick: add }, "Add language"));
}

function read(form, { version, ...route }) {
  const of = (name) => form.elements.namedItem(`handover_policy.${name}`).value.trim();
  const keywords = {};
  const texts = {};
  for (const { dataset: { language } } of form.querySelectorAll("[data-language]")) {
    const mine = { handover: words(of(`keywords.${language}.handover`)), handback: words(of(`keywords.${language}.handback`)) };
    if (mine.handover.length || mine.handback.length) keywords[language] = mine;
    const filled = TEXTS.map(([name]) => [name, of(`texts.${language}.${name}`)]).filter(([, text]) => text);
    if (filled.length) texts[language] = Object.fromEntries(filled);
  }
  return {
    ...route,
    bot: form.elements.namedItem("bot").value || null,
    desk: form.elements.namedItem("desk").value || null,
    observers: [...form.querySelectorAll("[name=observers]:checked")].map(({ value }) => value),
    handover_policy: {
      ...route.handover_policy,
      ...Object.fromEntries(TIMES.map(([name]) => [name, number(of(name))])),
      if_unanswered: of("if_unanswered"),
      after_close: of("after_close"),
      transcript_since: of("transcript_since"),
      language: of("language") || null,
      keywords, texts,
    },
  };
}
