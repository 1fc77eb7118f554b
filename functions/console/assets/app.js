// The page frame: navigation, the current page, the signed-in user, the theme.
import { h, patch } from "./dom.js";
import { help, listenForKeys } from "./keys.js";
import { poll } from "./live.js";
import { notifyError } from "./parts/notice.js";
import { clearUser, currentUser, loadUser, signIn, signOut } from "./session.js";
import { keepTimes, when } from "./time.js";

// `early` pages load their data before the user is known, so that the first view appears sooner.
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
  const visit = { path: found.path, leaving, page: null };
  current = visit;
  mark(found.path);
  if (!found.pattern && found.pattern !== "") return missing();
  try {
    const [module] = await Promise.all([found.load(), found.flags.early || currentUser() || loadUser().then(showUser)]);
    if (leaving.signal.aborted) return;
    patch(main);
    window.scrollTo(0, 0);
    visit.page = module.open(viewOf(found, leaving.signal, first)) ?? {};
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
    // After a navigation the focus moves to the heading; after loading the page the browser decides.
    if (!drawn && !first && !main.contains(document.activeElement)) main.querySelector("h1")?.focus();
    drawn = true;
  };
  return {
    params, query, signal, draw,
    poll: (load, every, onProblem = failed) => poll(load, every, signal, onProblem),
    /** Loads data once. */
    load: (load) => poll(load, null, signal, failed),
    /** Stores the filters in the URL, so that a view can be linked to. */
    filter(values) {
      const set = Object.entries(values).filter(([, value]) => value);
      const search = new URLSearchParams(set).toString();
      location.replace(`#/${path}${search && "?"}${search}`);
    },
  };
}

function failed(error) {
  document.title = "Trunkline";
  patch(main, h("h1", { tabindex: "-1" }, error.status === 404 ? "Not found" : "This page cannot be loaded"),
    h("div", { class: "error-box", role: "alert" }, h("p", null, error.message)),
    h("p", null, h("button", { type: "button", onclick: () => again() }, "Try again"), " ",
      h("a", { href: "#/" }, "Go to the overview")));
  main.querySelector("h1").focus();
}

function again() {
  current?.leaving.abort();
  current = { path: null, leaving: new AbortController() };
  go();
}

function missing() {
  failed(Object.assign(new Error("This page does not exist."), { status: 404 }));
}

function mark(path) {
  menu(false);
  const top = `#/${path.split("/")[0]}`;
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.getAttribute("href") === top) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function showUser() {
  const user = currentUser();
  document.body.classList.toggle("signed-in", Boolean(user));
  patch(document.getElementById("me"), user ? [h("bdi", null, user.name), " ", h("span", { class: "badge plain" }, user.role), user.expires_at && [", expires ", when(user.expires_at)]] : []);
}

function goToSignIn() {
  clearUser();
  showUser();
  const from = location.hash;
  if (!from.startsWith("#/login")) location.replace(`#/login?${new URLSearchParams({ from })}`);
}

async function endSession() {
  try {
    await signOut();
  } catch (error) {
    notifyError(error.message);
  }
  showUser();
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
      // Without storage the choice lasts until the page is closed.
    }
    window.dispatchEvent(new CustomEvent("theme"));
  }
  document.getElementById("theme").textContent = `Theme: ${THEMES[root.dataset.theme ?? ""]}`;
}

function menu(open) {
  document.getElementById("menu").setAttribute("aria-expanded", String(open));
}

function wire() {
  const button = (id, listener) => document.getElementById(id).addEventListener("click", listener);
  button("menu", (event) => menu(event.currentTarget.getAttribute("aria-expanded") !== "true"));
  button("help", help);
  button("leave", endSession);
  button("theme", () => {
    const names = Object.keys(THEMES);
    theme(names[(names.indexOf(document.documentElement.dataset.theme ?? "") + 1) % names.length]);
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  window.addEventListener("signed-out", goToSignIn);
  window.addEventListener("signed-in", showUser);
  window.addEventListener("hashchange", go);
  listenForKeys(() => Boolean(currentUser()));
  // The frame is visible from the start for signed-in users; on the sign-in page it is hidden.
  document.body.classList.toggle("signed-in", !location.hash.startsWith("#/login"));
  theme();
  keepTimes();
}

async function start() {
  wire();
  const code = /^#login=(.+)$/.exec(location.hash)?.[1];
  if (code) {
    // The code is removed from the URL and the history.
    history.replaceState(null, "", "#/");
    await signIn(decode(code)).then(showUser, (error) => {
      history.replaceState(null, "", "#/login");
      if (error.status !== 401) notifyError(error.message);
      else notifyError("This sign-in link was already used or has expired. Request a new link.");
    });
  } else {
    loadUser().then(showUser, (error) => error.status === 401 || currentUser() || notifyError(error.message));
  }
  go();
}

start();
