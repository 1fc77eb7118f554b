// A simulated stack: traffic, a recurring outage, parked deliveries, and a conversation that continues.
import { randomBytes } from "node:crypto";
import { ProblemError } from "./problem-error.mjs";
import { conversations } from "./talk.mjs";

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const OUTAGE = 90;
const DELIVERY = { retry: [2, 30, 600, 2700], breaker_after: 5, reactivation: "automatic", retry_unknown: null };

const connection = (id, platform, role, route, more = {}) => ({
  id, platform, role, route, version: 3, suspended: false, copies: false, sender_prefix: false, text_limit: null, shows: [],
  reorder_window: null, allow_ips: [], delivery: { ...DELIVERY }, settings: {}, secrets: [], ...more,
});

export class World {
  constructor() {
    this.began = Date.now();
    this.connections = [
      connection("shop-whatsapp", "telex", "channel", "shop", { secrets: ["verification_token", "send_url"] }),
      connection("shop-bot", "pager", "bot", "shop", { copies: true, settings: { message_url: "https://bot.example.com/trunkline" }, secrets: ["signing"] }),
      connection("care", "fax", "desk", "shop", { settings: { send_url: "https://router.example.com/out/1" }, secrets: ["line_token", "shared_secret"] }),
      connection("archive", "pager", "observer", "shop", { settings: { message_url: "https://archive.example.com", operations: true }, secrets: ["signing"] }),
      connection("travel-web", "pager", "channel", "travel", { settings: { message_url: "https://travel.example.com" }, secrets: ["signing"] }),
      connection("travel-bot", "pager", "bot", "travel", { suspended: true, settings: { message_url: "https://travel-bot.example.com" }, secrets: ["signing"] }),
    ];
    this.routes = [
      { id: "shop", bot: "shop-bot", desk: "care", observers: ["archive"], version: 2, handover_policy: handoverPolicy() },
      { id: "travel", bot: "travel-bot", desk: null, observers: [], version: 1, handover_policy: { ...handoverPolicy(), keywords: {}, texts: {} } },
    ];
    this.verifications = { "shop-bot": { at: ago(3600), problem: null } };
    this.conversations = conversations();
    this.waiting = waiting(this.conversations[0]);
    this.dead = [1, 2, 3].map((n) => ({ id: `dead-${n}`, platform: n === 3 ? "fax" : "pager", at: ago(n * 2000),
      reason: n === 3 ? "cannot parse the message: missing field `leg`" : "the worker panicked three times", message_group: "care:31612345678", size: 812 * n }));
    this.rejected = { "shop-whatsapp": [
      { id: "rej-1", at: ago(500), reason: "invalid JSON: expected value at line 1 column 1", size: 17, body: "<b>not a JSON</b>" },
    ] };
    this.tokens = [{ id: "tok-1", kind: "api", name: "on-call", role: "operator", created_at: ago(86400 * 9), expires_at: ago(-86400 * 81) }];
    this.audit = [
      { id: "a-1", at: ago(4000), actor: "Sam", role: "admin", action: "connection.suspend", target: "travel-bot", detail: { reason: "maintenance" } },
      { id: "a-2", at: ago(9000), actor: "on-call", role: "operator", action: "delivery.replay", target: "shop-bot", detail: { count: 12 } },
    ];
    this.keys = new Map();
  }

  /** Advances the open conversation. */
  tick() {
    const seconds = Math.floor((Date.now() - this.began) / 1000);
    this.conversations[0].advance(seconds);
  }

  connection(id) {
    const found = this.connections.find((one) => one.id === id);
    if (!found) throw new ProblemError(404, `connection ${id} does not exist`);
    return found;
  }

  route(id) {
    const found = this.routes.find((one) => one.id === id);
    if (!found) throw new ProblemError(404, `route ${id} does not exist`);
    return found;
  }

  add(one) {
    this.connections.push(one);
  }

  breaker(id) {
    const second = Math.floor((Date.now() - this.began) / 1000);
    const closed = { state: "closed", failures: 0, opened_at: null, reason: null };
    if (id !== "shop-bot" || second % (2 * OUTAGE) >= OUTAGE) return closed;
    const state = second % OUTAGE > OUTAGE - 10 ? "half_open" : "open";
    return { state, failures: 5, opened_at: new Date(this.began - (OUTAGE - (second % OUTAGE)) * 1000).toISOString(), reason: "503: the bot is being restarted" };
  }

  rotate(id) {
    this.keys.set(this.connection(id).id, randomBytes(24).toString("base64url"));
    return this.addresses(id)[0].url;
  }

