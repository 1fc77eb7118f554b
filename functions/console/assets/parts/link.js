// A link that looks like a button, disabled without the required role.
import { h } from "../dom.js";
import { missingRole } from "../session.js";

export function roleLink(role, href, words) {
  const reason = missingRole(role);
  return reason
    ? h("a", { class: "button", role: "link", tabindex: "0", "aria-disabled": "true", title: reason }, words)
    : h("a", { class: "button main", href }, words);
}
