// The keyboard's shortcuts. They can be switched off, for those whose voice or hands would trip over them.
import { h } from "./dom.js";

const PLACES = {
  o: ["#/", "Overview"],
  c: ["#/conversations", "Conversations"],
  d: ["#/deliveries", "Deliveries"],
  l: ["#/dead-letters", "Dead letters"],
  n: ["#/connections", "Connections"],
  r: ["#/routes", "Routes"],
  t: ["#/tokens", "Tokens"],
  a: ["#/audit", "Audit"],
};
const KEPT = "trunkline-keys";
const PATIENCE = 1500;
let going = 0;

/** Listens for the shortcuts, as long as `active` says that there is somewhere to go. */
export function listenForKeys(active) {
  document.addEventListener("keydown", (event) => {
    if (!active() || !enabled() || event.defaultPrevented) return;
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const place = Date.now() - going < PATIENCE ? PLACES[event.key] : null;
    going = event.key === "g" ? Date.now() : 0;
    if (place) location.hash = place[0];
    else if (event.key === "/") search();
    else if (event.key === "?") help();
    else return;
    event.preventDefault();
  });
}

function typing(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]");
}

function search() {
  const field = document.querySelector("main [data-search]");
  if (field) field.focus();
  else location.hash = "#/conversations?find=1";
}

function enabled() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true;
  }
}

function enable(on) {
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // Then the choice lasts as long as the page.
  }
}

/** The dialog that lists the keys. */
export async function help() {
  const { show } = await import("./parts/dialog.js");
  const row = (keys, does) =>
    h("div", null, h("dt", null, keys.map((key) => h("kbd", null, key))), h("dd", null, does));
  show("Keys", [
    h("dl", { class: "keys" },
      row(["/"], "Search"),
      Object.entries(PLACES).map(([key, [, name]]) => row(["g", key], name)),
      row(["?"], "This list"),
      row(["Esc"], "Close a dialog"),
    ),
    h("label", { class: "tick" },
      h("input", { type: "checkbox", checked: enabled(), onchange: (event) => enable(event.target.checked) }),
      " Shortcuts of single keys are on",
    ),
  ]);
}
