// A button that calls the API.
import { h } from "../dom.js";
import { missingRole } from "../session.js";
import { notifyError } from "./notice.js";

/**
 * `needs` is the required role, `off` another reason to disable the button. While `run` is pending the button is
 * inactive. Errors are shown as notices.
 */
export function button(label, { needs, off, run, look, key, name }) {
  const reason = (needs && missingRole(needs)) || off || null;
  return h("button", {
    key: key ?? label,
    type: "button",
    class: look,
    title: reason,
    "aria-label": name,
    // Not `disabled`: keyboard users must be able to reach the button and its reason.
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
    if (error.status !== 401) notifyError(error.message);
  } finally {
    node.removeAttribute("aria-busy");
  }
}
