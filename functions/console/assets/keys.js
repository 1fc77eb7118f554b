// Keyboard shortcuts. They can be disabled, because they conflict with speech input.
import { h } from "./dom.js";

const TARGETS = {
  o: ["#/", "Overview"],
  c: ["#/conversations", "Conversations"],
  d: ["#/deliveries", "Deliveries"],
  l: ["#/dead-letters", "Dead letters"],
  n: ["#/connections", "Connections"],
  r: ["#/routes", "Routes"],
  t: ["#/tokens", "Tokens"],
  a: ["#/audit", "Audit"],
};
const STORAGE_KEY = "trunkline-keys";
const SEQUENCE_TIMEOUT = 1500;
let prefixAt = 0;

/** Handles the shortcuts while `active` returns true. */
export function listenForKeys(active) {
  document.addEventListener("keydown", (event) => {
    if (!active() || !enabled() || event.defaultPrevented) return;
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const target = Date.now() - prefixAt < SEQUENCE_TIMEOUT ? TARGETS[event.key] : null;
    prefixAt = event.key === "g" ? Date.now() : 0;
    if (target) location.hash = target[0];
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
    return localStorage.getItem(STORAGE_KEY) !== "off";
  } catch {
    return true;
  }
}

function enable(on) {
  try {
    localStorage.setItem(STORAGE_KEY, on ? "on" : "off");
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
}

/** Shows the dialog that lists the shortcuts. */
export async function help() {
  const { show } = await import("./parts/dialog.js");
  const row = (keys, description) =>
    h("div", null, h("dt", null, keys.map((key) => h("kbd", null, key))), h("dd", null, description));
  show("Keyboard shortcuts", [
    h("dl", { class: "keys" },
      row(["/"], "Search"),
      Object.entries(TARGETS).map(([key, [, name]]) => row(["g", key], name)),
      row(["?"], "Show this list"),
      row(["Esc"], "Close a dialog"),
    ),
    h("label", { class: "tick" },
      h("input", { type: "checkbox", checked: enabled(), onchange: (event) => enable(event.target.checked) }),
      " Enable single-key shortcuts",
    ),
  ]);
}
