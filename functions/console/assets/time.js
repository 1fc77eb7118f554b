// Formats times relative to now, with the exact time as the title.
import { h } from "./dom.js";

const UNITS = [
  [60, 1, "second"],
  [3600, 60, "minute"],
  [86400, 3600, "hour"],
  [7 * 86400, 86400, "day"],
];
const exactly = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "long" });
const dayAndTime = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
});

/** "3 minutes ago", "in 2 hours", or the date if that is more than a week away. */
export function relative(at, now = Date.now()) {
  const seconds = Math.round((now - Date.parse(at)) / 1000);
  const size = Math.abs(seconds);
  if (Number.isNaN(size)) return "at an unknown time";
  if (size < 5) return "just now";
  for (const [below, unit, name] of UNITS) {
    if (size >= below) continue;
    const count = Math.floor(size / unit);
    const words = `${count} ${name}${count === 1 ? "" : "s"}`;
    return seconds < 0 ? `in ${words}` : `${words} ago`;
  }
  return dayAndTime.format(Date.parse(at));
}

/** Formats a duration in seconds. */
export function span(seconds) {
  for (const [below, unit, name] of UNITS) {
    if (seconds >= below || seconds % unit) continue;
    const count = seconds / unit;
    return `${count} ${name}${count === 1 ? "" : "s"}`;
  }
  return `${seconds} seconds`;
}

/** Renders a time relative to now, with the exact time as its title. */
export function when(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return h("span", null, "at an unknown time");
  return h("time", { datetime: date.toISOString(), title: exactly.format(date) }, relative(at));
}

/** Updates all relative times on the page every five seconds. */
export function keepTimes() {
  setInterval(() => {
    if (document.hidden) return;
    for (const node of document.querySelectorAll("time")) {
      const words = relative(node.dateTime);
      if (node.textContent !== words) node.firstChild.data = words;
    }
  }, 5000);
}

/** Compares two times to the nanosecond, for any number of fraction digits. */
export function compare(one, other) {
  const [whole, otherWhole] = [one.slice(0, 19), other.slice(0, 19)];
  if (whole !== otherWhole) return whole < otherWhole ? -1 : 1;
  return fraction(one) - fraction(other);
}

const fraction = (at) => Number(`0${/\.\d+/.exec(at)?.[0] ?? ""}`);

/** Converts the value of a date-and-time field to an API time, and back. */
export const fromField = (value) => (value ? new Date(value).toISOString() : "");
export function toField(at) {
  if (!at || Number.isNaN(Date.parse(at))) return "";
  const date = new Date(at);
  return new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}
