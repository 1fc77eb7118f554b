// The deliveries of a timeline entry.
import { h } from "../dom.js";
import { when } from "../time.js";
import { count, STATUS, STATUS_TONE } from "../labels.js";
import { badge } from "./common.js";

const SIGN = { good: "✓", warn: "…", bad: "✕", plain: "–" };

/** Lists the deliveries: to the recipient first, then the copies. */
export function deliveryLines(deliveries) {
  if (!deliveries.length) return null;
  const sorted = [...deliveries].sort((one, other) => one.copy - other.copy || one.part - other.part);
  return h("ul", { class: "deliveries", "aria-label": "Deliveries" }, sorted.map(line));
}

function line({ id, to, copy, part, outcome }) {
  const tone = outcome ? (STATUS_TONE[outcome.status] ?? "plain") : "plain";
  const label = outcome ? (STATUS[outcome.status] ?? outcome.status) : "in progress";
  return h("li", { key: id, class: tone },
    h("span", { class: "sign", "aria-hidden": "true" }, SIGN[tone]), " ",
    copy ? [badge("copy", "copy"), " to "] : "to ", to, part > 0 && `, part ${part + 1}`, ": ",
    h("span", { class: "status" }, label),
    outcome && [" ", when(outcome.at), outcome.attempts > 1 && `, ${count(outcome.attempts, "attempt")}`],
    outcome && reasonAndDetails(outcome, id));
}

/** The reason of the last failure, followed by technical details. */
function reasonAndDetails({ status, reason, http_status: http, external_message_id: external }, id) {
  const details = [status !== "delivered" && http && !reason?.includes(http) && `HTTP status ${http}`, external && external !== id && `platform id ${external}`].filter(Boolean).join(", ");
  return [
    reason && h("span", { class: "why" }, ": ", h("bdi", null, reason)),
    details && h("span", { class: "rest" }, ` (${details})`),
  ];
}
