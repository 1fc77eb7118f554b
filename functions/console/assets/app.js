// The shell: which page is shown, who is signed in, and what is on every page.
import { h, patch } from "./dom.js";
import { help, listenForKeys } from "./keys.js";
import { poll } from "./live.js";
import { warn } from "./parts/notice.js";
import { forget, learn, signIn, signOut, whoami } from "./session.js";
import { keepTimes, when } from "./time.js";

// Most of all, the first view is to be there soon: its page asks for data before we know who is signed in.
const PAGES = [
  ["", () => import("./pages/overview.js"), { early: true }],
  ["conversations", () => import("./pages/conversations.js")],
  ["conversations/:channel/:customer", () => import("./pages/conversation.js")],
  ["deliveries", () => import("./pages/deliveries.js")],
  ["dead-letters", () => import("./pages/dead-letters.js")],
  ["connections", () => import("./pages/connections.js")],
  ["connections/new", () => import("./pages/connection-new.js")],
  ["connections/:id", () => import("./pages/connection.js")],
  ["routes", () => import("./pages/routes.js")],
  ["routes/new", () => import("./pages/route.js")],
  ["routes/:id", () => import("./pages/route.js")],
  ["tokens", () => import("./pages/tokens.js")],
  ["audit", () => import("./pages/audit.js")],
  ["login", () => import("./pages/login.js"), { early: true }],
];

const main = document.getElementById("main");
let current = null;

function read() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const parts = path.split("/").map(decode);
  for (const [pattern, load, flags = {}] of PAGES) {
    const wanted = pattern.split("/");
    if (wanted.length !== parts.length) continue;
    if (!wanted.every((word, i) => (word.startsWith(":") ? parts[i] : word === parts[i]))) continue;
    const params = Object.fromEntries(
      wanted.map((word, i) => [word.slice(1), parts[i]]).filter((_, i) => wanted[i].startsWith(":")));
    return { path, pattern, load, flags, params, query: new URLSearchParams(query) };
  }
  return { path, pattern: null };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

async function go() {
  const found = read();
  if (current && current.path === found.path && current.page?.update) {
    current.page.update(found.query);
    return;
  }
  current?.leaving.abort();
  const leaving = new AbortController();
  const first = current === null;
  const place = { path: found.path, leaving, page: null };
  current = place;
  mark(found.path);
  if (!found.pattern && found.pattern !== "") return missing();
  try {
    const [module] = await Promise.all([found.load(), found.flags.early || whoami() || learn().then(showMe)]);
    if (leaving.signal.aborted) return;
    patch(main);
    window.scrollTo(0, 0);
    place.page = module.open(viewOf(found, leaving.signal, first)) ?? {};
  } catch (error) {
    if (error.status !== 401) failed(error);
  }
}

function viewOf({ params, query, path }, signal, first) {
  let drawn = false;
  const draw = (title, ...content) => {
    if (signal.aborted) return;
    document.title = `${title} · Trunkline`;
    patch(main, content);
    // After going somewhere the reader starts at the heading; when the page is opened, where the browser puts them.
    if (!drawn && !first && !main.contains(document.activeElement)) main.querySelector("h1")?.focus();
    drawn = true;
  };
  return {
    params, query, signal, draw,
    poll: (load, every, troubled = failed) => poll(load, every, signal, troubled),
    /** Loads what does not change while it is looked at. */
    load: (load) => poll(load, null, signal, failed),
    /** Puts the filters into the address, where a link can take them along. */
    filter(values) {
      const set = Object.entries(values).filter(([, value]) => value);
      const search = new URLSearchParams(set).toString();
      location.replace(`#/${path}${search && "?"}${search}`);
    },
  };
}

function failed(error) {
  document.title = "Trunkline";
  patch(main, h("h1", { tabindex: "-1" }, error.status === 404 ? "Not found" : "This cannot be shown"),
    h("div", { class: "trouble", role: "alert" }, h("p", null, error.message)),
    h("p", null, h("button", { type: "button", onclick: () => again() }, "Try again"), " ",
      h("a", { href: "#/" }, "To the overview")));
  main.querySelector("h1").focus();
}

function again() {
  current?.leaving.abort();
  current = { path: null, leaving: new AbortController() };
  go();
}

function missing() {
  failed(Object.assign(new Error("There is no such page."), { status: 404 }));
}

function mark(path) {
  menu(false);
  const top = `#/${path.split("/")[0]}`;
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.getAttribute("href") === top) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function showMe() {
  const me = whoami();
  document.body.classList.toggle("signed-in", Boolean(me));
  patch(document.getElementById("me"), me ? [h("bdi", null, me.name), " ", h("span", { class: "badge plain" }, me.role), me.expires_at && [", ends ", when(me.expires_at)]] : []);
}

function toLogin() {
  forget();
  showMe();
  const from = location.hash;
  if (!from.startsWith("#/login")) location.replace(`#/login?${new URLSearchParams({ from })}`);
}

async function leave() {
  try {
    await signOut();
  } catch (error) {
    warn(error.message);
  }
  showMe();
  location.hash = "#/login";
}

const THEMES = { "": "automatic", light: "light", dark: "dark" };
function theme(next) {
  const root = document.documentElement;
  if (next !== undefined) {
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    try {
      localStorage.setItem("trunkline-theme", next);
    } catch {
      // Then the choice lasts as long as the page.
    }
    window.dispatchEvent(new CustomEvent("theme"));
  }
  document.getElementById("theme").textContent = `Theme: ${THEMES[root.dataset.theme ?? ""]}`;
}

function menu(open) {
  document.getElementById("menu").setAttribute("aria-expanded", String(open));
}

function wire() {
  const button = (id, does) => document.getElementById(id).addEventListener("click", does);
  button("menu", (event) => menu(event.currentTarget.getAttribute("aria-expanded") !== "true"));
  button("help", help);
  button("leave", leave);
  button("theme", () => {
    const names = Object.keys(THEMES);
    theme(names[(names.indexOf(document.documentElement.dataset.theme ?? "") + 1) % names.length]);
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  window.addEventListener("signed-out", toLogin);
  window.addEventListener("signed-in", showMe);
  window.addEventListener("hashchange", go);
  listenForKeys(() => Boolean(whoami()));
  // The frame is there from the start, for those who are signed in; the others see the login at once.
  document.body.classList.toggle("signed-in", !location.hash.startsWith("#/login"));
  theme();
  keepTimes();
}

async function start() {
  wire();
  const code = /^#login=(.+)$/.exec(location.hash)?.[1];
  if (code) {
    // The code is good for once; it is not to stay in the address or the history.
    history.replaceState(null, "", "#/");
    await signIn(decode(code)).then(showMe, (error) => {
      history.replaceState(null, "", "#/login");
      if (error.status !== 401) warn(error.message);
      else warn("This link has been used already, or its time is up. Ask for another.");
    });
  } else {
    learn().then(showMe, (error) => error.status === 401 || whoami() || warn(error.message));
  }
  go();
}

start();
