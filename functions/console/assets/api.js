// Speaking with the API, which lives beside the page wherever that is served.

// By this file's own place, /console/v-…/: the page's may have a slash at its end, or none.
const base = new URL("../../api/v1/", import.meta.url);

/** What the API says is wrong (RFC 9457). */
export class Problem extends Error {
  constructor(status, said) {
    super(said.detail || said.title || `The server answered ${status}.`);
    this.status = status;
    this.errors = said.errors ?? [];
  }
}

/** Nobody answered, or something in between did. */
export class Unreachable extends Error {}

/** A path whose parts are encoded: at`conversations/${channel}/${customer}`. */
export function at(parts, ...values) {
  return parts.reduce((path, part, i) => path + encoded(values[i - 1]) + part);
}

// Gateways differ in what they decode of a path, so what is not plain goes as base64url behind a tilde.
function encoded(value) {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)) return value;
  const bytes = String.fromCharCode(...new TextEncoder().encode(value));
  return `~${btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** A path with what is set of these as its query. */
export function asking(path, query) {
  const set = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return set.length ? `${path}?${new URLSearchParams(set)}` : path;
}

export const get = (path, signal) => call("GET", path, { signal });
export const post = (path, body) => call("POST", path, { body });
export const put = (path, body, headers) => call("PUT", path, { body, headers });
export const remove = (path) => call("DELETE", path, {});

async function call(method, path, { body, headers, signal }) {
  const changing = method !== "GET";
  let response;
  try {
    response = await fetch(new URL(path, base), {
      method,
      // Lets the browser ask whether anything has changed, and be told so in few bytes.
      cache: "no-cache",
      credentials: "same-origin",
      redirect: "error",
      signal,
      headers: {
        accept: "application/json",
        ...(changing && { "x-trunkline-console": "1" }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable("The server cannot be reached.");
  }
  const said = await read(response);
  if (response.ok) return said;
  if (response.status >= 500 && !said?.detail) throw new Unreachable(`The server answered ${response.status}.`);
  const problem = new Problem(response.status, said ?? {});
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
    if (response.ok) throw new Unreachable("The server's answer could not be read.");
    return null;
  }
}
