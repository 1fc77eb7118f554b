// A stack's API, and connections and a route of our own in it.
import { BEARER, Far } from "./far.mjs";
import { call } from "./http.mjs";

const CONSOLE = process.env.CONSOLE_URL;
const ADMIN = process.env.ADMIN_TOKEN;
const SIDES = { bot: "bot", desk: "desk", archive: "observer", channel: "channel" };

/** Calls the API; answers with what was said, and fails where that is a problem, unless it is `expected`. */
export async function api(method, path, { body, headers, token = ADMIN, expected } = {}) {
  const url = new URL(`../api/v1/${path}`, CONSOLE);
  const answer = await call(method, url, { headers: { authorization: `Bearer ${token}`, ...headers }, body });
  if (expected ? answer.status !== expected : answer.status >= 400) {
    throw new Error(`${method} ${path} was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
  return answer.body;
}

/** Makes it, or changes it if it is there. */
async function put(path, body) {
  const there = await call("GET", new URL(`../api/v1/${path}`, CONSOLE), { headers: { authorization: `Bearer ${ADMIN}` } });
  const condition = there.status === 200 ? { "if-match": there.headers.etag } : { "if-none-match": "*" };
  return api("PUT", path, { body, headers: condition });
}

/** `names` gives the connections' ids by side, and the route's. `more` is what they have besides. */
export async function makeWorld(names, { port, more = {}, switching = {} } = {}) {
  const far = await new Far().start(port);
  const connection = (side, route) => put(`connections/${names[side]}`, {
    platform: "webhook", role: SIDES[side], route,
    settings: { message_url: far.url(side), auth: "bearer", ...more[side]?.settings },
    secrets: { bearer: BEARER },
    ...(side === "bot" && { copies: true }),
    ...more[side]?.members,
  });
  await Promise.all([connection("bot"), connection("desk"), connection("archive")]);
  await put(`routes/${names.route}`, { bot: names.bot, desk: names.desk, observers: [names.archive], switching });
  await connection("channel", names.route);
  // An observer only listens.
  for (const side of ["channel", "bot", "desk"]) {
    const { urls } = await api("GET", `connections/${names[side]}/addresses`);
    far.inbound[side] = urls[0].url;
  }
  return { far, names };
}
