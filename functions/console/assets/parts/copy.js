// A value with a copy button.
import { h } from "../dom.js";
import { button } from "./button.js";
import { notify } from "./notice.js";

export function copyable(text, name) {
  return h("span", { class: "copyable" },
    h("code", { tabindex: "0" }, text),
    button("Copy", { look: "quiet", name: `Copy ${name}`, run: () => copy(text, name) }));
}

async function copy(text, name) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return notify(`Copied: ${name}.`);
  }
  // Pages without TLS have no clipboard access: select the text instead.
  const code = [...document.querySelectorAll(".copyable code")].find((node) => node.textContent === text);
  getSelection().selectAllChildren(code);
  return notify("Selected. Press Ctrl+C or ⌘C to copy.");
}
