// The stack's API, and the connections and route that a run creates.
import { BEARER, Platforms } from "./platforms.mjs";
import { call } from "./http.mjs";

const CONSOLE = process.env.CONSOLE_URL;
const ADMIN = process.env.ADMIN_TOKEN;
const SIDES = { bot: "bot", desk: "desk", archive: "observer", channel: "channel" };

/** Calls the API and returns the body. Throws on an error status, unless it is `expected`. */
export async function api(method, path, { body, headers, token = ADMIN, expected } = {}) {
  const url = new URL(`../api/v1/${path}`, CONSOLE);
  const answer = await call(method, url, { headers: { authorization: `Bearer ${token}`, ...headers }, body });
  if (expected ? answer.status !== expected : answer.status >= 400) {
    throw new Error(`${method} ${path} was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
  return answer.body;
}

/** Creates a resource, or changes it if it exists. */
async function put(path, body) {
  const existing = await call("GET", new URL(`../api/v1/${path}`, CONSOLE), { headers: { authorization: `Bearer ${ADMIN}` } });
  const condition = existing.status === 200 ? { "if-match": existing.headers.etag } : { "if-none-match": "*" };
  return api("PUT", path, { body, headers: condition });
}

/** Returns the id of the platform that simulates every side: connections of the open protocol can have each role. */
export async function openPlatform() {
  const platforms = await api("GET", "platforms");
  return platforms.find(({ roles }) => Object.values(SIDES).every((role) => roles.includes(role))).platform;
}

/** `names` has the ids of the connections by side and of the route. `more` has additional members. */
export async function makeWorld(names, { port, more = {}, handoverPolicy = {} } = {}) {
  const platforms = await new Platforms().start(port);
  const platform = await openPlatform();
  const connection = (side, route) => put(`connections/${names[side]}`, {
    platform, role: SIDES[side], route,
    settings: { message_url: platforms.url(side), auth: "bearer", ...more[side]?.settings },
    secrets: { bearer: BEARER },
    ...(side === "bot" && { copies: true }),
    ...more[side]?.members,
  });
  await Promise.all([connection("bot"), connection("desk"), connection("archive")]);
  await put(`routes/${names.route}`, { bot: names.bot, desk: names.desk, observers: [names.archive], handover_policy: handoverPolicy });
  await connection("channel", names.route);
  // Observers send nothing.
  for (const side of ["channel", "bot", "desk"]) {
    const { urls } = await api("GET", `connections/${names[side]}/addresses`);
    platforms.inbound[side] = urls[0].url;
  }
  return { platforms, names };
}
