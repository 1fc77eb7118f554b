// Conversations: one that continues over time, one with hostile text, one with several pages, and many short ones.
import { randomUUID } from "node:crypto";
import { hostile } from "./hostile.mjs";
import { ProblemError } from "./problem-error.mjs";

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const BOT = { role: "bot", name: null };
const ANNA = { role: "agent", name: "Anna" };
const CUSTOMER = { role: "customer", name: null };
const SYSTEM = { role: "system", name: null };

export const text = (content, more = {}) => ({ type: "message", metadata: {}, content: { text: content, format: "plain", media: [], choices: [], ...more } });
export const conversationOrder = (one, other) => other.changed_at.localeCompare(one.changed_at);

export class Conversation {
  constructor(channel, customer, route, state = "bot") {
    this.id = `cnv_${randomUUID().replaceAll("-", "").slice(0, 20)}`;
    this.channel = channel;
    this.customer = customer;
    this.route = route;
    this.state = state;
    this.started_at = this.changed_at = ago(600);
    this.parties = route === "shop"
      ? { channel, bot: "shop-bot", desk: "care", observers: ["archive"] }
      : { channel, bot: "travel-bot", desk: null, observers: [] };
    this.currentHandover = null;
    this.entries = [];
    this.later = [];
  }

  view() {
    const kind = this.state === "bot" || this.state === "closed" ? "bot" : "desk";
    return {
      channel: this.channel, customer: this.customer, id: this.id, state: this.state, route: this.route, language: "en",
      owner: { kind, connection: this.parties[kind], agent: this.currentHandover?.agent ?? null },
      started_at: this.started_at, changed_at: this.changed_at, parties: this.parties, handover: this.currentHandover,
    };
  }

  add(from, author, body, { at = ago(0), disposition = "routed", to = [], id = randomUUID() } = {}) {
    const entry = { id, from, conversation: this.id, at, received_at: at, author, disposition, body, deliveries: to };
    this.entries.push(entry);
    this.changed_at = at;
    return entry;
  }

  advance(seconds) {
    while (this.later.length && this.later[0][0] <= seconds) this.later.shift()[1](this);
  }

  addOperatorMessage(content) {
    if (this.state === "closed") throw new ProblemError(409, "the conversation is closed");
    return this.add("trunkline", SYSTEM, text(content), { to: [delivery(this.channel, "channel")] }).id;
  }

  handover(reason, by = "operator") {
    if (!this.parties.desk) throw new ProblemError(409, "the route has no desk");
    if (this.state !== "bot") throw new ProblemError(409, "the conversation is already handed over");
    this.state = "pending";
    this.currentHandover = { id: `hov_${randomUUID().slice(0, 8)}`, location: "desk", trigger: by, reason: reason ?? null, at: ago(0), accepted_at: null, agent: null };
    this.add("trunkline", SYSTEM, { type: "handover", mode: "offer", reason: reason ?? null, context: {} }, { to: [delivery("care", "desk")] });
    return { state: this.state };
  }

  handback(reason) {
    if (this.state === "bot" || this.state === "closed") throw new ProblemError(409, "the bot already owns the conversation");
    this.back("bot", { type: "handback", reason: reason ?? null, context: {} });
    return { state: this.state };
  }

  close(reason) {
    if (this.state === "closed") throw new ProblemError(409, "the conversation is already closed");
    this.back("closed", { type: "close", reason: reason ?? null });
    return { state: this.state };
  }

  back(state, body) {
    this.state = state;
    this.currentHandover = null;
    this.add("trunkline", SYSTEM, body, { to: [delivery("shop-bot", "bot")] });
  }
}

const delivery = (to, role, outcome = {}, more = {}) => ({
  id: `dlv_${randomUUID().slice(0, 8)}`, to, role, copy: false, part: 0, ...more,
  outcome: outcome && { status: "delivered", at: ago(0), http_status: 200, reason: null, external_message_id: null, attempts: 1, ...outcome },
});
const toBot = (outcome) => delivery("shop-bot", "bot", outcome);
const toDesk = (outcome) => delivery("care", "desk", outcome);
const toCustomer = (outcome) => delivery("shop-whatsapp", "channel", outcome);
const copy = (to = "shop-bot", role = "bot") => delivery(to, role, {}, { copy: true });
const archive = () => copy("archive", "observer");

export function conversations() {
  const many = Array.from({ length: 64 }, (_, i) => {
    const one = new Conversation(i % 4 ? "shop-whatsapp" : "travel-web", `3160000${String(1000 + i)}`, i % 4 ? "shop" : "travel", i % 5 ? "closed" : "bot");
    one.add(one.channel, CUSTOMER, text("Hello"), { at: ago(3600 + i * 900) });
    return one;
  });
  return [talking(), kinds(), hostile(new Conversation("shop-whatsapp", "attacker", "shop")), long(), ...many];
}

