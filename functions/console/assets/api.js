// API client. The API is served from the same origin as the pages.

// Relative to this file, /console/v-…/api.js: the page's own URL may or may not end with a slash.
const base = new URL("../../api/v1/", import.meta.url);

/** An API error (RFC 9457). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server returned status ${status}.`);
    this.status = status;
    this.code = body.code;
    this.errors = body.errors ?? [];
  }
}

/** The API did not respond, or a gateway in front of it did. */
export class Unreachable extends Error {}

/** Builds a path with encoded parts: at`conversations/${channel}/${customer}`. */
export function at(parts, ...values) {
  return parts.reduce((path, part, i) => path + encoded(values[i - 1]) + part);
}

// Gateways differ in what they decode in a path, so other characters are sent as ~ and base64url.
function encoded(value) {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)) return value;
  const bytes = String.fromCharCode(...new TextEncoder().encode(value));
  return `~${btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** Appends the values that are set as the query. */
export function withQuery(path, query) {
  const set = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return set.length ? `${path}?${new URLSearchParams(set)}` : path;
}

export const get = (path, signal) => call("GET", path, { signal });

/** Returns the items of all pages of a list. */
export async function getAll(path, signal) {
  const items = [];
  for (let cursor = ""; cursor !== null;) {
    const page = await get(withQuery(path, { limit: 100, cursor }), signal);
    items.push(...page.items);
    cursor = page.next;
  }
  return items;
}

export const post = (path, body) => call("POST", path, { body });
export const put = (path, body, headers) => call("PUT", path, { body, headers });
export const remove = (path) => call("DELETE", path, {});

async function call(method, path, { body, headers, signal }) {
  const isChange = method !== "GET";
  let response;
  try {
    response = await fetch(new URL(path, base), {
      method,
      // The browser revalidates its copy, so an unchanged answer costs few bytes.
      cache: "no-cache",
      credentials: "same-origin",
      redirect: "error",
      signal,
      headers: {
        accept: "application/json",
        ...(isChange && { "x-trunkline-console": "1" }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable("The server cannot be reached. Check your network.");
  }
  const answer = await read(response);
  if (response.ok) return answer;
  if (response.status >= 500 && !answer?.detail) throw new Unreachable(`The server returned status ${response.status}.`);
  const problem = new Problem(response.status, answer ?? {});
  if (response.status === 401 && path !== "session") {
    window.dispatchEvent(new CustomEvent("signed-out"));
  }
  throw problem;
}

async function read(response) {
  if (response.status === 204) return null;
  try {
    return await response.json();
  } catch {
    if (response.ok) throw new Unreachable("The server's response is not valid JSON.");
    return null;
  }
}