  addresses(id) {
    const { platform } = this.connection(id);
    if (!this.keys.has(id)) this.keys.set(id, randomBytes(24).toString("base64url"));
    return [{ description: "Events", url: `https://hooks.example.com/in/${platform}/${id}/${this.keys.get(id)}` }];
  }

  redrive(id) {
    const before = this.dead.length;
    this.dead = id ? this.dead.filter((one) => one.id !== id) : [];
    return before - this.dead.length;
  }

  forget(conversation) {
    this.conversations.splice(this.conversations.indexOf(conversation), 1);
    return { events: conversation.entries.length };
  }
}

function handoverPolicy() {
  return {
    accept_within: 120, agent_idle: 600, session_ttl: 43200, bot_down_after: 300, after_close: "bot", if_unanswered: "bot",
    transcript: 20, transcript_since: "start", language: "en",
    keywords: { en: { handover: ["agent", "a person"], handback: ["robot"] }, nl: { handover: ["medewerker"], handback: ["robot"] } },
    texts: {
      en: { waiting: "We are looking for an agent.", joined: "{agent} has joined.", left: "", unanswered: "No agent is available.", unsupported: "", agent: "A colleague" },
      nl: { waiting: "We zoeken iemand die u kan helpen.", joined: "", left: "", unanswered: "", unsupported: "", agent: "" },
    },
  };
}

function waiting(conversation) {
  const one = (n, state, connection, more) => ({ id: `dlv_${state}${n}`, state, connection, channel: conversation.channel,
    customer: conversation.customer, conversation: conversation.id, event_type: "message", waiting_since: ago(60 * n), next_attempt_at: null, attempts: 1,
    reason: "503: the bot is being restarted", ...more });
  return [
    ...[1, 2, 3].map((n) => one(n, "parked", "shop-bot", { next_attempt_at: ago(-20 * n), attempts: n })),
    one(9, "failed", "care", { reason: "400: unknown channel 'Custom'", attempts: 1 }),
    one(30, "failed", "shop-whatsapp", { event_type: "receipt", reason: "503 Service Unavailable", attempts: 5 }),
  ];
}

export function overview(world) {
  return {
    at: new Date().toISOString(), dead_letters: world.dead.length, stack: "trunkline-dev", version: "0.4.0",
    connections: world.connections.map(({ id, platform, role, route, suspended }, i) => {
      const mine = world.waiting.filter((one) => one.connection === id);
      const parked = mine.filter(({ state }) => state === "parked");
      return {
        id, platform, role, route, suspended, breaker: world.breaker(id), parked: parked.length, failed: mine.length - parked.length,
        oldest_waiting_at: parked.map(({ waiting_since: since }) => since).sort()[0] ?? null,
        last_hour: { accepted: suspended ? 0 : 412 >> i, delivered: suspended ? 0 : 405 >> i, failed: mine.length - parked.length, retried: parked.length * 2 },
        last_verification: world.verifications[id] ?? null,
      };
    }),
    queues: ["fax", "telex", "pager"].map((platform) => ({ platform, waiting: platform === "pager" ? 3 : 0, in_flight: 1,
      dead_letters: world.dead.filter((one) => one.platform === platform).length })),
  };
}

/** The traffic of an hour or a day: a wave with deterministic noise, and an outage. */
export function metrics(world, { window = "hour", connection }) {
  const day = window === "day";
  const [steps, step] = day ? [96, 900] : [60, 60];
  const until = Math.floor(Date.now() / 1000 / step) * step;
  const share = connection ? 0.3 : 1;
  const points = Array.from({ length: steps }, (_, i) => {
    const at = until - (steps - i) * step;
    const wave = 1 + Math.sin((at / 86400) * 2 * Math.PI - 2);
    const noise = ((at / step) * 7919) % 13;
    const accepted = Math.round((step / 60) * (wave * 6 + noise / 3) * share);
    const out = i > steps * 0.6 && i < steps * 0.7;
    return { accepted, out, noise };
  });
  const of = (each) => points.map(each);
  return {
    window, step_seconds: step, from: new Date((until - steps * step) * 1000).toISOString(), until: new Date(until * 1000).toISOString(),
    series: {
      accepted: of(({ accepted }) => accepted),
      delivered: of(({ accepted, out }) => (out ? 0 : accepted)),
      failed: of(({ noise }) => (noise > 11.5 ? 1 : 0)),
      retried: of(({ out, noise }) => (out ? 2 + (noise % 3 | 0) : 0)),
      parked: of(({ accepted, out }) => (out ? accepted : 0)),
      latency_p50_ms: of(({ noise, out }) => (out ? null : 60 + noise * 3)),
      latency_p99_ms: of(({ noise, out }) => (out ? null : 140 + noise * 9)),
    },
  };
}