/** Every kind of content. */
function kinds() {
  const it = new Conversation("shop-whatsapp", "kinds", "shop");
  const W = "shop-whatsapp";
  const about = (message, more) => ({ message, own_event: message, known_as: [], excerpt: "Which one fits?", ...more });
  it.add(W, CUSTOMER, text("Which one fits?"), { id: "q", at: ago(500) });
  it.add("shop-bot", BOT, text(null, { cards: [
    { title: "Shoe", text: "*Comfortable*", format: "markdown", picture: { url: "https://files.example.com/shoe.png", name: "A shoe" },
      actions: [{ type: "reply", id: "shoe", title: "Buy" }, { type: "link", title: "Details", url: "https://shop.example.com/shoe" }] },
    { title: "Boot", actions: [{ type: "link", title: "Details", url: "javascript:window.harmed=1" }] },
  ] }), { id: "cards", at: ago(490), to: [toCustomer()] });
  it.add("shop-bot", BOT, text("Here we are.", { location: { latitude: 52.37, longitude: 4.9, name: "Shop", address: "Main Street 1" } }), { at: ago(480) });
  it.add("shop-bot", BOT, text(null, { contact: { name: "Ada", organization: "Shop", phones: ["+31201234567"] } }), { at: ago(470) });
  it.add("shop-bot", BOT, text("It comes in red.", { reply_to: about("q") }), { id: "red", at: ago(460) });
  it.add("shop-bot", BOT, { type: "edit", ...about("red", { excerpt: "It comes in red." }), content: { text: "It comes in blue." } }, { at: ago(450) });
  it.add(W, CUSTOMER, { type: "reaction", ...about("wrong", { own_event: "wrong" }), emoji: "👍" }, { at: ago(440) });
  it.add(W, CUSTOMER, { type: "delete", ...about("q") }, { at: ago(430) });
  return it;
}

function talking() {
  const it = new Conversation("shop-whatsapp", "31612345678", "shop", "desk");
  it.currentHandover = { id: "hov_1", location: "desk", trigger: "bot", reason: "the customer asked", at: ago(260), accepted_at: ago(200), agent: "Anna" };
  const W = "shop-whatsapp";
  it.add(W, CUSTOMER, text("Where is my parcel?"), { at: ago(560), to: [toBot(), archive()] });
  it.add("shop-bot", BOT, text("Which parcel do you mean?", { choices: [{ id: "A", title: "Order 48121, shoes" }, { id: "B", title: "Order 48077, a lamp" }] }),
    { at: ago(550), id: "which", to: [toCustomer({ status: "delivered", attempts: 2, http_status: 202, reason: null, external_message_id: "wamid.1" }), archive()] });
  it.add(W, SYSTEM, { type: "receipt", message: "wamid.1", target: { connection: "shop-bot", message: "which" }, status: "read", reason: null }, { at: ago(540) });
  it.add(W, CUSTOMER, { type: "choice", id: "A", title: "Order 48121, shoes", typed: "1" }, { at: ago(530), to: [toBot(), archive()] });
  it.add("shop-bot", BOT, text("It left our warehouse. The slip is attached.", { media: [{ url: "https://files.example.com/slip.pdf", mime_type: "application/pdf", name: "slip.pdf" }] }),
    { at: ago(520), to: [toCustomer(), archive()] });
  it.add(W, CUSTOMER, text("That does not help. I want to speak to somebody."), { at: ago(300), to: [toBot({ attempts: 3, reason: "503: the bot is being restarted" }), archive()] });
  it.add("shop-bot", BOT, { type: "handover", mode: "offer", reason: "the customer asked", context: { order: "48121", mood: "annoyed" } }, { at: ago(260), to: [toDesk()] });
  it.add("trunkline", SYSTEM, text("We look for somebody who can help you."), { at: ago(259), to: [toCustomer()] });
  it.add(W, CUSTOMER, text("Thank you"), { at: ago(230), to: [toDesk(), copy(), archive()] });
  it.add("care", ANNA, { type: "accept" }, { at: ago(200) });
  it.add("care", ANNA, text("Hello, this is Anna. I see that the parcel is in Utrecht since Monday."), { at: ago(190), to: [toCustomer(), copy(), archive()] });
  it.add("shop-bot", BOT, text("Can I help with anything else?"), { at: ago(180), disposition: "not_owner" });
  it.add(W, CUSTOMER, text("Since Monday?!"), { at: ago(120), to: [toDesk({ status: "permanent", http_status: 400, reason: "400: unknown channel 'Custom'" }), copy()] });
  it.add("care", ANNA, text("I have asked them to bring it tomorrow."), { at: ago(60), to: [toCustomer({ status: "parked", http_status: 503, attempts: 2, reason: "503: try again later" })] });
  it.later = [
    [3, () => it.add(W, CUSTOMER, { type: "typing", active: true })],
    [5, () => it.add(W, CUSTOMER, text("Great, tomorrow is fine."), { to: [toDesk(null), copy()] })],
    [60, () => it.add("care", ANNA, { type: "close", reason: "solved" })],
    [61, () => it.back("bot", { type: "handback", reason: "the desk closed the conversation", context: {} })],
  ];
  return it;
}

/** A conversation with several pages. */
function long() {
  const it = new Conversation("shop-whatsapp", "31687654321", "shop");
  for (let i = 0; i < 130; i += 1) {
    const mine = i % 2 === 0;
    it.add(mine ? "shop-whatsapp" : "shop-bot", mine ? CUSTOMER : BOT, text(`Message ${i + 1} of 130`), { at: ago(4000 - i * 10), to: [mine ? toBot() : toCustomer()] });
  }
  return it;
}
