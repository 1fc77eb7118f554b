// A route's form: who takes part, when a conversation changes hands, and what the customer is told.
import { h } from "../dom.js";
import { barred } from "../session.js";
import { choose, field, group, input, number, saving, words } from "./form.js";

const TIMES = [
  ["accept_within", "An offer to the desk waits, in seconds", "Empty: without end."],
  ["agent_idle", "A customer waits for the agent's answer, in seconds", "Empty: without end."],
  ["session_ttl", "So much silence ends a conversation, in seconds", "Empty: never."],
  ["bot_down_after", "People take over when the bot's breaker has been open so long, in seconds", "Empty: never."],
  ["transcript", "How many messages the desk is told of what was said before", "50 at most."],
];
const THEN = [["bot", "the bot has it again"], ["close", "the conversation is over"]];
const TEXTS = [
  ["waiting", "When it is offered to the desk"],
  ["joined", "When an agent has accepted"],
  ["left", "When the bot has it again"],
  ["nobody", "When nobody has accepted"],
  ["unshown", "When something cannot be shown"],
  ["agent", "What an agent without a name is called"],
];

/** `save` is given the route without its version. */
export function routeForm({ route, connections, action, head, save }) {
  const { switching } = route;
  const languages = new Set([...Object.keys(switching.keywords ?? {}), ...Object.keys(switching.texts ?? {})]);
  if (!languages.size) languages.add(switching.language ?? "en");
  const spoken = h("div", null, [...languages].map((language) => languageFields(language, switching)));
  const role = (name) => connections.filter((one) => one.role === name).map(({ id }) => [id]);
  return saving([
    head,
    group("Who takes part",
      field({ name: "bot", label: "Bot", about: "It answers first. A bot, a desk or both.", control: choose([["", "none"], ...role("bot")], route.bot) }),
      field({ name: "desk", label: "Desk", about: "Where people take over.", control: choose([["", "none"], ...role("desk")], route.desk) }),
      h("div", { class: "field", "data-field": "observers", role: "group", "aria-label": "Observers" },
        h("p", { class: "label" }, "Observers"),
        role("observer").length
          ? h("div", { class: "row" }, role("observer").map(([id]) => h("label", { class: "tick" },
              h("input", { type: "checkbox", name: "observers", value: id, checked: route.observers.includes(id) }), ` ${id}`)))
          : h("p", { class: "about" }, "There is no connection with the role observer."),
        h("p", { class: "problem" }))),
    group("When it changes hands",
      TIMES.map(([name, label, about]) => field({
        name: `switching.${name}`, label, about, control: input({ type: "number", min: 0, value: switching[name] ?? "" }),
      })),
      field({ name: "switching.if_nobody", label: "If nobody accepts or answers", control: choose(THEN, switching.if_nobody ?? "bot") }),
      field({ name: "switching.after_close", label: "After the desk closes", control: choose(THEN, switching.after_close ?? "bot") }),
      field({
        name: "switching.transcript_since", label: "What the desk is told of begins",
        control: choose([["start", "at the conversation's start"], ["handback", "where the bot got it back last"]], switching.transcript_since ?? "start"),
      }),
      field({
        name: "switching.language", label: "Language of customers of whom nobody says it", about: "Such as en or pt-BR.",
        control: input({ value: switching.language ?? "" }),
      })),
    group("Keywords and texts by language", spoken, adding(spoken)),
  ], { action, off: barred("admin"), save: (form) => save(read(form, route)) });
}

function languageFields(language, { keywords = {}, texts = {} }) {
  const mine = keywords[language] ?? {};
  const one = (name, label, about, value) =>
    field({ name: `switching.${name}`, label, about, control: input({ value: value ?? "", lang: language }) });
  return h("details", { class: "language", "data-language": language, open: language === "en" || null },
    h("summary", null, `Language ${language}`),
    one(`keywords.${language}.handover`, `Keywords for people (${language})`, "Separated by commas: a message that is nothing else.", mine.handover?.join(", ")),
    one(`keywords.${language}.handback`, `Keywords for the bot (${language})`, "Separated by commas.", mine.handback?.join(", ")),
    TEXTS.map(([name, label]) => one(`texts.${language}.${name}`, `${label} (${language})`,
      name === "joined" || name === "left" ? "{agent} stands for the agent's name. Empty: nothing is said." : "Empty: nothing is said.", texts[language]?.[name])));
}

function adding(spoken) {
  const code = h("input", { id: "language-code", type: "text", maxlength: 12, size: 6, autocomplete: "off" });
  const add = () => {
    const language = code.value.trim();
    if (!/^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*$/.test(language) || spoken.querySelector(`[data-language="${language}"]`)) return code.focus();
    const made = languageFields(language, {});
    made.open = true;
    spoken.append(made);
    code.value = "";
    return made.querySelector("input").focus();
  };
  return h("div", { class: "row" }, h("label", { for: "language-code" }, "Another language"), code,
    h("button", { type: "button", onclick: add }, "Add"));
}

function read(form, { version, ...route }) {
  const of = (name) => form.elements.namedItem(`switching.${name}`).value.trim();
  const keywords = {};
  const texts = {};
  for (const { dataset: { language } } of form.querySelectorAll("[data-language]")) {
    const mine = { handover: words(of(`keywords.${language}.handover`)), handback: words(of(`keywords.${language}.handback`)) };
    if (mine.handover.length || mine.handback.length) keywords[language] = mine;
    const said = TEXTS.map(([name]) => [name, of(`texts.${language}.${name}`)]).filter(([, text]) => text);
    if (said.length) texts[language] = Object.fromEntries(said);
  }
  return {
    ...route,
    bot: form.elements.namedItem("bot").value || null,
    desk: form.elements.namedItem("desk").value || null,
    observers: [...form.querySelectorAll("[name=observers]:checked")].map(({ value }) => value),
    switching: {
      ...route.switching,
      ...Object.fromEntries(TIMES.map(([name]) => [name, number(of(name))])),
      if_nobody: of("if_nobody"),
      after_close: of("after_close"),
      transcript_since: of("transcript_since"),
      language: of("language") || null,
      keywords, texts,
    },
  };
}
