// The dev server: serves the assets as the function does, and an API in memory. Each sign-in gets its own world.
// The tokens are `viewer`, `operator` and `admin`.
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { answer } from "./api.mjs";

const ASSETS = join(dirname(fileURLToPath(import.meta.url)), "../../assets");
const PORT = Number(process.env.PORT ?? 4180);
// A path prefix, as a stage of API Gateway has.
const PREFIX = process.env.PREFIX ?? "";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    + "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://console.local");
  if (!pathname.startsWith(PREFIX)) return end(response, 404);
  const path = pathname.slice(PREFIX.length);
  if (path.startsWith("/api/v1/")) return api(request, response, path.slice("/api/v1/".length), searchParams);
  if (path === "/console") return response.writeHead(308, { location: `${PREFIX}/console/` }).end();
  if (path === "/console/") return index(response);
  if (path.startsWith("/console/")) return asset(response, path.slice("/console/".length));
  end(response, 404);
});

/** Adds the version folder to the URLs in the page, so that browsers may cache the files permanently. */
function index(response) {
  const digest = createHash("sha256");
  for (const name of readdirSync(ASSETS, { recursive: true }).sort()) {
    const file = join(ASSETS, name);
    if (statSync(file).isFile()) digest.update(name).update(readFileSync(file));
  }
  const folder = `v-${digest.digest("hex").slice(0, 16)}`;
  const page = readFileSync(join(ASSETS, "index.html"), "utf8").replace(/ (href|src)="(?!#)/g, ` $1="${folder}/`);
  response.writeHead(200, { ...HEADERS, "content-type": TYPES[".html"] }).end(page);
}

function asset(response, path) {
  const name = path.replace(/^v-[0-9a-f]{16}\//, "");
  const file = join(ASSETS, normalize(decodeURIComponent(name)));
  if (!file.startsWith(ASSETS) || !existsSync(file) || !statSync(file).isFile()) return end(response, 404);
  const type = TYPES[extname(file)] ?? "text/plain; charset=utf-8";
  const caching = name === path ? {} : { "cache-control": "public, max-age=31536000, immutable" };
  response.writeHead(200, { ...HEADERS, "content-type": type, ...caching });
  createReadStream(file).pipe(response);
}

async function api(request, response, path, query) {
  let text = "";
  for await (const chunk of request) text += chunk;
  const { status = 200, headers = {}, body } = answer({
    method: request.method,
    path: path.split("/").map((part) => part.startsWith("~") ? Buffer.from(part.slice(1), "base64url").toString() : decodeURIComponent(part)),
    query: Object.fromEntries(query),
    headers: request.headers,
    body: text ? JSON.parse(text) : null,
  });
  const type = status >= 400 ? "application/problem+json" : "application/json";
  response.writeHead(status, { "cache-control": "no-store", ...(body !== undefined && { "content-type": type }), ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function end(response, status) {
  response.writeHead(status, HEADERS).end();
}

server.listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}${PREFIX}/console/`));
