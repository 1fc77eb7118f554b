// Something to paste elsewhere, with a button that copies it.
import { h } from "../dom.js";
import { button } from "./button.js";
import { tell } from "./notice.js";

export function copyable(text, name) {
  return h("span", { class: "copyable" },
    h("code", { tabindex: "0" }, text),
    button("Copy", { look: "quiet", name: `Copy ${name}`, run: () => copy(text, name) }));
}

async function copy(text, name) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return tell(`Copied: ${name}.`);
  }
  // Without TLS there is no clipboard for pages; the text is selected, for the keyboard's own way to copy.
  const code = [...document.querySelectorAll(".copyable code")].find((node) => node.textContent === text);
  getSelection().selectAllChildren(code);
  return tell("Selected: copy it with the keyboard.");
}
