// A connection at a glance.
import { h } from "../dom.js";
import { when } from "../time.js";
import { badge, breakerBadge, connectionLink, facts, routeLink } from "./bits.js";

/** How badly a connection needs somebody: what comes first among the cards. */
export function ails({ breaker, failed, parked, verified, suspended }) {
  if (breaker.state === "open") return 5;
  if (breaker.state === "half_open") return 4;
  if (failed) return 3;
  if (parked || verified?.problem) return 2;
  return suspended ? 1 : 0;
}

/** Per minute if there is a message a minute, else per hour: a rate that can be imagined. */
function rate(hourly) {
  return hourly >= 60 ? `${(hourly / 60).toFixed(1)} a minute` : `${hourly} an hour`;
}

export function card(connection) {
  const { id, platform, role, route, breaker, last_hour: hour } = connection;
  const tone = ["", "plain", "warn", "bad", "warn", "bad"][ails(connection)];
  return h("li", { key: id, class: `card ${tone}`, "data-connection": id },
    h("div", { class: "row spread" },
      h("h3", null, connectionLink(id)),
      connection.suspended ? badge("plain", "Suspended") : breakerBadge(breaker.state)),
    h("p", { class: "about" }, `${role} on ${platform}`, route ? [", route ", routeLink(route)] : role === "channel" && ", on no route"),
    breaker.state !== "closed" && h("p", { class: "reason" },
      breaker.opened_at ? ["Opened ", when(breaker.opened_at), " after "] : "After ",
      `${breaker.failures} failures`, breaker.reason ? `: ${breaker.reason}` : ""),
    connection.verified?.problem && h("p", { class: "reason" }, "Verified ", when(connection.verified.at), `: ${connection.verified.problem}`),
    facts([
      ["Accepted", rate(hour.accepted)],
      ["Delivered", rate(hour.delivered)],
      ["Failed", figure(hour.failed, "bad")],
      ["Retried", figure(hour.retried, "warn")],
      ["Parked now", parked(connection, "parked", connection.parked)],
      ["Failed, waiting for a person", parked(connection, "failed", connection.failed)],
      ["Oldest waiting", connection.oldest_waiting_at ? when(connection.oldest_waiting_at) : "nothing waits"],
    ], "facts figures"));
}

const figure = (number, tone) => h("span", { class: number ? tone : null }, `${number} in the last hour`);

function parked({ id }, state, number) {
  if (!number) return "0";
  return h("a", { href: `#/deliveries?${new URLSearchParams({ state, connection: id })}` }, String(number));
}
