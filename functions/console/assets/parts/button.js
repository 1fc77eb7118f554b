// A button that does something on the server.
import { h } from "../dom.js";
import { barred } from "../session.js";
import { warn } from "./notice.js";

/**
 * `needs` is the role without which it is switched off, `off` any other reason why it is. While `run` is under way
 * it cannot be pressed again; what goes wrong is shown as a notice.
 */
export function button(label, { needs, off, run, look, key, name }) {
  const reason = (needs && barred(needs)) || off || null;
  return h("button", {
    key: key ?? label,
    type: "button",
    class: look,
    title: reason,
    "aria-label": name,
    // Not `disabled`: whoever comes by with the keyboard is to be told the reason.
    "aria-disabled": reason ? "true" : null,
    onclick: (event) => !reason && start(event.currentTarget, run),
  }, label);
}

async function start(node, run) {
  if (node.getAttribute("aria-busy") === "true") return;
  node.setAttribute("aria-busy", "true");
  try {
    await run();
  } catch (error) {
    if (error.status !== 401) warn(error.message);
  } finally {
    node.removeAttribute("aria-busy");
  }
}
