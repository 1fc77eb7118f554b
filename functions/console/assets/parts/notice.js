// Short news at the edge of the page, read out by screen readers.
import { h } from "../dom.js";

const STAYS = 8000;

/** Says that something was done. */
export function tell(text) {
  const node = notice(text, "good");
  setTimeout(() => node.remove(), STAYS);
}

/** Says that something went wrong; it stays until it is dismissed. */
export function warn(text) {
  for (const old of document.querySelectorAll("#notices .bad")) old.remove();
  notice(text, "bad");
}

function notice(text, tone) {
  const node = h("div", { class: `notice ${tone}`, role: tone === "bad" ? "alert" : null },
    h("p", null, text),
    h("button", { type: "button", class: "quiet", "aria-label": "Dismiss", onclick: () => node.remove() }, "✕"),
  );
  document.getElementById("notices").append(node);
  return node;
}
