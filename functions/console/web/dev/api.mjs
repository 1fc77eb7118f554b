// The API's paths, roles and problems.
import { randomUUID } from "node:crypto";
import { audit, deliveries, putConnection, putRoute, settle, tokens, verify } from "./changes.mjs";
import { platforms } from "./platforms.mjs";
import { Refused } from "./refused.mjs";
import { conversationOrder } from "./talk.mjs";
import { metrics, overview, World } from "./world.mjs";

const RANK = { viewer: 1, operator: 2, admin: 3 };
const sessions = new Map();
const usedCodes = new Set();

const ROUTES = [
  ["GET overview", "viewer", ({ world }) => overview(world)],
  ["GET me", "viewer", ({ session }) => ({ name: `dev ${session.role}`, role: session.role, expires_at: null })],
  ["GET metrics", "viewer", ({ world, query }) => metrics(world, query)],
  ["GET platforms", "viewer", () => platforms],
  ["GET connections", "viewer", ({ world, query }) => page(world.connections, query)],
  ["GET connections/:id", "viewer", ({ world, id }) => world.connection(id)],
  ["PUT connections/:id", "admin", putConnection],
  ["POST connections/:id/verify", "operator", verify],
  ["POST connections/:id/suspend", "admin", ({ world, id }) => Object.assign(world.connection(id), { suspended: true })],
  ["POST connections/:id/resume", "admin", ({ world, id }) => Object.assign(world.connection(id), { suspended: false })],
  ["POST connections/:id/rotate-key", "admin", ({ world, id }) => ({ url: world.rotate(id) })],
  ["GET connections/:id/addresses", "admin", ({ world, id }) => ({ urls: world.addresses(id) })],
  ["GET connections/:id/rejected", "operator", ({ world, id, query }) => page(world.rejected[id] ?? [], query)],
  ["GET routes", "viewer", ({ world, query }) => page(world.routes, query)],
  ["GET routes/:id", "viewer", ({ world, id }) => world.route(id)],
  ["PUT routes/:id", "admin", putRoute],
  ["GET conversations", "viewer", ({ world, query }) => page(world.conversations.filter(matches(query)).sort(conversationOrder).map(brief), query)],
  ["GET conversations/:channel/:customer", "viewer", (asked) => conversation(asked).shown()],
  ["GET conversations/:channel/:customer/timeline", "viewer", (asked) => page([...conversation(asked).entries].reverse(), asked.query)],
  ["POST conversations/:channel/:customer/messages", "operator", (asked) => accepted({ event: conversation(asked).operatorSays(asked.body.text) })],
  ["POST conversations/:channel/:customer/handover", "operator", (asked) => accepted(conversation(asked).handover(asked.body?.reason))],
  ["POST conversations/:channel/:customer/handback", "operator", (asked) => accepted(conversation(asked).handback(asked.body?.reason))],
  ["POST conversations/:channel/:customer/close", "operator", (asked) => accepted(conversation(asked).close(asked.body?.reason))],
  ["DELETE customers/:channel/:customer", "admin", (asked) => accepted(asked.world.forget(conversation(asked)))],
  ["GET deliveries", "viewer", ({ world, query }) => page(deliveries(world, query), query)],
  ["POST deliveries/:what", "operator", (asked) => accepted({ count: settle(asked) })],
  ["GET dead-letters", "viewer", ({ world, query }) => page(world.dead, query)],
  ["POST dead-letters/redrive", "operator", ({ world, body }) => accepted({ count: world.redrive(body?.id) })],
  ["GET audit", "admin", ({ world, query }) => page(world.audit, query)],
  ["GET tokens", "admin", ({ world, query }) => page(world.tokens, query)],
  ["POST tokens", "admin", tokens.make],
  ["DELETE tokens/:id", "admin", tokens.remove],
].map(([pattern, role, does]) => {
  const [method, path] = pattern.split(" ");
  return { method, path: path.split("/"), role, does };
});

export function answer(asked) {
  try {
    if (asked.method !== "GET" && asked.headers["x-trunkline-console"] !== "1") throw new Refused(403, "X-Trunkline-Console is missing");
    if (asked.path[0] === "session") return session(asked);
    const cookie = /trunkline=([^;]+)/.exec(asked.headers.cookie ?? "")?.[1];
    const known = sessions.get(cookie);
    if (!known) throw new Refused(401, "sign in first");
    for (const { method, path, role, does } of ROUTES) {
      const found = match(path, asked.path);
      if (method !== asked.method || !found) continue;
      if (RANK[known.role] < RANK[role]) throw new Refused(403, `this needs the role ${role}`);
      known.world.tick();
      const said = does({ ...asked, ...found, session: known, world: known.world });
      if (method !== "GET") audit(known, asked);
      return said?.status && "body" in said ? said : { body: said };
    }
    throw new Refused(404, "there is no such thing");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { status, message, errors } = error;
    return { status, body: { type: "about:blank", title: `Status ${status}`, status, detail: message, errors } };
  }
}

function session({ method, body, headers }) {
  if (method === "DELETE") {
    sessions.delete(/trunkline=([^;]+)/.exec(headers.cookie ?? "")?.[1]);
    return { status: 204, headers: { "set-cookie": "trunkline=; Path=/; Max-Age=0" } };
  }
  const code = body?.token?.startsWith("once-") && !usedCodes.has(body.token);
  if (code) usedCodes.add(body.token);
  const role = code ? "admin" : body?.token;
  if (!RANK[role]) throw new Refused(401, "nobody has this token");
  const id = randomUUID();
  sessions.set(id, { role, world: new World() });
  return { status: 204, headers: { "set-cookie": `trunkline=${id}; Path=/; HttpOnly; SameSite=Strict` } };
}

function match(pattern, path) {
  if (pattern.length !== path.length) return null;
  const found = {};
  for (const [i, word] of pattern.entries()) {
    if (word.startsWith(":")) found[word.slice(1)] = path[i];
    else if (word !== path[i]) return null;
  }
  return found;
}

function page(items, { cursor = "0", limit = "50" }) {
  const end = Number(cursor) + Number(limit);
  return { items: items.slice(Number(cursor), end), next: end < items.length ? String(end) : null };
}

function conversation({ world, channel, customer }) {
  const found = world.conversations.find((one) => one.channel === channel && one.customer === customer);
  if (!found) throw new Refused(404, "there is no conversation with this customer");
  return found;
}

const accepted = (body) => ({ status: 202, body });

const brief = (one) => {
  const { parties, handover, ...item } = one.shown();
  return item;
};

const matches = ({ connection, state, since, until, customer }) => (one) =>
  (!connection || one.channel === connection)
  && (!state || one.state === state)
  && (!since || one.changed_at >= since)
  && (!until || one.changed_at <= until)
  && (!customer || one.customer.startsWith(customer));
