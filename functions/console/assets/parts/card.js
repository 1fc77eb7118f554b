// The summary of a connection.
import { h } from "../dom.js";
import { when } from "../time.js";
import { badge, breakerBadge, connectionLink, facts, routeLink } from "./common.js";

/** The severity of a connection's problems, for sorting. */
export function severity({ breaker, failed, parked, last_verification: verification, suspended }) {
  if (breaker.state === "open") return 5;
  if (breaker.state === "half_open") return 4;
  if (failed) return 3;
  if (parked || verification?.problem) return 2;
  return suspended ? 1 : 0;
}

/** Messages per minute if there is at least one a minute, otherwise per hour. */
function rate(hourly) {
  return hourly >= 60 ? `${(hourly / 60).toFixed(1)} per minute` : `${hourly} per hour`;
}

export function card(connection) {
  const { id, platform, role, route, breaker, last_hour: hour, last_verification: verification } = connection;
  const tone = ["", "plain", "warn", "bad", "warn", "bad"][severity(connection)];
  return h("li", { key: id, class: `card ${tone}`, "data-connection": id },
    h("div", { class: "row spread" },
      h("h3", null, connectionLink(id)),
      connection.suspended ? badge("plain", "Suspended") : breakerBadge(breaker.state)),
    h("p", { class: "about" }, `${role} on ${platform}`, route ? [", route ", routeLink(route)] : role === "channel" && ", no route"),
    breaker.state !== "closed" && h("p", { class: "reason" },
      breaker.opened_at ? ["Opened ", when(breaker.opened_at), " after "] : "After ",
      `${breaker.failures} failures`, breaker.reason ? `: ${breaker.reason}` : ""),
    verification?.problem && h("p", { class: "reason" }, "Verification failed ", when(verification.at), `: ${verification.problem}`),
    facts([
      ["Accepted", rate(hour.accepted)],
      ["Delivered", rate(hour.delivered)],
      ["Failed", figure(hour.failed, "bad")],
      ["Retried", figure(hour.retried, "warn")],
      ["Parked", parked(connection, "parked", connection.parked)],
      ["Failed, needs an operator", parked(connection, "failed", connection.failed)],
      ["Oldest parked", connection.oldest_waiting_at ? when(connection.oldest_waiting_at) : "none"],
    ], "facts figures"));
}

const figure = (number, tone) => h("span", { class: number ? tone : null }, `${number} in the last hour`);

function parked({ id }, state, number) {
  if (!number) return "0";
  return h("a", { href: `#/deliveries?${new URLSearchParams({ state, connection: id })}` }, String(number));
}
