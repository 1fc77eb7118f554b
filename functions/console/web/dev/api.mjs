// The API in memory: paths, roles and problems.
import { randomUUID } from "node:crypto";
import { audit, deliveries, fix, putConnection, putRoute, act, tokens, verify } from "./changes.mjs";
import { platforms } from "./platforms.mjs";
import { ProblemError } from "./problem-error.mjs";
import { conversationOrder } from "./talk.mjs";
import { metrics, overview, World } from "./world.mjs";

const RANK = { viewer: 1, operator: 2, admin: 3 };
const PROBLEMS = {
  401: ["Unauthorized", "unauthorized"],
  403: ["Forbidden", "forbidden"],
  404: ["Not Found", "not_found"],
  409: ["Conflict", "conflict"],
  412: ["Precondition Failed", "version_mismatch"],
  422: ["Unprocessable Content", "validation_failed"],
};
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
  ["POST connections/:id/fix", "admin", fix],
  ["POST connections/:id/suspend", "admin", ({ world, id }) => Object.assign(world.connection(id), { suspended: true })],
  ["POST connections/:id/resume", "admin", ({ world, id }) => Object.assign(world.connection(id), { suspended: false })],
  ["POST connections/:id/rotate-key", "admin", ({ world, id }) => ({ url: world.rotate(id) })],
  ["GET connections/:id/addresses", "admin", ({ world, id }) => ({ urls: world.addresses(id) })],
  ["GET connections/:id/rejected", "operator", ({ world, id, query }) => page(world.rejected[id] ?? [], query)],
  ["GET routes", "viewer", ({ world, query }) => page(world.routes, query)],
  ["GET routes/:id", "viewer", ({ world, id }) => world.route(id)],
  ["PUT routes/:id", "admin", putRoute],
  ["GET conversations", "viewer", ({ world, query }) => page(world.conversations.filter(matches(query)).sort(conversationOrder).map(brief), query)],
  ["GET conversations/:channel/:customer", "viewer", (request) => conversation(request).view()],
  ["GET conversations/:channel/:customer/timeline", "viewer", (request) => page([...conversation(request).entries].reverse(), request.query)],
  ["POST conversations/:channel/:customer/messages", "operator", (request) => accepted({ event_id: conversation(request).addOperatorMessage(request.body.text) })],
  ["POST conversations/:channel/:customer/handover", "operator", (request) => accepted(conversation(request).handover(request.body?.reason))],
  ["POST conversations/:channel/:customer/handback", "operator", (request) => accepted(conversation(request).handback(request.body?.reason))],
  ["POST conversations/:channel/:customer/close", "operator", (request) => accepted(conversation(request).close(request.body?.reason))],
  ["DELETE customers/:channel/:customer", "admin", (request) => accepted(request.world.forget(conversation(request)))],
  ["GET deliveries", "viewer", ({ world, query }) => page(deliveries(world, query), query)],
  ["POST deliveries/:action", "operator", (request) => accepted({ count: act(request) })],
  ["GET dead-letters", "viewer", ({ world, query }) => page(world.dead, query)],
  ["POST dead-letters/redrive", "operator", ({ world, body }) => accepted({ count: world.redrive(body?.id) })],
  ["GET audit", "admin", ({ world, query }) => page(world.audit, query)],
  ["GET tokens", "admin", ({ world, query }) => page(world.tokens, query)],
  ["POST tokens", "admin", tokens.create],
  ["DELETE tokens/:id", "admin", tokens.remove],
].map(([pattern, role, handle]) => {
  const [method, path] = pattern.split(" ");
  return { method, path: path.split("/"), role, handle };
});

export function answer(request) {
  try {
    if (request.method !== "GET" && request.headers["x-trunkline-console"] !== "1") throw new ProblemError(403, "a change with a session cookie requires the header x-trunkline-console");
    if (request.path[0] === "session") return session(request);
    const cookie = /trunkline=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
    const user = sessions.get(cookie);
    if (!user) throw new ProblemError(401, "sign in first");
    for (const { method, path, role, handle } of ROUTES) {
      const found = match(path, request.path);
      if (method !== request.method || !found) continue;
      if (RANK[user.role] < RANK[role]) throw new ProblemError(403, `this call requires the role ${role}`);
      user.world.tick();
      const result = handle({ ...request, ...found, session: user, world: user.world });
      if (method !== "GET") audit(user, request);
      return result?.status && "body" in result ? result : { body: result };
    }
    throw new ProblemError(404, "this path does not exist: see /api/v1/openapi.json");
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const { status, message, errors } = error;
    const [title, code] = PROBLEMS[status];
    return { status, body: { type: "about:blank", title, status, code, detail: message, errors } };
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
  if (!RANK[role]) throw new ProblemError(401, "the token is invalid, expired or already used");
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
  if (!found) throw new ProblemError(404, "the conversation does not exist");
  return found;
}

const accepted = (body) => ({ status: 202, body });

const brief = (one) => {
  const { parties, handover, ...item } = one.view();
  return item;
};

const matches = ({ connection, state, since, until, customer }) => (one) =>
  (!connection || one.channel === connection)
  && (!state || one.state === state)
  && (!since || one.changed_at >= since)
  && (!until || one.changed_at <= until)
  && (!customer || one.customer.startsWith(customer));
