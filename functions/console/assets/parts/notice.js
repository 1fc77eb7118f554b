// Notices at the edge of the page, announced by screen readers.
import { h } from "../dom.js";

const DURATION = 8000;

/** Shows a success for eight seconds. */
export function notify(text) {
  const node = notice(text, "good");
  setTimeout(() => node.remove(), DURATION);
}

/** Shows an error until it is dismissed. */
export function notifyError(text) {
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
