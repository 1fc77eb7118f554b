// The API's changes.
import { randomBytes, randomUUID } from "node:crypto";
import { ProblemError } from "./problem-error.mjs";
import { platforms } from "./platforms.mjs";

const now = () => new Date().toISOString();

export function putConnection({ world, id, body, headers }) {
  const before = world.connections.find((one) => one.id === id);
  checkVersion(before, headers);
  const platform = platforms.find((one) => one.platform === body.platform);
  const errors = [];
  if (!/^[a-z0-9-]{1,63}$/.test(id)) errors.push({ field: "id", detail: "must have 1 to 63 lower-case letters, digits and hyphens" });
  if (!platform) errors.push({ field: "platform", detail: "the platform does not exist" });
  for (const { name, required } of platform?.settings ?? []) {
    if (required && !body.settings?.[name]) errors.push({ field: `settings.${name}`, detail: "is required" });
  }
  for (const { name, required } of platform?.secrets ?? []) {
    const stays = before?.secrets.includes(name) && body.secrets?.[name] !== null;
    if (required && !stays && !body.secrets?.[name]) errors.push({ field: `secrets.${name}`, detail: "is required" });
  }
  if (errors.length) throw new ProblemError(422, "the connection is invalid", errors);
  const secrets = new Set(before?.secrets ?? []);
  for (const [name, value] of Object.entries(body.secrets ?? {})) value === null ? secrets.delete(name) : secrets.add(name);
  const after = { suspended: false, ...before, ...body, id, secrets: [...secrets], version: (before?.version ?? 0) + 1 };
  if (before) Object.assign(before, after);
  else world.add(after);
  return after;
}

export function putRoute({ world, id, body, headers }) {
  const before = world.routes.find((one) => one.id === id);
  checkVersion(before, headers);
  if (!body.bot && !body.desk) throw new ProblemError(422, "the route is invalid", [{ field: "bot", detail: "needs a bot, a desk or both" }]);
  const after = { ...body, id, version: (before?.version ?? 0) + 1 };
  if (before) Object.assign(before, after);
  else world.routes.push(after);
  return after;
}

function checkVersion(before, headers) {
  if (headers["if-none-match"] === "*") {
    if (before) throw new ProblemError(412, "the id already exists");
  } else if (!before) {
    throw new ProblemError(404, "the id does not exist");
  } else if (headers["if-match"] !== `"${before.version}"`) {
    throw new ProblemError(412, "the resource was changed in the meantime: read it again and repeat the change");
  }
}

export function verify({ world, id }) {
  world.connection(id);
  const down = world.breaker(id).state !== "closed";
  const verification = { at: now(), problem: down ? "503: the bot is being restarted" : null };
  world.verifications[id] = verification;
  return { ...verification, unsupported_reason: null, repaired: null };
}

export function fix({ world, id }) {
  const repaired = `created the webhook registration 'Trunkline ${id}'`;
  return { ...verify({ world, id }), repaired };
}

export function deliveries(world, { state, connection, conversation }) {
  return world.waiting.filter((one) => (!state || one.state === state)
    && (!connection || one.connection === connection)
    && (!conversation || one.conversation === conversation));
}

export function act({ world, action, body }) {
  if (!["replay", "discard"].includes(action)) throw new ProblemError(404, "this path does not exist: see /api/v1/openapi.json");
  const chosen = world.waiting.filter((one) => (!body.delivery || one.id === body.delivery)
    && (!body.connection || one.connection === body.connection)
    && (!body.conversation || one.conversation === body.conversation)
    && (!body.since || one.waiting_since >= body.since));
  world.waiting = world.waiting.filter((one) => !chosen.includes(one));
  return chosen.length;
}

export const tokens = {
  create({ world, body }) {
    if (!body.name) throw new ProblemError(422, "the token is invalid", [{ field: "name", detail: "is required" }]);
    const token = { kind: "api", id: randomUUID().slice(0, 8), name: body.name, role: body.role, created_at: now(),
      expires_at: new Date(Date.now() + body.days * 86400e3).toISOString() };
    world.tokens.unshift(token);
    return { status: 201, body: { ...token, token: `trk_${randomBytes(24).toString("base64url")}` } };
  },
  remove({ world, id }) {
    world.tokens = world.tokens.filter((one) => one.id !== id);
    return { status: 204, body: undefined };
  },
};

const VERBS = { PUT: "changed", POST: "", DELETE: "deleted" };
export function audit({ role, world }, { method, path, body }) {
  const verb = VERBS[method] || path.at(-1);
  const { token, ...detail } = body ?? {};
  world.audit.unshift({ id: randomUUID(), at: now(), actor: `dev ${role}`, role,
    action: `${path[0].replace(/s$/, "")}.${verb}`, target: path.slice(1, 3).join("/") || null, detail: path[0] === "connections" ? {} : detail });
}
