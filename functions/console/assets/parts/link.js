// A link that looks like a button, for those whose role allows what is behind it.
import { h } from "../dom.js";
import { barred } from "../session.js";

export function linkFor(role, href, words) {
  const reason = barred(role);
  return reason
    ? h("a", { class: "button", role: "link", tabindex: "0", "aria-disabled": "true", title: reason }, words)
    : h("a", { class: "button main", href }, words);
}
