// What became of an entry's deliveries.
import { h } from "../dom.js";
import { when } from "../time.js";
import { count, VERDICT, VERDICT_TONE } from "../words.js";
import { badge } from "./bits.js";

const SIGN = { good: "✓", warn: "…", bad: "✕", plain: "–" };

/** Those to the one who is addressed, then the copies; how each went, and why. */
export function deliveryLines(deliveries) {
  if (!deliveries.length) return null;
  const sorted = [...deliveries].sort((one, other) => one.copy - other.copy || one.part - other.part);
  return h("ul", { class: "deliveries", "aria-label": "Deliveries" }, sorted.map(line));
}

function line({ id, to, copy, part, outcome }) {
  const tone = outcome ? (VERDICT_TONE[outcome.verdict] ?? "plain") : "plain";
  const words = outcome ? (VERDICT[outcome.verdict] ?? outcome.verdict) : "under way";
  return h("li", { key: id, class: tone },
    h("span", { class: "sign", "aria-hidden": "true" }, SIGN[tone]), " ",
    copy ? [badge("copy", "copy"), " to "] : "to ", to, part > 0 && `, part ${part + 1}`, ": ",
    h("span", { class: "verdict" }, words),
    outcome && [" ", when(outcome.at), outcome.attempts > 1 && `, ${count(outcome.attempts, "attempt")}`],
    outcome && why(outcome, id));
}

/** The last reason is shown; what only a technician wants is behind it. */
function why({ verdict, reason, status, external_id: theirs }, ours) {
  const rest = [verdict !== "delivered" && status && !reason?.includes(status) && `status ${status}`, theirs && theirs !== ours && `their id ${theirs}`].filter(Boolean).join(", ");
  return [
    reason && h("span", { class: "why" }, ": ", h("bdi", null, reason)),
    rest && h("span", { class: "rest" }, ` (${rest})`),
  ];
}
